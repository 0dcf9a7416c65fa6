#include "crypto/lookup_switch.hpp"

namespace sotto {
namespace {

constexpr uint32_t kLevels = kSwitchGadget.level_count, kBaseLog = kSwitchGadget.base_log, kBase = 1u << kBaseLog;

/// Half a base in every digit: raised by it, digits are bit fields.
constexpr uint32_t raised() {
  uint32_t sum = 0;
  for (uint32_t level = 0; level < kLevels; level++) sum = sum << kBaseLog | kBase / 2;
  return sum;
}

/// Minus the signed digits of the mask, most significant first: x ~ sum_j d_j 2^(32 - base_log (j + 1)), d_j in [-B/2, B/2); the torus is a circle, so carries out of
/// the top are dropped.
void negated_digits(const uint32_t* mask, int8_t* digits) {
  constexpr uint32_t kDropped = 32 - kLevels * kBaseLog;
  static_assert(kDropped > 0 && kBaseLog <= 7);
  for (uint32_t j = 0; j < kDegree; j++) {
    const uint32_t fields = ((mask[j] + (1u << (kDropped - 1))) >> kDropped) + raised();
    for (uint32_t level = 0; level < kLevels; level++) digits[j * kLevels + level] = int8_t(kBase / 2 - (fields >> (kBaseLog * (kLevels - 1 - level)) & (kBase - 1)));
  }
}

constexpr size_t kDigitBytes = matmul_row_tile * size_t(kSwitchRows);

}  // namespace

size_t switch_scratch_words(const sotto_lookup_keys& keys, uint32_t count) { return (kDigitBytes + keys.matmul->left_bytes(count, kSwitchRows) + 7) / 8; }

void switch_to_small(const sotto_lookup_keys& keys, const uint32_t* lwe, uint32_t count, uint32_t* small, uint64_t* scratch) {
  static_assert(kDigitBytes % 64 == 0);
  const MatmulKernels& kernels = *keys.matmul;
  const SmallSet& set = keys.small();
  const uint32_t stride = small_row_words(set);
  int8_t* digits = reinterpret_cast<int8_t*>(scratch);
  uint8_t* left = reinterpret_cast<uint8_t*>(scratch) + kDigitBytes;
  for (uint32_t first = 0; first < count; first += matmul_row_tile) {
    const uint32_t rows = uint32_t(count - first < matmul_row_tile ? count - first : matmul_row_tile);
    for (uint32_t i = 0; i < rows; i++) negated_digits(lwe + (first + i) * kLweWords, digits + size_t(i) * kSwitchRows);
    kernels.prepare_left(digits, kSwitchRows, rows, kSwitchRows, left + kernels.left_bytes(first, kSwitchRows));
  }
  kernels.multiply({left, keys.switching.data(), kSwitchRows, 0, count, 0, small_words(set), small, stride});
  for (uint32_t i = 0; i < count; i++) small[size_t(i) * stride + set.dimension] += lwe[i * kLweWords + kDegree];
}

void switch_to_exponents(const SmallSet& set, const uint32_t* small, uint32_t values_log, uint32_t* exponents) {
  const uint32_t dropped = 32 - (Context::kLogDegree + 1) + values_log;
  const auto rounded = [dropped](uint32_t word) { return (word + (1u << (dropped - 1))) >> dropped; };  // wraps to 0 at the top
  int64_t drift = 0;
  for (uint32_t i = 0; i < set.dimension; i++) {
    const uint32_t position = rounded(small[i]);
    drift += int32_t((position << dropped) - small[i]);
    exponents[i] = position << values_log;
  }
  exponents[set.dimension] = rounded(small[set.dimension] + uint32_t(drift / (int64_t(set.block) + 1))) << values_log;
}

}  // namespace sotto
