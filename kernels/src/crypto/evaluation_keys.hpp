// Evaluation keys of trees: for each level j = 1 .. log2 N a gadget encryption of -sigma_j(s), sigma_j: X -> X^(2^j + 1),
// and an encryption of zero (the public key) with which answers are randomised.
#pragma once

#include "core/random_source.hpp"
#include "core/resident_id.hpp"
#include "crypto/secret_key.hpp"

struct sotto_evaluation_keys {
  /// log2 N keys of level_count (a, b) pairs, transformed and prepared.
  sotto::Buffer<uint64_t> prepared;

  static constexpr size_t key_words() { return size_t(sotto::Context::kGadget.level_count) * sotto::kCiphertextWords; }
  const uint64_t* key(uint32_t level) const { return prepared.data() + (level - 1) * key_words(); }
  /// An encryption (a, b) of zero, transformed, not prepared.
  sotto::Buffer<uint64_t> zero;
  /// The keys transformed and canonical, where devices take copies; else empty.
  sotto::Buffer<uint64_t> transformed;
  sotto::ResidentId id;
};

namespace sotto {

size_t evaluation_keys_payload_bytes();

/// Seeded payload: the gadget row i of key j has mask index (j - 1) level_count + i and encrypts -sigma_j(s) 2^(t + base_log (level_count - 1 - i));
/// the encryption of zero follows, with the next index.
bool generate_evaluation_keys(const Context& context, const sotto_secret_key& key, RandomSource& random, uint8_t* payload);
bool load_evaluation_keys(Context& context, const uint8_t* payload, sotto_evaluation_keys& keys);

}  // namespace sotto
