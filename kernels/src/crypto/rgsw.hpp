// Polynomials with small integer coefficients as rgsw, made with the secret or the public key, and the external product rgsw x rlwe.
#pragma once

#include "core/random_source.hpp"
#include "core/resident_id.hpp"
#include "crypto/secret_key.hpp"

namespace sotto {

/// Digits count from bit 0 (t = 0) and the top one is short: nothing of the other factor is rounded away.
constexpr Gadget kRgswGadget = {Context::kParameters.rgsw_base_log, Context::kParameters.rgsw_level_count};
/// Rows (a, b): for each gadget factor g_j = 2^(base_log (level_count - 1 - j)) one that encrypts -s m g_j, then for each one that encrypts m g_j.
constexpr uint32_t kRgswRows = 2 * kRgswGadget.level_count;
constexpr size_t kRgswWords = kRgswRows * kCiphertextWords;
/// |m_i| at most.
constexpr int32_t kRgswMessageMax = 1 << 15;

/// seeded: a 32-byte seed, then the bodies; mask r is polynomial r of the seed. expanded: every row's a and b. All at 50 bits.
enum class RgswRecord : uint32_t { seeded = 0, expanded = 1 };

}  // namespace sotto

struct sotto_rgsw {
  /// The rows, transformed and canonical: what sums are made of.
  sotto::Buffer<uint64_t> transformed;
  /// The same, prepared for products.
  sotto::Buffer<uint64_t> prepared;
  sotto::ResidentId id;

  bool allocate() { return transformed.allocate(sotto::kRgswWords) && prepared.allocate(sotto::kRgswWords); }
  const uint64_t* row(uint32_t row) const { return prepared.data() + row * sotto::kCiphertextWords; }
};

namespace sotto {

size_t rgsw_record_bytes(RgswRecord kind);
/// N messages -> a seeded record; false without randomness or memory.
bool encrypt_rgsw(const Context& context, const sotto_secret_key& key, const int32_t* messages, RandomSource& random, uint8_t* record);
/// The same with a public key (a seeded encryption of zero at 50 bits) -> an expanded record.
bool encrypt_rgsw_public(const Context& context, const uint8_t* public_key, const int32_t* messages, RandomSource& random, uint8_t* record);
/// rgsw is allocated. Any bytes decode to canonical rows.
bool load_rgsw(Context& context, RgswRecord kind, const uint8_t* record, sotto_rgsw& rgsw);
/// sum += other, an rgsw of the sum of both polynomials; exact.
bool add_rgsw(Context& context, sotto_rgsw& sum, const sotto_rgsw& other);

/// (a, b) in coefficient order -> m times its message, in coefficient order; result does not alias the ciphertext. scratch of kExternalScratchWords.
void external_product(const Context& context, const sotto_rgsw& rgsw, const uint64_t* ciphertext, uint64_t* result, uint64_t* scratch);
constexpr size_t kExternalScratchWords = (4 + kRgswGadget.level_count) * size_t(kDegree);

}  // namespace sotto
