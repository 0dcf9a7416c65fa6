// Keys of the lookup (programmable bootstrap): the switch from the ring secret s to a small block-binary secret z, and gadget encryptions of the bits of z under s.
// z lives only while the keys are made: nobody decrypts under it.
#pragma once

#include "core/random_source.hpp"
#include "core/resident_id.hpp"
#include "crypto/secret_key.hpp"
#include "poly/matmul.hpp"

namespace sotto {

using SmallSet = params::Lwe;

/// Settings 1 (small weights), 2 (wide layers) and 3 (training); 11, 12 and 13 are the same with uniform binary small keys.
constexpr uint32_t kTwinSettings = 10;
inline constexpr uint32_t kSettings[] = {1, 2, 3, kTwinSettings + 1, kTwinSettings + 2, kTwinSettings + 3};
constexpr bool is_setting(uint32_t setting) {
  for (uint32_t known : kSettings)
    if (setting == known) return true;
  return false;
}
constexpr const SmallSet& small_set(uint32_t setting) { return setting < kTwinSettings ? params::lwe_840_block3 : params::lwe_880_binary; }
/// Gadget of the rotation.
constexpr Gadget lookup_gadget(uint32_t setting) {
  const uint32_t index = setting % kTwinSettings - 1;
  return {Context::kParameters.lookup_base_log[index], Context::kParameters.lookup_level_count[index]};
}

/// Digits of the key switch, the same in every small set.
constexpr Gadget kSwitchGadget = {params::lwe_840_block3.keyswitch_base_log, params::lwe_840_block3.keyswitch_level_count};
static_assert(params::lwe_880_binary.keyswitch_base_log == kSwitchGadget.base_log && params::lwe_880_binary.keyswitch_level_count == kSwitchGadget.level_count);
/// Rows of the switching key: one for each coefficient of s and level.
constexpr uint32_t kSwitchRows = kDegree * kSwitchGadget.level_count;

/// Words of an lwe under the small secret of dimension n: the mask and the body.
constexpr uint32_t small_words(const SmallSet& set) { return set.dimension + 1; }
/// The same, padded to whole cache lines.
constexpr uint32_t small_row_words(const SmallSet& set) { return (set.dimension + 1 + 15) / 16 * 16; }
/// The largest of all sets.
constexpr uint32_t kSmallRowWordsMax = small_row_words(params::lwe_880_binary);
static_assert(small_row_words(params::lwe_840_block3) <= kSmallRowWordsMax);

/// n values 0 or 1: blocks of set.block, each all zero or with one 1, all set.block + 1 states equally likely.
bool sample_block_binary(const SmallSet& set, RandomSource& random, uint8_t* secret);

}  // namespace sotto

struct sotto_lookup_keys {
  sotto::ResidentId id;
  uint32_t setting = 0;
  const sotto::MatmulKernels* matmul = nullptr;
  /// kSwitchRows rows of n + 1 words, prepared as the right factor of a product: row i levels + j encrypts s_i 2^(32 - base_log (j + 1)) under z.
  sotto::Buffer<uint8_t> switching;
  /// For each bit of z 2 level_count rows (a, b), transformed and prepared: first those that encrypt -s z_i g_j, then z_i g_j, g_j the gadget's factors.
  /// With devices that rotate, both are in the reference's form, which is what devices take copies of.
  sotto::Buffer<uint64_t> rotation;

  const sotto::SmallSet& small() const { return sotto::small_set(setting); }
  uint32_t row_count() const { return 2 * sotto::lookup_gadget(setting).level_count; }
  const uint64_t* block(uint32_t first_bit) const { return rotation.data() + size_t(first_bit) * row_count() * sotto::kCiphertextWords; }
};

namespace sotto {

/// Payload: 32-byte seed, the bodies of the switching key (u32, row by row), the bodies of the rotation key at 50 bits (row by row). Masks: row r of the rotation key is
/// polynomial r of the seed, row r of the switching key the first n words of ChaCha20 with nonce (r, domain of the switching key).
size_t lookup_keys_payload_bytes(uint32_t setting);
bool generate_lookup_keys(Context& context, const sotto_secret_key& key, uint32_t setting, RandomSource& random, uint8_t* payload);
/// keys.setting is set; fills in the rest. False when there is no memory.
bool load_lookup_keys(Context& context, const uint8_t* payload, sotto_lookup_keys& keys);

}  // namespace sotto
