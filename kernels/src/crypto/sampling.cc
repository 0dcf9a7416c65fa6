#include "crypto/sampling.hpp"

#include <string.h>

#include "core/modular.hpp"
#include "crypto/context.hpp"

namespace sotto {

void expand_mask(const uint8_t seed[32], uint64_t index, uint64_t* mask) {
  constexpr uint64_t kLowBits = (uint64_t(1) << Context::kModulusBits) - 1;
  ChaCha20 stream(seed, Nonce{index, 0});
  uint64_t words[512];
  for (size_t filled = 0; filled < kDegree;) {
    stream.blocks(reinterpret_cast<uint8_t*>(words), sizeof words / 64);
    for (size_t i = 0; i < 512 && filled < kDegree; i++) {
      mask[filled] = words[i] & kLowBits;
      filled += mask[filled] < kModulus;
    }
  }
}

bool sample_ternary(RandomSource& random, uint8_t* values, size_t count) {
  uint8_t bytes[256];
  for (size_t filled = 0; filled < count;) {
    if (!random.fill(bytes, sizeof bytes)) return false;
    for (size_t i = 0; i < sizeof bytes && filled < count; i++) {
      values[filled] = uint8_t(bytes[i] - 3 * ((bytes[i] * 171u) >> 9));  // remainder by 3 for bytes
      filled += bytes[i] != 255;
    }
  }
  wipe(bytes, sizeof bytes);
  return true;
}

bool add_noise(RandomSource& random, uint64_t* out) {
  constexpr uint32_t kBoundLog = Context::kParameters.noise_bound_log;
  static_assert(kBoundLog + 2 <= 8, "one byte a sample");
  uint8_t bytes[kDegree];
  if (!random.fill(bytes, sizeof bytes)) return false;
  for (size_t i = 0; i < kDegree; i++) {
    const int64_t word = bytes[i] & ((1 << (kBoundLog + 2)) - 1);
    const int64_t noise = (word >> 1) + (word & 1) - (1 << kBoundLog);
    out[i] = add_mod(out[i], residue(noise, kModulus), kModulus);
  }
  wipe(bytes, sizeof bytes);
  return true;
}

}  // namespace sotto
