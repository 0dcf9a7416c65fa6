// Training on a device: external products with rgsw, automorphisms and the conjugation with the keys of training, packs with a whole trace.
//
// Memory map: the two exchanges of gadget_product.cuh, 36,864 bytes; of an automorphism the image of the mask too, 16,384. Two blocks a multiprocessor.
// Floor on H100: six levels of digits and two inverse transforms, integers 22,200 cycles of a multiprocessor, 96 ns with all of them; bytes: 64 KB of memory and 192 KB of keys from
// the second-level cache, 8,300 cycles beside it. Predicted at 60 %: 160 ns a ciphertext; its copies to and from the host take 2.6 us at 25 GB/s.
// A pack of n lwe: n - 1 merges of seven transforms and 11 - log2 n folds, each level alone: 25 us and more,
// 0.33 ms for 512 lwe; many packs at once 160 ns a merge.
#include <algorithm>

#include "backend/cuda/gadget_product.cuh"
#include "backend/cuda/operations.cuh"
#include "backend/cuda/pack.cuh"
#include "crypto/pack.hpp"
#include "crypto/trace_pack.hpp"

namespace sotto::cuda {
namespace {

/// Coefficients of both sums, canonical: each(part, place, value).
template <class Field, class Each>
__device__ __forceinline__ void leave_sums(const RingConstants<Field>& ring, const GadgetSums<Field>& sums, Exchanges<Field>& exchanges, uint32_t t, Each each) {
#pragma unroll
  for (uint32_t part = 0; part < 2; part++) {
    typename Field::Word x[1][kPoints];
    typename Field::Word* const exchange[1] = {exchanges.next()};
#pragma unroll
    for (uint32_t k = 0; k < kPoints; k++) x[0][k] = Field::of_canonical(sums.canonical(part, k));
    inverse_transform<Field, 1>(ring, x, exchange, t);
#pragma unroll
    for (uint32_t k = 0; k < kPoints; k++) each(part, top_place(t, k), Field::canonical(x[0][k]));
  }
}

template <class Field>
__global__ __launch_bounds__(kTransformThreads, 2) void multiply_externally(const RingConstants<Field> ring, const typename Field::Key* rows, const uint64_t* ciphertexts, uint64_t* results) {
  SOTTO_SHARED(shared);
  Exchanges<Field> exchanges(shared);
  const uint32_t t = threadIdx.x;
  const size_t at = size_t(blockIdx.x) * kCiphertextWords;
  GadgetSums<Field> sums;
  sums.clear();
#pragma unroll 1
  for (uint32_t part = 0; part < 2; part++) {
    const uint64_t* x = ciphertexts + at + part * kDegree;
    add_gadget_product<Field, kRgswGadget.level_count, kRgswGadget.base_log>(ring, [&](uint32_t k) { return x[top_place(t, k)]; }, rows + part * kRgswGadget.level_count * kCiphertextWords, sums, exchanges, t);
  }
  leave_sums<Field>(ring, sums, exchanges, t, [&](uint32_t part, uint32_t place, uint64_t value) { results[at + part * kDegree + place] = value; });
}

template <class Field>
__global__ __launch_bounds__(kTransformThreads, 2) void apply_automorphisms(const RingConstants<Field> ring, const typename Field::Key* key, uint32_t inverse, const uint64_t* ciphertexts,
                                                                            uint64_t* results) {
  SOTTO_SHARED(shared);
  Exchanges<Field> exchanges(shared);
  const uint32_t t = threadIdx.x;
  const size_t at = size_t(blockIdx.x) * kCiphertextWords;
  GadgetSums<Field> sums;
  sums.clear();
  uint64_t* image = reinterpret_cast<uint64_t*>(shared + kGadgetShared);  // each thread its own
#pragma unroll 1
  for (uint32_t k = 0; k < kPoints; k++) image[top_place(t, k)] = image_coefficient(ciphertexts + at, top_place(t, k), inverse);
  add_gadget_product<Field, kTrainingGadget.level_count, kTrainingGadget.base_log>(ring, [&](uint32_t k) { return image[top_place(t, k)]; }, key, sums, exchanges, t);
  leave_sums<Field>(ring, sums, exchanges, t, [&](uint32_t part, uint32_t place, uint64_t value) {
    results[at + part * kDegree + place] = part ? add_canonical(value, image_coefficient(ciphertexts + at + kDegree, place, inverse)) : value;
  });
}

/// g^-1 mod 2 N of the automorphism's X -> X^g, by Newton's iteration.
uint32_t inverse_exponent(uint32_t index) {
  const uint32_t g = index == kConjugation ? 2 * kDegree - 1 : (1u << index) + 1;
  uint32_t inverse = g;  // right mod 2^3
  for (int i = 0; i < 3; i++) inverse *= 2 - g * inverse;
  return inverse & kExponentMask;
}

int32_t acquire_rgsw(Lane& lane, const sotto_rgsw& rgsw, ResidentUse& use) {
  return use.acquire(rgsw.id, Part::whole, kRgswWords * sizeof(uint64_t), [&](void* memory) { return upload_as_keys(lane, rgsw.transformed.data(), kRgswWords / kDegree, memory); });
}
int32_t acquire_training_keys(Lane& lane, const sotto_training_keys& keys, ResidentUse& use) {
  return use.acquire(keys.id, Part::whole, keys.transformed.size() * sizeof(uint64_t),
                     [&](void* memory) { return upload_as_keys(lane, keys.transformed.data(), keys.transformed.size() / kDegree, memory); });
}

/// Copies ciphertexts there, starts(from, to) -> status, copies the results back.
template <class Start>
int32_t map_ciphertexts(Lane& lane, const uint64_t* ciphertexts, uint64_t count, uint64_t* results, Start start) {
  uint64_t *from = nullptr, *to = nullptr;
  const size_t words = count * kCiphertextWords;
  const int32_t reserved = lane.reserve([&](Slices& slices) { from = slices.take<uint64_t>(words), to = slices.take<uint64_t>(words); });
  if (reserved) return reserved;
  if (const int32_t status = lane.upload(from, ciphertexts, words * sizeof(uint64_t))) return status;
  if (const int32_t status = start(from, to)) return status;
  return lane.download(results, to, words * sizeof(uint64_t));
}

/// 64 MiB of ciphertexts.
template <class Batch>
uint64_t ciphertexts_per_run(const Device&, const Batch&) { return 2048; }

int32_t run_external_products(Device& device, const ExternalProductBatch& batch, uint64_t first, uint64_t count) {
  LaneUse lane(device);
  if (const int32_t status = lane.ready()) return status;
  ResidentUse rows(*lane);
  if (const int32_t status = acquire_rgsw(*lane, *batch.rgsw, rows)) return status;
  return map_ciphertexts(*lane, batch.ciphertexts + first * kCiphertextWords, count, batch.results + first * kCiphertextWords, [&](const uint64_t* from, uint64_t* to) {
    return with_field(lane->gpu(), [&](auto field) {
      using Field = decltype(field);
      return lane->status(launch(multiply_externally<Field>, uint32_t(count), kTransformThreads, kGadgetShared, lane->stream(), lane->gpu().template constants<Field>(),
                                 rows.as<typename Field::Key>(), from, to),
                          "an external product");
    });
  });
}

int32_t run_automorphisms(Device& device, const TrainingAutomorphismBatch& batch, uint64_t first, uint64_t count) {
  LaneUse lane(device);
  if (const int32_t status = lane.ready()) return status;
  ResidentUse keys(*lane);
  if (const int32_t status = acquire_training_keys(*lane, *batch.keys, keys)) return status;
  return map_ciphertexts(*lane, batch.ciphertexts + first * kCiphertextWords, count, batch.results + first * kCiphertextWords, [&](const uint64_t* from, uint64_t* to) {
    return with_field(lane->gpu(), [&](auto field) {
      using Field = decltype(field);
      const auto* key = keys.as<typename Field::Key>() + size_t(batch.index) * kTrainingGadget.level_count * kCiphertextWords;
      return lane->status(launch(apply_automorphisms<Field>, uint32_t(count), kTransformThreads, kGadgetShared + kDegree * sizeof(uint64_t), lane->stream(), lane->gpu().template constants<Field>(), key,
                                 inverse_exponent(batch.index), from, to),
                          "an automorphism");
    });
  });
}

/// 256 MiB of ciphertexts.
uint64_t packs_per_run(const Device&, const TracePackBatch& batch) { return std::max<uint64_t>(1, (size_t(256) << 20) / (batch.lwe_count * kCiphertextWords * sizeof(uint64_t))); }

int32_t run_trace_packs(Device& device, const TracePackBatch& batch, uint64_t first, uint64_t packs) {
  static_assert(kRingLweWords == kLweWords);
  const size_t lwe_words = packs * batch.lwe_count * kLweWords;
  LaneUse lane(device);
  if (const int32_t status = lane.ready()) return status;
  ResidentUse keys(*lane);
  if (const int32_t status = acquire_training_keys(*lane, *batch.keys, keys)) return status;
  uint64_t *lwe = nullptr, *ciphertexts = nullptr, *results = nullptr;
  const int32_t reserved = lane->reserve([&](Slices& slices) {
    lwe = slices.take<uint64_t>(lwe_words);
    ciphertexts = slices.take<uint64_t>(packs * batch.lwe_count * kCiphertextWords);
    results = slices.take<uint64_t>(packs * kCiphertextWords);
  });
  if (reserved) return reserved;
  if (const int32_t status = lane->upload(lwe, batch.lwe + first * batch.lwe_count * kLweWords, lwe_words * sizeof(uint64_t))) return status;
  if (const int32_t status = embed_lwe(*lane, lwe, uint32_t(packs * batch.lwe_count), kLogDegree, ciphertexts)) return status;
  if (const int32_t status = pack_with_trace(*lane, {keys.as<void>(), 0, uint32_t(batch.lwe_count), uint32_t(packs), ciphertexts}, results)) return status;
  return lane->download(batch.results + first * kCiphertextWords, results, packs * kCiphertextWords * sizeof(uint64_t));
}

}  // namespace

void add_training(DeviceOperations& operations) {
  operations.external_product = {run_external_products, ciphertexts_per_run<ExternalProductBatch>, true};
  operations.training_automorphism = {run_automorphisms, ciphertexts_per_run<TrainingAutomorphismBatch>, true};
  operations.trace_pack = {run_trace_packs, packs_per_run, true};
}

}  // namespace sotto::cuda
