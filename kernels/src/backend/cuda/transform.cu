// Batches of transforms, a block of 256 threads a polynomial.
//
// Memory map: shared: one exchange, 18,432 bytes; registers: eight words a thread.
// Floor on H100 (132 multiprocessors at 1.755 GHz, 3.35 TB/s): 32 KB read and written take 9.8 ns; 11,264 butterflies and 2,048 reductions, integers 22 instructions a
// butterfly of which 10 are multiply-adds: 11,264 * 12 / 64 = 2,112 cycles of a multiprocessor, 9.1 ns with all of them; doubles 11,264 * 8 / 64 + 6 * 2,048 * 3 / 64 =
// 1,984 cycles, 8.6 ns. Predicted with four blocks a multiprocessor at 60 % of that: 16 ns a transform, copies to and from the host (25 GB/s) apart.
#include "backend/cuda/operations.cuh"

namespace sotto::cuda {
namespace {

constexpr size_t kTransformShared = kExchangeWords * sizeof(uint64_t);
static_assert(4 * kTransformShared <= kShared80, "four blocks a multiprocessor");

template <class Field, bool inverse>
__global__ __launch_bounds__(kTransformThreads, 4) void transform_polynomials(const RingConstants<Field> ring, uint64_t* polynomials) {
  using Word = typename Field::Word;
  SOTTO_SHARED(shared);
  Word* const exchange[1] = {reinterpret_cast<Word*>(shared)};
  uint64_t* polynomial = polynomials + size_t(blockIdx.x) * kDegree;
  const uint32_t t = threadIdx.x;
  Word x[1][kPoints];
#pragma unroll
  for (uint32_t k = 0; k < kPoints; k++) x[0][k] = Field::of_canonical(polynomial[inverse ? bottom_place(t, k) : top_place(t, k)]);
  if (inverse) inverse_transform<Field, 1>(ring, x, exchange, t);
  else forward_transform<Field, 1, false>(ring, x, exchange, t);
#pragma unroll
  for (uint32_t k = 0; k < kPoints; k++) {
    if (inverse) polynomial[top_place(t, k)] = Field::canonical(x[0][k]);
    else polynomial[bottom_place(t, k)] = Field::canonical_of_any(x[0][k]);
  }
}

/// Polynomials of a run: 64 MiB.
uint64_t items_per_run(const Device&, const TransformBatch&) { return 4096; }

int32_t run(Device& device, const TransformBatch& batch, uint64_t first, uint64_t count) {
  LaneUse lane(device);
  if (const int32_t status = lane.ready()) return status;
  uint64_t* polynomials = nullptr;
  if (const int32_t status = lane->reserve([&](Slices& slices) { polynomials = slices.take<uint64_t>(count * kDegree); })) return status;
  uint64_t* host = batch.polynomials + first * kDegree;
  const size_t bytes = count * kDegree * sizeof(uint64_t);
  if (const int32_t status = lane->upload(polynomials, host, bytes)) return status;
  const int32_t status = with_field(lane->gpu(), [&](auto field) {
    using Field = decltype(field);
    auto* kernel = batch.inverse ? transform_polynomials<Field, true> : transform_polynomials<Field, false>;
    return lane->status(launch(kernel, uint32_t(count), kTransformThreads, kTransformShared, lane->stream(), lane->gpu().template constants<Field>(), polynomials), "a transform");
  });
  return status ? status : lane->download(host, polynomials, bytes);
}

}  // namespace

void add_transform(DeviceOperations& operations) { operations.transform = {run, items_per_run, true}; }

}  // namespace sotto::cuda
