// Packs of a batch: one launch a level of the merge trees, one block of 256 threads a merge, from
//   c = c0 + X^(N / 2^l) c1 + switched(sigma_l(c0 - X^(N / 2^l) c1)),  sigma_l: X -> X^(2^l + 1).
// Level d of the trees has the places r < 2^d of every pack: the inputs i = r mod 2^d have met there, and c1 is at r + 2^d, so that trees shrink in place.
//
// Memory map of a merge: the two exchanges of gadget_product.cuh, 36,864 bytes, then 16,384 for the mask and as much for the body; 69,632 in all, two
// blocks a multiprocessor.
// Images are gathered before the first barrier of the block, results written behind it: so c0 may be overwritten.
// Floor on H100 of a merge with four levels of digits: five transforms with their products and those by monomials, doubles 13,000 cycles of a multiprocessor, integers
// 15,900; bytes: 96 KB of memory and 128 KB of keys from the second-level cache, 9,500 cycles beside the arithmetic. Predicted at 60 %: 12 to 15 us of a multiprocessor.
// A pack of 512 lwe has 511 merges in nine levels: the 256 of the first are two a multiprocessor, 25 to 30 us; eight smaller levels take one merge alone each, whose
// eight warps reach about 40 %: doubles 19 us, integers 23 us; the embedding adds 9 us: 0.19 to 0.22 ms, 0.22 to 0.25 ms with launches; the aim is 0.3. Many packs at once: 48 to 58 us each.
#include "backend/cuda/pack.cuh"

#include "backend/cuda/gadget_product.cuh"

