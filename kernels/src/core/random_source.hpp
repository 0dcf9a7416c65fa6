// Where secrets and noise come from: the operating system's generator, or a seed in known-answer tests.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/buffer.hpp"
#include "core/chacha20.hpp"

namespace sotto {

class RandomSource {
 public:
  /// seed: 32 bytes (known-answer tests only) or null.
  explicit RandomSource(const uint8_t* seed);
  /// The stream of a secret seed and a nonce: many independent sources from one seed.
  RandomSource(const uint8_t seed[32], Nonce nonce);
  ~RandomSource();
  RandomSource(const RandomSource&) = delete;

  /// False when the operating system gives no random bytes.
  bool fill(void* out, size_t size);

 private:
  bool refill();
  bool seeded_;
  ChaCha20 stream_;
  size_t at_;
  uint8_t buffer_[4096];
};

}  // namespace sotto
