#include "crypto/lwe_answers.hpp"

#include <string.h>

#include <algorithm>
#include <new>

#include "backend/cuda/device_job.hpp"
#include "core/modular.hpp"
#include "core/status.hpp"
#include "crypto/compression.hpp"
#include "crypto/pack.hpp"

namespace sotto {

uint32_t lwe_answer_position(uint32_t count, uint32_t i) { return i * (kDegree >> ceil_log2(count)); }

size_t lwe_answer_bytes(uint32_t count, uint32_t bits) { return compressed_bytes(count, bits); }

uint64_t torus_to_ring(uint32_t x) {
  constexpr uint64_t kHigh = kModulus >> 32, kLow = uint32_t(kModulus);
  return x * kHigh + ((x * kLow + (uint64_t(1) << 31)) >> 32);
}

Nonce lwe_answer_nonce(uint64_t item) {
  constexpr uint32_t kLweMask = 0x61000000;  // domain of the seed
  return {item, kLweMask};
}

namespace {

// One item: one record.
class LweAnswersJob final : public Job {
 public:
  LweAnswersJob(const Context& context, const sotto_evaluation_keys& keys, const uint32_t* lwe, const sotto_lwe_answers_shape& shape, const uint8_t seed[32], uint8_t* answers)
      : context_(context), keys_(keys), lwe_(lwe), shape_(shape), answers_(answers), divisor_(inverse_power_of_two(ceil_log2(shape.count))) {
    memcpy(seed_, seed, sizeof seed_);
  }
  ~LweAnswersJob() override { wipe(seed_, sizeof seed_); }

  int32_t run(uint64_t item, Workspace& workspace) override {
    const uint32_t count = shape_.count;
    uint64_t* packed = workspace.words(pack_workspace_words(count) + (count + 1) / 2);
    if (!packed) return SOTTO_OUT_OF_MEMORY;
    uint32_t* positions = reinterpret_cast<uint32_t*>(packed + pack_workspace_words(count));
    for (uint32_t i = 0; i < count; i++) positions[i] = lwe_answer_position(count, i);
    const uint32_t* lwe = lwe_ + item * shape_.row_stride * kLweWords;
    auto input = [&](uint64_t i, uint64_t* out) { to_ciphertext(lwe + i * kLweWords, out); };
    PackTree<decltype(input)>(context_, keys_, 0, count, input).run(packed);
    if (cancelled()) return fail(SOTTO_CANCELLED, "cancelled");
    RandomSource random(seed_, lwe_answer_nonce(item));
    if (!randomise_answer(context_, keys_, random, positions, count, packed)) return SOTTO_OUT_OF_MEMORY;
    compress(packed, packed + kDegree, shape_.answer_bits, positions, count, answers_ + item * lwe_answer_bytes(count, shape_.answer_bits));
    return SOTTO_OK;
  }

 private:
  // The ciphertext whose coefficient 0 is the lwe (the inverse of the extraction), divided by 2^merge_levels, transformed.
  void to_ciphertext(const uint32_t* lwe, uint64_t* out) const {
    if (cancelled()) return;  // the answer is discarded
    const auto divided = [&](uint32_t word) { return multiply_mod(torus_to_ring(word), divisor_, kModulus); };
    out[0] = divided(lwe[0]);
    for (uint32_t j = 1; j < kDegree; j++) out[kDegree - j] = negate_mod(divided(lwe[j]), kModulus);
    context_.ring.forward(out);
    std::fill_n(out + kDegree, kDegree, divided(lwe[kDegree]));  // the transform of a constant
  }

  const Context& context_;
  const sotto_evaluation_keys& keys_;
  const uint32_t* lwe_;
  const sotto_lwe_answers_shape shape_;
  uint8_t* answers_;
  const uint64_t divisor_;
  uint8_t seed_[32];
};

}  // namespace

int32_t submit_lwe_answers(Context& context, const sotto_evaluation_keys& keys, const uint32_t* lwe, const sotto_lwe_answers_shape& shape, const uint8_t seed[32], uint8_t* answers, Job** job) {
  if (const auto* operation = on_device(context, &DeviceOperations::answers)) {
    AnswersBatch batch = {&keys, lwe, shape, {}, answers};
    memcpy(batch.seed, seed, sizeof batch.seed);
    const int32_t status = submit_on_device(context, *operation, batch, shape.record_count, shape.thread_count, job);
    wipe(batch.seed, sizeof batch.seed);
    return status;
  }
  auto* created = new (std::nothrow) LweAnswersJob(context, keys, lwe, shape, seed, answers);
  if (!created) return out_of_memory("a job");
  context.pool.submit(*created, shape.record_count, shape.thread_count);
  *job = created;
  return SOTTO_OK;
}

}  // namespace sotto
