// Keys of the lookup (programmable bootstrap): the switch from the ring secret s to a small block-binary secret z, and gadget encryptions of the bits of z under s.
// z lives only while the keys are made: nobody decrypts under it.
#pragma once

#include "core/random_source.hpp"
#include "crypto/secret_key.hpp"

namespace sotto {

inline constexpr const auto& kLwe = params::lwe_840_block3;
/// n, and words of one row of the switching key: the mask, the body, padding to whole cache lines.
constexpr uint32_t kSmallDimension = kLwe.dimension;
constexpr uint32_t kSmallRowWords = (kSmallDimension + 1 + 15) / 16 * 16;
/// Rows of the switching key: one for each coefficient of s and level.
constexpr uint32_t kSwitchRows = kDegree * kLwe.keyswitch_level_count;
constexpr uint32_t kSettingCount = 3;

/// Gadget of the rotation in setting 1 (small weights), 2 (wide layers) or 3 (training).
constexpr Gadget lookup_gadget(uint32_t setting) { return {Context::kParameters.lookup_base_log[setting - 1], Context::kParameters.lookup_level_count[setting - 1]}; }

/// n values 0 or 1: blocks of kLwe.block, each all zero or with one 1, all kLwe.block + 1 states equally likely.
bool sample_block_binary(RandomSource& random, uint8_t* secret);

}  // namespace sotto

struct sotto_lookup_keys {
  uint32_t setting;
  /// kSwitchRows rows of kSmallRowWords: row i levels + j encrypts s_i 2^(32 - base_log (j + 1)) under z.
  sotto::Buffer<uint32_t> switching;
  /// For each bit of z 2 level_count rows (a, b), transformed and prepared: first those that encrypt -s z_i g_j, then z_i g_j, g_j the gadget's factors.
  sotto::Buffer<uint64_t> rotation;

  uint32_t row_count() const { return 2 * sotto::lookup_gadget(setting).level_count; }
  const uint64_t* block(uint32_t first_bit) const { return rotation.data() + size_t(first_bit) * row_count() * sotto::kCiphertextWords; }
};

namespace sotto {

/// Payload: 32-byte seed, the bodies of the switching key (u32, row by row), the bodies of the rotation key at 50 bits (row by row). Masks: row r of the rotation key is
/// polynomial r of the seed, row r of the switching key the first n words of ChaCha20 with nonce (r, domain of the switching key).
size_t lookup_keys_payload_bytes(uint32_t setting);
bool generate_lookup_keys(Context& context, const sotto_secret_key& key, uint32_t setting, RandomSource& random, uint8_t* payload);
bool load_lookup_keys(Context& context, const uint8_t* payload, sotto_lookup_keys& keys);

}  // namespace sotto
