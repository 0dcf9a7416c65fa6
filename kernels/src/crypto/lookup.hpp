// The lookup (programmable bootstrap) on batches: key switch to the small secret, modulus switch, blind rotation, extraction.
#pragma once

#include "crypto/lookup_keys.hpp"

namespace sotto {

/// Words of a ring lwe on the 32-bit torus: N mask words, the body.
constexpr size_t kLweWords = size_t(kDegree) + 1;
/// Words of an lwe under the small secret.
constexpr size_t kSmallLweWords = size_t(kSmallDimension) + 1;
/// Lookups that share one pass over the keys: their accumulators stay in the second-level cache.
constexpr uint32_t kTile = 16;

/// Coefficient `position` of a ciphertext (a, b) as lwe, switched to the 32-bit torus: N mask words and the body.
void extract_u32(const uint64_t* a, const uint64_t* b, uint32_t position, uint32_t* lwe);

/// count <= kTile lwe under s -> lwe under z (rows of kSmallRowWords). Digits base 2^base_log, signed, of the mask rounded to base_log * level_count bits.
void switch_to_small(const sotto_lookup_keys& keys, const uint32_t* lwe, uint32_t count, uint32_t* small);

/// round(x 2N / 2^32) mod 2N for the n mask words and the body.
void switch_to_exponents(const uint32_t* small, uint32_t* exponents);

/// Accumulators of count <= kTile lookups, coefficient order, in place: in (0, table X^-b), out the encryption of table X^-phase.
/// exponents: count rows of kSmallRowWords; scratch of rotate_scratch_words().
void blind_rotate(const Context& context, const sotto_lookup_keys& keys, const uint32_t* exponents, uint32_t count, uint64_t* accumulators, uint64_t* scratch);
size_t rotate_scratch_words(const sotto_lookup_keys& keys);

/// out_i = table_(indices_i)(phase of lwe_i), i < count, as lwe on the 32-bit torus.
int32_t submit_lookup(Context& context, const sotto_lookup_keys& keys, const uint32_t* lwe, uint64_t count, const uint64_t* tables, const uint32_t* indices, uint32_t thread_count, uint32_t* out,
                      Job** job);

}  // namespace sotto
