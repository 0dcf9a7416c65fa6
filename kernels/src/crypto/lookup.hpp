// The lookup (programmable bootstrap) on batches: key switch to the small secret, modulus switch, blind rotation, extraction.
#pragma once

#include "crypto/lookup_switch.hpp"

namespace sotto {

/// Lookups that share one pass over the rotation key: their accumulators stay in the second-level cache.
constexpr uint32_t kTile = 16;
static_assert(kSwitchTile % kTile == 0);
/// Most tables of one rotation: 2^kValuesLogMax.
constexpr uint32_t kValuesLogMax = 3;

/// Coefficient `position` of a ciphertext (a, b) as lwe, switched to the 32-bit torus: N mask words and the body.
void extract_u32(const uint64_t* a, const uint64_t* b, uint32_t position, uint32_t* lwe);
/// The same mod q.
void extract_u64(const uint64_t* a, const uint64_t* b, uint32_t position, uint64_t* lwe);

/// Where a rotation starts: (0, table X^-body), body the last of the exponents.
void start_accumulator(const Context& context, const uint64_t* table, uint32_t body, uint64_t* accumulator);
/// Accumulators of count <= kTile lookups, coefficient order, in place: from what start_accumulator makes to the encryption of table X^-phase.
/// exponents: count rows of small_row_words(); scratch of rotate_scratch_words().
void blind_rotate(const Context& context, const sotto_lookup_keys& keys, const uint32_t* exponents, uint32_t count, uint64_t* accumulators, uint64_t* scratch);
size_t rotate_scratch_words(const sotto_lookup_keys& keys);

enum class LookupModulus : uint32_t { torus32 = 0, ring = 1 };

/// Several tables on one rotation (Chillotti, Ligier, Orfila, Tap, "Improved programmable bootstrapping with larger precision", ASIACRYPT 2021): coefficient f 2^v + i
/// of a table polynomial belongs to table i; exponents are multiples of 2^v, so that coefficient i of the accumulator is the value of table i.
struct LookupBatch {
  const uint32_t* lwe;
  uint64_t count;
  const uint64_t* tables;
  const uint32_t* indices;
  uint32_t values_log;
  LookupModulus modulus;
  void* results;  // value i of lookup l at l 2^v + i: kLweWords words each, of 4 or 8 bytes

  size_t lwe_bytes() const { return kLweWords * (modulus == LookupModulus::ring ? sizeof(uint64_t) : sizeof(uint32_t)); }
  size_t result_bytes() const { return (size_t(count) << values_log) * lwe_bytes(); }
};
/// Lookups of one item of a job, whose key switches share a pass over the key: several tiles only where there are so many that no worker waits long at the end.
uint32_t lookup_item_count(uint64_t count, uint32_t workers);
/// item_count: a multiple of kTile, at most kSwitchTile; the results do not depend on it.
int32_t submit_lookup(Context& context, const sotto_lookup_keys& keys, const LookupBatch& batch, uint32_t item_count, uint32_t thread_count, Job** job);

}  // namespace sotto
