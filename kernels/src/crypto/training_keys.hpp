// Keys of training: gadget encryptions of the images of -s under the conjugation X -> X^-1 and the automorphisms X -> X^(2^j + 1),
// with more levels than the keys of trees have: what they switch is added to weights again and again.
#pragma once

#include "core/random_source.hpp"
#include "core/resident_id.hpp"
#include "crypto/secret_key.hpp"

namespace sotto {

constexpr Gadget kTrainingGadget = {Context::kParameters.training_pack_base_log, Context::kParameters.training_pack_level_count};
/// Automorphisms by index: 0 is the conjugation, j from 1 to log2 N is X -> X^(2^j + 1).
constexpr uint32_t kConjugation = 0;
constexpr uint32_t kTrainingKeyCount = Context::kLogDegree + 1;

}  // namespace sotto

struct sotto_training_keys {
  /// kTrainingKeyCount keys of level_count (a, b) pairs, by index, transformed and prepared.
  sotto::Buffer<uint64_t> prepared;
  /// The same canonical, where devices take copies; else empty.
  sotto::Buffer<uint64_t> transformed;
  sotto::ResidentId id;

  const uint64_t* key(uint32_t index) const { return prepared.data() + size_t(index) * sotto::kTrainingGadget.level_count * sotto::kCiphertextWords; }
};

namespace sotto {

/// The automorphism of a polynomial in coefficient order; out does not alias x.
void apply_automorphism(const Ring& ring, uint32_t index, const uint64_t* x, uint64_t* out);

size_t training_keys_payload_bytes();
/// Seeded payload: a 32-byte seed, then bodies at 50 bits; gadget row i of key k has mask index k level_count + i and encrypts the image of -s times
/// 2^(t + base_log (level_count - 1 - i)). False without randomness or memory.
bool generate_training_keys(const Context& context, const sotto_secret_key& key, RandomSource& random, uint8_t* payload);
bool load_training_keys(Context& context, const uint8_t* payload, sotto_training_keys& keys);

/// (a, b) in coefficient order -> the automorphism of the same message under the same key, in coefficient order; scratch of kTrainingScratchWords.
void training_automorphism(const Context& context, const sotto_training_keys& keys, uint32_t index, const uint64_t* ciphertext, uint64_t* result, uint64_t* scratch);
constexpr size_t kTrainingScratchWords = (kTrainingGadget.level_count + 2) * size_t(kDegree);

}  // namespace sotto