namespace sotto::cuda {
namespace {

constexpr size_t kExchangeBytes = kExchangeWords * sizeof(uint64_t), kMergeShared = kGadgetShared + kCiphertextWords * sizeof(uint64_t);
static_assert(kMergeShared == 69632 && 2 * kMergeShared <= kShared80);

template <class Field>
__global__ __launch_bounds__(kTransformThreads) void turn_into_keys(uint64_t* polynomials) {
  uint64_t* polynomial = polynomials + size_t(blockIdx.x) * kDegree;
  typename Field::Key* keys = reinterpret_cast<typename Field::Key*>(polynomial);
#pragma unroll
  for (uint32_t k = 0; k < kPoints; k++) {
    const uint32_t at = top_place(threadIdx.x, k);
    keys[at] = Keys<Field>::of(Field::of_canonical(polynomial[at]));
  }
}

template <class Field>
__global__ __launch_bounds__(kTransformThreads, 4) void transform_into_keys(const RingConstants<Field> ring, uint64_t* polynomials, uint32_t exponent) {
  using Word = typename Field::Word;
  SOTTO_SHARED(shared);
  Word* const exchange[1] = {reinterpret_cast<Word*>(shared)};
  uint64_t* polynomial = polynomials + size_t(blockIdx.x) * kDegree;
  typename Field::Key* keys = reinterpret_cast<typename Field::Key*>(polynomial);
  const uint32_t t = threadIdx.x;
  Word x[1][kPoints];
#pragma unroll
  for (uint32_t k = 0; k < kPoints; k++) x[0][k] = Field::of_canonical(divide_by_power_of_two(polynomial[top_place(t, k)], exponent));
  forward_transform<Field, 1, false>(ring, x, exchange, t);
#pragma unroll
  for (uint32_t k = 0; k < kPoints; k++) keys[bottom_place(t, k)] = Keys<Field>::of(x[0][k]);
}

/// round(x q / 2^32) (crypto/lwe_answers.cc).
__device__ __forceinline__ uint64_t to_ring(uint32_t x) { return x * (kQ >> 32) + ((x * (kQ & 0xffffffff) + (uint64_t(1) << 31)) >> 32); }
__device__ __forceinline__ uint64_t to_ring(uint64_t x) { return x; }

template <class Field, class Lwe>
__global__ __launch_bounds__(kTransformThreads, 4) void embed(const RingConstants<Field> ring, const Lwe* all, uint32_t exponent, uint64_t* ciphertexts) {
  using Word = typename Field::Word;
  SOTTO_SHARED(shared);
  Word* const exchange[1] = {reinterpret_cast<Word*>(shared)};
  const Lwe* lwe = all + size_t(blockIdx.x) * kLweWords;
  uint64_t* ciphertext = ciphertexts + size_t(blockIdx.x) * kCiphertextWords;
  const uint32_t t = threadIdx.x;
  Word x[1][kPoints];
#pragma unroll
  for (uint32_t k = 0; k < kPoints; k++) {
    const uint32_t at = top_place(t, k);
    const uint64_t divided = divide_by_power_of_two(to_ring(lwe[at ? kDegree - at : 0]), exponent);
    x[0][k] = Field::of_canonical(at ? negate_canonical(divided) : divided);
  }
  forward_transform<Field, 1, false>(ring, x, exchange, t);
  const uint64_t body = divide_by_power_of_two(to_ring(lwe[kDegree]), exponent);  // a constant is the same at every point
#pragma unroll
  for (uint32_t k = 0; k < kPoints; k++) {
    const uint32_t at = bottom_place(t, k);
    ciphertext[at] = Field::canonical_of_any(x[0][k]);
    ciphertext[kDegree + at] = body;
  }
}

template <class Field>
struct MergeArguments {
  RingConstants<Field> ring;
  const typename Field::Key* key;
  uint64_t* ciphertexts;
  uint32_t count;     // ciphertexts a pack at the start
  uint32_t places;    // a pack, of this level
  uint32_t distance;  // from c0 to c1
  uint32_t shift, g;  // N / 2^l, 2^l + 1
};

/// folds: where c1 is absent, c = c0 + switched(sigma c0); else c = 2 c0.
template <class Field, uint32_t levels, uint32_t base_log, bool folds>
__global__ __launch_bounds__(kTransformThreads, 2) void merge(const MergeArguments<Field> task) {
  using Word = typename Field::Word;
  SOTTO_SHARED(shared);
  const uint32_t t = threadIdx.x, place = blockIdx.x % task.places;
  uint64_t* left = task.ciphertexts + (size_t(blockIdx.x / task.places) * task.count + place) * kCiphertextWords;
  const bool pair = place + task.distance < task.count;
  const uint64_t* right = left + size_t(task.distance) * kCiphertextWords;
  if (!folds && !pair) {
    for (uint32_t i = t; i < kCiphertextWords; i += kTransformThreads) left[i] = add_canonical(left[i], left[i]);
    return;
  }
  const auto shifted = [&](uint32_t part, uint32_t at) { return pair ? product_with_key<Field>(Field::of_canonical(right[part * kDegree + at]), monomial_at<Field>(task.ring, at, task.shift)) : 0; };
  const auto sum = [&](uint32_t part, uint32_t at) { return add_canonical(left[part * kDegree + at], shifted(part, at)); };
  const auto difference = [&](uint32_t part, uint32_t at) { return add_canonical(left[part * kDegree + at], negate_canonical(shifted(part, at))); };

  // Each thread keeps its own: image and coefficients of the mask, then what is added to the body. Loops that are not unrolled keep few values at a time in registers.
  uint64_t *mask = reinterpret_cast<uint64_t*>(shared + kGadgetShared), *body = mask + kDegree;
#pragma unroll 1
  for (uint32_t k = 0; k < kPoints; k++) {
    const uint32_t at = bottom_place(t, k), source = image_source(at, task.g);
    mask[top_place(t, k)] = difference(0, source);
    body[top_place(t, k)] = add_canonical(sum(1, at), difference(1, source));
  }
  Exchanges<Field> exchanges(shared);
  {
    Word x[1][kPoints];
    Word* const exchange[1] = {exchanges.next()};
#pragma unroll
    for (uint32_t k = 0; k < kPoints; k++) x[0][k] = Field::of_canonical(mask[top_place(t, k)]);
    inverse_transform<Field, 1>(task.ring, x, exchange, t);
#pragma unroll
    for (uint32_t k = 0; k < kPoints; k++) mask[top_place(t, k)] = Field::canonical(x[0][k]);
  }
  GadgetSums<Field> sums;
  sums.clear();
  add_gadget_product<Field, levels, base_log>(task.ring, [&](uint32_t k) { return mask[top_place(t, k)]; }, task.key, sums, exchanges, t);
#pragma unroll
  for (uint32_t k = 0; k < kPoints; k++) {
    mask[top_place(t, k)] = sums.canonical(0, k);
    left[kDegree + bottom_place(t, k)] = add_canonical(body[top_place(t, k)], sums.canonical(1, k));
  }
#pragma unroll 1
  for (uint32_t k = 0; k < kPoints; k++) {
    const uint32_t at = bottom_place(t, k);
    left[at] = add_canonical(sum(0, at), mask[top_place(t, k)]);
  }
}

/// The first ciphertext of each pack to coefficient order.
template <class Field>
__global__ __launch_bounds__(kTransformThreads, 4) void leave_transformed(const RingConstants<Field> ring, const uint64_t* ciphertexts, uint32_t count, uint64_t* results) {
  using Word = typename Field::Word;
  SOTTO_SHARED(shared);
  Word* const exchange[1] = {reinterpret_cast<Word*>(shared)};
  const uint32_t t = threadIdx.x, pack_index = blockIdx.x / 2, part = blockIdx.x % 2;
  Word x[1][kPoints];
  load_transformed<Field>(ciphertexts + size_t(pack_index) * count * kCiphertextWords + part * kDegree, x, t);
  inverse_transform<Field, 1>(ring, x, exchange, t);
  uint64_t* result = results + size_t(pack_index) * kCiphertextWords + part * kDegree;
#pragma unroll
  for (uint32_t k = 0; k < kPoints; k++) result[top_place(t, k)] = Field::canonical(x[0][k]);
}

uint32_t log2_up(uint32_t x) {
  uint32_t bits = 0;
  while ((1u << bits) < x) bits++;
  return bits;
}

template <class Field, uint32_t levels, uint32_t base_log, bool folds>
int32_t merge_level(Lane& lane, const PackTask& task, uint32_t places, uint32_t distance, uint32_t level, uint32_t first_key) {
  const auto* key = static_cast<const typename Field::Key*>(task.keys) + size_t(level - first_key) * levels * kCiphertextWords;
  const MergeArguments<Field> arguments = {lane.gpu().constants<Field>(), key, task.ciphertexts, task.count, places, distance, kDegree >> level, (1u << level) + 1};
  return lane.status(launch(merge<Field, levels, base_log, folds>, places * task.packs, kTransformThreads, kMergeShared, lane.stream(), arguments), "a level of a pack");
}

template <class Field, uint32_t levels, uint32_t base_log, bool folds>
int32_t merge_levels(Lane& lane, const PackTask& task, uint32_t first_key) {
  const uint32_t depths = log2_up(task.count);
  for (uint32_t depth = depths; depth-- > 0;) {
    const uint32_t places = 1u << depth;  // below count: the last level of the tree is not empty
    if (const int32_t status = merge_level<Field, levels, base_log, folds>(lane, task, places, places, task.useful_log + depths - depth, first_key)) return status;
  }
  if (folds)
    for (uint32_t level = depths + 1; level <= kLogDegree; level++)
      if (const int32_t status = merge_level<Field, levels, base_log, folds>(lane, task, 1, task.count, level, first_key)) return status;
  return SOTTO_OK;
}

template <class Lwe>
int32_t embed_any(Lane& lane, const Lwe* lwe, uint32_t count, uint32_t exponent, uint64_t* ciphertexts) {
  return with_field(lane.gpu(), [&](auto field) {
    using Field = decltype(field);
    return lane.status(launch(embed<Field, Lwe>, count, kTransformThreads, kExchangeBytes, lane.stream(), lane.gpu().template constants<Field>(), lwe, exponent, ciphertexts), "reading lwe");
  });
}

}  // namespace

int32_t upload_as_keys(Lane& lane, const uint64_t* polynomials, size_t count, void* keys) {
  if (const int32_t status = lane.upload(keys, polynomials, count * kDegree * sizeof(uint64_t))) return status;
  const int32_t status = with_field(lane.gpu(), [&](auto field) {
    return lane.status(launch(turn_into_keys<decltype(field)>, uint32_t(count), kTransformThreads, 0, lane.stream(), static_cast<uint64_t*>(keys)), "arranging keys");
  });
  return status ? status : lane.wait();
}

int32_t transform_to_keys(Lane& lane, uint64_t* polynomials, uint32_t count, uint32_t exponent) {
  return with_field(lane.gpu(), [&](auto field) {
    using Field = decltype(field);
    return lane.status(launch(transform_into_keys<Field>, count, kTransformThreads, kExchangeBytes, lane.stream(), lane.gpu().template constants<Field>(), polynomials, exponent), "reading ciphertexts");
  });
}

int32_t embed_lwe(Lane& lane, const uint32_t* lwe, uint32_t count, uint32_t exponent, uint64_t* ciphertexts) { return embed_any(lane, lwe, count, exponent, ciphertexts); }
int32_t embed_lwe(Lane& lane, const uint64_t* lwe, uint32_t count, uint32_t exponent, uint64_t* ciphertexts) { return embed_any(lane, lwe, count, exponent, ciphertexts); }

int32_t pack(Lane& lane, const PackTask& task) {
  return with_field(lane.gpu(), [&](auto field) {
    return merge_levels<decltype(field), Context::kGadget.level_count, Context::kGadget.base_log, false>(lane, task, 1);
  });
}

int32_t pack_with_trace(Lane& lane, const PackTask& task, uint64_t* results) {
  return with_field(lane.gpu(), [&](auto field) {
    using Field = decltype(field);
    if (const int32_t status = merge_levels<Field, kTrainingGadget.level_count, kTrainingGadget.base_log, true>(lane, task, 0)) return status;
    return lane.status(launch(leave_transformed<Field>, 2 * task.packs, kTransformThreads, kExchangeBytes, lane.stream(), lane.gpu().template constants<Field>(), task.ciphertexts, task.count, results),
                       "a pack");
  });
}

}  // namespace sotto::cuda
