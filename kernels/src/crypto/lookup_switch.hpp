// The two switches before a rotation: of the key, from the ring secret to the small one, and of the modulus, from the torus to exponents of X.
#pragma once

#include "crypto/lookup_keys.hpp"

namespace sotto {

/// Words of a ring lwe: N mask words, the body.
constexpr size_t kLweWords = size_t(kDegree) + 1;
/// Lookups whose key switches share one pass over the switching key, at most: a multiple of the tile of rotations and of the row tile of products.
constexpr uint32_t kSwitchTile = 48;
static_assert(kSwitchTile % matmul_row_tile == 0);

/// count <= kSwitchTile lwe under s -> lwe under z, rows of small_row_words() whose padding is left as it was; a product of the digits, negated, with the switching key.
/// Digits base 2^base_log, signed, of the mask rounded to base_log * level_count bits. scratch: switch_scratch_words(keys, count).
void switch_to_small(const sotto_lookup_keys& keys, const uint32_t* lwe, uint32_t count, uint32_t* small, uint64_t* scratch);
size_t switch_scratch_words(const sotto_lookup_keys& keys, uint32_t count);

/// For the n mask words and the body: round(x 2N / 2^32) mod 2N, to multiples of 2^values_log. Rounding the mask moves the phase by -sum_i r_i z_i, of which the server knows the
/// mean over z, -sum_i r_i / (block + 1): the body takes it back before it is rounded, so that V = (1 + sum_i (z_i - 1 / (block + 1))^2) / 12 (2^32 2^values_log / 2N)^2.
void switch_to_exponents(const SmallSet& set, const uint32_t* small, uint32_t values_log, uint32_t* exponents);

}  // namespace sotto
