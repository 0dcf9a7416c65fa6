// Linear scores: every ciphertext of rows times the resident weights of every score, switched and packed.
//
// Memory map: that of answer.cuh. Floor on H100 of a score: two inverse transforms, two products and the switch of 2,048 words, 5,000 cycles of a multiprocessor, 22 ns with
// all of them; bytes: 32 KB of the ciphertext and 16 KB of weights from the second-level cache, 9 to 10 KB written. Predicted at 60 %: 40 ns; the copy of an answer to the
// host takes 400 ns at 25 GB/s, so that the bus is what bounds it.
#include <algorithm>

#include "backend/cuda/answer.cuh"
#include "backend/cuda/operations.cuh"
#include "backend/cuda/pack.cuh"
#include "crypto/compression.hpp"
#include "crypto/encryption.hpp"
#include "crypto/matrix_product.hpp"

namespace sotto::cuda {
namespace {

template <class Field>
struct ScoreArguments {
  RingConstants<Field> ring;
  const typename Field::Key* rows;
  const uint64_t* weights;
  uint32_t scores, bits;
  AnswerPlaces places;
  size_t score_bytes;
  uint8_t* out;
};

template <class Field>
__global__ __launch_bounds__(kTransformThreads, 4) void score_rows(const ScoreArguments<Field> task) {
  SOTTO_SHARED(shared);
  const typename Field::Key* row = task.rows + size_t(blockIdx.x / task.scores) * kCiphertextWords;
  const uint64_t* weights = task.weights + size_t(blockIdx.x % task.scores) * kDegree;
  const auto load = [&](uint32_t part, uint32_t k) {
    const uint32_t at = bottom_place(threadIdx.x, k);
    return product_with_key<Field>(Field::of_canonical(weights[at]), row[part * kDegree + at]);
  };
  write_answer<Field>(task.ring, shared, load, nullptr, nullptr, task.places, task.bits, task.out + blockIdx.x * task.score_bytes);
}

/// 64 MiB of ciphertexts and as much of answers.
uint64_t ciphertexts_per_run(const Device&, const LinearBatch& batch) {
  constexpr size_t kBytes = size_t(64) << 20;
  return std::max<uint64_t>(1, std::min(kBytes / (kCiphertextWords * sizeof(uint64_t)), kBytes / linear_record_bytes(*batch.matrix, batch.shape.answer_bits)));
}

int32_t run_linear(Device& device, const LinearBatch& batch, uint64_t first, uint64_t count64) {
  const sotto_weight_matrix& matrix = *batch.matrix;
  const uint32_t count = uint32_t(count64), bits = batch.shape.answer_bits;
  const ProductLayout layout = ProductLayout::of(matrix.column_count);
  const size_t seeded = seeded_record_bytes(batch.shape.input_bits), record_bytes = linear_record_bytes(matrix, bits);
  Buffer<uint64_t> expanded(count * kCiphertextWords);
  if (!expanded.ok()) return out_of_memory("rows");
  for (uint32_t i = 0; i < count; i++) {
    uint64_t* a = expanded.data() + i * kCiphertextWords;
    expand_seeded(batch.rows + (first + i) * seeded, batch.shape.input_bits, a, a + kDegree);
  }
  LaneUse lane(device);
  if (const int32_t status = lane.ready()) return status;
  ResidentUse weights(*lane);
  const size_t weight_bytes = matrix.transformed.size() * sizeof(uint64_t);
  const int32_t acquired = weights.acquire(matrix.id, Part::whole, weight_bytes, [&](void* memory) {
    if (const int32_t status = lane->upload(memory, matrix.transformed.data(), weight_bytes)) return status;
    return lane->wait();
  });
  if (acquired) return acquired;
  uint64_t* rows = nullptr;
  uint8_t* out = nullptr;
  const int32_t reserved = lane->reserve([&](Slices& slices) {
    rows = slices.take<uint64_t>(expanded.size());
    out = slices.take<uint8_t>(count * record_bytes);
  });
  if (reserved) return reserved;
  if (const int32_t status = lane->upload(rows, expanded.data(), expanded.size() * sizeof(uint64_t))) return status;
  if (const int32_t status = transform_to_keys(*lane, rows, 2 * count, 0)) return status;
  const int32_t status = with_field(lane->gpu(), [&](auto field) {
    using Field = decltype(field);
    const AnswerPlaces places = {layout.useful(), layout.useful_log, layout.block, 0};
    const ScoreArguments<Field> arguments = {lane->gpu().template constants<Field>(), reinterpret_cast<const typename Field::Key*>(rows), weights.as<uint64_t>(), matrix.row_count, bits, places,
                                             compressed_bytes(layout.useful(), bits), out};
    return lane->status(launch(score_rows<Field>, count * matrix.row_count, kTransformThreads, kAnswerShared, lane->stream(), arguments), "linear scores");
  });
  return status ? status : lane->download(batch.answers + first * record_bytes, out, count * record_bytes);
}

}  // namespace

void add_linear(DeviceOperations& operations) { operations.linear = {run_linear, ciphertexts_per_run, true}; }

}  // namespace sotto::cuda
