// The end of private answers on a device: randomised (crypto/answer_mask.hpp), switched and packed, so that only answers come back.
#pragma once

#include "backend/cuda/answer.cuh"
#include "backend/cuda/lane.cuh"
#include "core/random_source.hpp"
#include "crypto/answer_mask.hpp"

namespace sotto::cuda {

/// What the host draws for a batch of answers of `useful` coefficients; wiped when it goes.
class AnswerMasks {
 public:
  ~AnswerMasks();
  int32_t allocate(uint32_t answers, uint32_t useful);
  /// Draws those of one answer; its flood, to which the caller may add, or null without randomness.
  uint64_t* draw(uint32_t answer, RandomSource& random);

  const Buffer<uint8_t>& ternaries() const { return ternaries_; }
  const Buffer<uint64_t>& noises() const { return noises_; }
  const Buffer<uint64_t>& floods() const { return floods_; }

 private:
  uint32_t useful_ = 0;
  Buffer<uint8_t> ternaries_;
  Buffer<uint64_t> noises_, floods_;
};

/// Device memory of the masks.
struct DeviceMasks {
  uint8_t* ternaries;
  uint64_t *noises, *floods;
  void take(Slices& slices, uint32_t answers, uint32_t useful);
  int32_t upload(Lane& lane, const AnswerMasks& masks);
};

/// Keys of evaluation resident on a device, the encryption of zero behind them.
size_t evaluation_key_bytes(const sotto_evaluation_keys& keys);
int32_t acquire_evaluation_keys(Lane& lane, const sotto_evaluation_keys& keys, ResidentUse& use);

struct FinishTask {
  const void* evaluation_keys;
  const uint64_t* ciphertexts;  // transformed
  size_t stride;                // words from one to the next
  DeviceMasks masks;
  AnswerPlaces places;
  uint32_t bits, answers;
  uint8_t* out;  // one after the other
};
int32_t finish_answers(Lane& lane, const FinishTask& task);

}  // namespace sotto::cuda
