// ChaCha20 (RFC 8439): the stream behind public masks, blinding factors and test seeds.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace sotto {

/// Nonce of this project: a 64-bit index and a 32-bit domain, little-endian.
struct Nonce {
  uint64_t index;
  uint32_t domain;
};

class ChaCha20 {
 public:
  ChaCha20(const uint8_t key[32], Nonce nonce, uint32_t counter = 0);
  ChaCha20(const uint8_t key[32], const uint8_t nonce[12], uint32_t counter);
  ~ChaCha20();
  /// The next `count` blocks of 64 bytes; count is any number, several blocks run side by side.
  void blocks(uint8_t* out, size_t count);

 private:
  uint32_t state_[16];
};

/// Words drawn one by one from a ChaCha20 stream.
class RandomWords {
 public:
  RandomWords(const uint8_t key[32], Nonce nonce) : stream_(key, nonce) {}
  uint32_t next32() {
    if (at_ == sizeof buffer_ / 4) refill();
    return buffer_[at_++];
  }
  /// Uniform in [0, bound), 0 < bound <= 2^31, by rejection.
  uint32_t uniform(uint32_t bound) {
    const uint32_t limit = uint32_t((uint64_t(1) << 32) / bound * bound - 1);
    uint32_t word = next32();
    while (word > limit) word = next32();
    return word % bound;
  }

 private:
  void refill() {
    stream_.blocks(reinterpret_cast<uint8_t*>(buffer_), sizeof buffer_ / 64);
    at_ = 0;
  }
  ChaCha20 stream_;
  uint32_t buffer_[256];
  size_t at_ = 256;
};

}  // namespace sotto
