// Answers of networks: lwe embedded, packed, randomised, switched and packed into bytes. Random numbers are drawn by the host, in the order of the CPU's path.
//
// Memory map of the last kernel: that of answer.cuh. Floor on H100 of an answer: three transforms and two products, 7,500 cycles of a multiprocessor, 32 ns with all of
// them; bytes: 32 KB of ciphertext, 18 KB and more of masks read, 7 to 13 KB written: 19 ns. Predicted: 55 ns. The host draws 2,048 ternary and 2,048 noise values an
// answer, about 15 us of a core: with sixteen cores a million answers a second.
#include "backend/cuda/answers.cuh"

#include <string.h>

#include <algorithm>

#include "backend/cuda/operations.cuh"
#include "backend/cuda/pack.cuh"
#include "crypto/compression.hpp"
#include "crypto/lwe_answers.hpp"
#include "crypto/pack.hpp"

namespace sotto::cuda {
namespace {

template <class Field>
struct FinishArguments {
  RingConstants<Field> ring;
  const typename Field::Key* zero;
  FinishTask task;
  size_t record_bytes;
};

/// (a, b) + u (a0, b0), u ternary.
template <class Field>
__global__ __launch_bounds__(kTransformThreads, 2) void finish(const FinishArguments<Field> all) {
  using Word = typename Field::Word;
  SOTTO_SHARED(shared);
  const FinishTask& task = all.task;
  const size_t answer = blockIdx.x;
  const uint32_t t = threadIdx.x;
  const uint8_t* ternary = task.masks.ternaries + answer * kDegree;
  Word u[1][kPoints];
  Word* const exchange[1] = {reinterpret_cast<Word*>(shared)};
#pragma unroll
  for (uint32_t k = 0; k < kPoints; k++) {
    const int64_t value = ternary[top_place(t, k)];  // 2 is -1
    u[0][k] = Field::of_digit(value - 3 * (value >> 1));
  }
  forward_transform<Field, 1, true>(all.ring, u, exchange, t);
  const uint64_t* ciphertext = task.ciphertexts + answer * task.stride;
  const auto load = [&](uint32_t part, uint32_t k) {
    const size_t at = part * kDegree + bottom_place(t, k);
    return add_canonical(ciphertext[at], product_with_key<Field>(u[0][k], all.zero[at]));
  };
  write_answer<Field>(all.ring, shared, load, task.masks.noises + answer * kDegree, task.masks.floods + answer * task.places.count, task.places, task.bits, task.out + answer * all.record_bytes);
}

}  // namespace

AnswerMasks::~AnswerMasks() {
  ternaries_.wipe_all();
  noises_.wipe_all();
  floods_.wipe_all();
}

int32_t AnswerMasks::allocate(uint32_t answers, uint32_t useful) {
  useful_ = useful;
  const size_t ring = size_t(answers) * kDegree;
  return ternaries_.allocate(ring) && noises_.allocate(ring) && floods_.allocate(size_t(answers) * useful) ? SOTTO_OK : out_of_memory("the masks of answers");
}

uint64_t* AnswerMasks::draw(uint32_t answer, RandomSource& random) {
  const size_t ring = size_t(answer) * kDegree;
  uint64_t* flood = floods_.data() + size_t(answer) * useful_;
  return draw_answer_mask(random, useful_, ternaries_.data() + ring, noises_.data() + ring, flood) ? flood : nullptr;
}

void DeviceMasks::take(Slices& slices, uint32_t answers, uint32_t useful) {
  ternaries = slices.take<uint8_t>(size_t(answers) * kDegree);
  noises = slices.take<uint64_t>(size_t(answers) * kDegree);
  floods = slices.take<uint64_t>(size_t(answers) * useful);
}

int32_t DeviceMasks::upload(Lane& lane, const AnswerMasks& masks) {
  if (const int32_t status = lane.upload(ternaries, masks.ternaries().data(), masks.ternaries().size())) return status;
  if (const int32_t status = lane.upload(noises, masks.noises().data(), masks.noises().size() * sizeof(uint64_t))) return status;
  return lane.upload(floods, masks.floods().data(), masks.floods().size() * sizeof(uint64_t));
}

size_t evaluation_key_bytes(const sotto_evaluation_keys& keys) { return (keys.transformed.size() + keys.zero.size()) * sizeof(uint64_t); }

int32_t acquire_evaluation_keys(Lane& lane, const sotto_evaluation_keys& keys, ResidentUse& use) {
  return use.acquire(keys.id, Part::whole, evaluation_key_bytes(keys), [&](void* memory) {
    uint64_t* words = static_cast<uint64_t*>(memory);
    if (const int32_t status = upload_as_keys(lane, keys.transformed.data(), keys.transformed.size() / kDegree, words)) return status;
    return upload_as_keys(lane, keys.zero.data(), keys.zero.size() / kDegree, words + keys.transformed.size());
  });
}

int32_t finish_answers(Lane& lane, const FinishTask& task) {
  return with_field(lane.gpu(), [&](auto field) {
    using Field = decltype(field);
    const auto* zero = static_cast<const typename Field::Key*>(task.evaluation_keys) + Context::kLogDegree * sotto_evaluation_keys::key_words();
    const FinishArguments<Field> arguments = {lane.gpu().constants<Field>(), zero, task, compressed_bytes(task.places.count, task.bits)};
    return lane.status(launch(finish<Field>, task.answers, kTransformThreads, kAnswerShared, lane.stream(), arguments), "finishing answers");
  });
}

namespace {

/// Bytes of ciphertexts of a run.
constexpr size_t kRunBytes = size_t(256) << 20;

uint64_t records_per_run(const Device&, const AnswersBatch& batch) { return std::max<uint64_t>(1, kRunBytes / (batch.shape.count * kCiphertextWords * sizeof(uint64_t))); }

int32_t run_answers(Device& device, const AnswersBatch& batch, uint64_t first, uint64_t count64) {
  const uint32_t count = batch.shape.count, packs = uint32_t(count64), levels = ceil_log2(count);
  const size_t lwe_words = count * kLweWords, record_bytes = lwe_answer_bytes(count, batch.shape.answer_bits);
  AnswerMasks masks;
  if (const int32_t status = masks.allocate(packs, count)) return status;
  for (uint32_t i = 0; i < packs; i++) {
    RandomSource random(batch.seed, lwe_answer_nonce(first + i));
    if (!masks.draw(i, random)) return out_of_memory("random numbers");
  }
  LaneUse lane(device);
  if (const int32_t status = lane.ready()) return status;
  ResidentUse keys(*lane);
  if (const int32_t status = acquire_evaluation_keys(*lane, *batch.keys, keys)) return status;
  uint32_t* lwe = nullptr;
  uint64_t* ciphertexts = nullptr;
  uint8_t* answers = nullptr;
  DeviceMasks on_device = {};
  const int32_t reserved = lane->reserve([&](Slices& slices) {
    lwe = slices.take<uint32_t>(packs * lwe_words);
    ciphertexts = slices.take<uint64_t>(size_t(packs) * count * kCiphertextWords);
    answers = slices.take<uint8_t>(packs * record_bytes);
    on_device.take(slices, packs, count);
  });
  if (reserved) return reserved;
  for (uint32_t i = 0; i < packs; i++)
    if (const int32_t status = lane->upload(lwe + i * lwe_words, batch.lwe + (first + i) * batch.shape.row_stride * kLweWords, lwe_words * sizeof(uint32_t))) return status;
  if (const int32_t status = on_device.upload(*lane, masks)) return status;
  if (const int32_t status = embed_lwe(*lane, lwe, packs * count, levels, ciphertexts)) return status;
  if (const int32_t status = pack(*lane, {keys.as<void>(), 0, count, packs, ciphertexts})) return status;
  const AnswerPlaces places = {count, 0, kDegree, kDegree >> levels};
  if (const int32_t status = finish_answers(*lane, {keys.as<void>(), ciphertexts, count * kCiphertextWords, on_device, places, batch.shape.answer_bits, packs, answers})) return status;
  return lane->download(batch.answers + first * record_bytes, answers, packs * record_bytes);
}

}  // namespace

void add_answers(DeviceOperations& operations) { operations.answers = {run_answers, records_per_run, true}; }

}  // namespace sotto::cuda
