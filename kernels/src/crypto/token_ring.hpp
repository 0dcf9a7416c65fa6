// The ring of encrypted tokens, Z[X]/(X^N + 1) mod 2^32, N = 1024 or 2048: its sets, secrets and masks. Token t of a block is coefficient t; a feature is a
// polynomial, b = a s + u + e.
#pragma once

#include <atomic>

#include "core/random_source.hpp"
#include "crypto/context.hpp"

/// A ternary s for one request: it encrypts once, and is wiped on release.
struct sotto_token_secret {
  const sotto::params::Tokens* set = nullptr;
  sotto::Buffer<uint64_t> transformed;  // s(X^(2048 / N)), transformed in the ring of degree 2048
  std::atomic<bool> used{false};

  ~sotto_token_secret() { transformed.wipe_all(); }
  /// False without randomness or memory.
  bool generate(const sotto::Context& context, const sotto::params::Tokens& set, sotto::RandomSource& random);
};

namespace sotto {

/// Words of mask polynomials come in blocks of the stream of this many.
constexpr uint32_t kMaskBlockWords = 16;
/// Domain of their nonces: no other stream of a seed.
constexpr uint32_t kTokenMaskDomain = 0x746f6b73;
constexpr uint32_t kTokenBitsMin = 8, kTokenBitsMax = 32;

/// The set of ring degree N, or null.
const params::Tokens* token_set(uint32_t degree);

/// Polynomials of N coefficients that one transform of the context's ring takes: p(X^2) + X r(X^2) for N = 1024.
constexpr uint32_t token_lanes(uint32_t degree) { return kDegree / degree; }

/// Words [first, first + count) of mask `index` of the seed, both multiples of kMaskBlockWords: the ChaCha20 stream with the index as nonce, little-endian words.
void expand_token_mask(const uint8_t seed[32], uint64_t index, uint32_t first, uint32_t count, uint32_t* words);

/// products = masks * s mod (X^N + 1, 2^32), token_lanes polynomials side by side (2048 words), exactly: coefficients over the integers are below N 2^32 <= 2^43 in
/// absolute value, and q / 2 is above. scratch: 2048 aligned words. products may be the masks.
void multiply_secret(const Context& context, const sotto_token_secret& secret, const uint32_t* masks, uint32_t* products, uint64_t* scratch);

/// words[i] += e_i mod 2^32, e_i TUniform of the set's bound; count <= 2048. No branch on e. False without randomness.
bool add_token_noise(const params::Tokens& set, RandomSource& random, uint32_t* words, uint32_t count);

}  // namespace sotto
