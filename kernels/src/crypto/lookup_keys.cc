#include "crypto/lookup_keys.hpp"

#include <string.h>

#include "core/bits.hpp"
#include "core/modular.hpp"
#include "crypto/encryption.hpp"
#include "crypto/sampling.hpp"

namespace sotto {
namespace {

constexpr uint32_t kSwitchDomain = 0x6c776500;
constexpr size_t kSwitchBytes = size_t(kSwitchRows) * sizeof(uint32_t);

size_t body_bytes() { return packed_bytes(kDegree, Context::kModulusBits); }

/// The public mask of one row of the switching key.
void expand_switch_mask(const uint8_t seed[32], uint32_t row, uint32_t* mask) {
  static_assert(kSmallRowWords % 16 == 0);
  ChaCha20(seed, Nonce{row, kSwitchDomain}).blocks(reinterpret_cast<uint8_t*>(mask), kSmallRowWords / 16);
}

/// TUniform(noise_bound_log) mod 2^32 from 32 random bits; no branch.
uint32_t small_noise(uint32_t word) {
  constexpr uint32_t kBits = kLwe.noise_bound_log + 2;
  const uint32_t low = word & ((1u << kBits) - 1);
  return (low >> 1) + (low & 1) - (1u << kLwe.noise_bound_log);
}

/// b = <a, z> + e + message for every row.
bool generate_switching(const sotto_secret_key& key, const uint8_t* z, const uint8_t seed[32], RandomSource& random, uint8_t* out) {
  uint32_t mask[kSmallRowWords], word;
  for (uint32_t row = 0; row < kSwitchRows; row++, out += sizeof word) {
    expand_switch_mask(seed, row, mask);
    if (!random.fill(&word, sizeof word)) return false;
    uint32_t body = small_noise(word);
    for (uint32_t i = 0; i < kSmallDimension; i++) body += mask[i] & -uint32_t(z[i]);
    const uint32_t level = row % kLwe.keyswitch_level_count, coefficient = key.coefficients[row / kLwe.keyswitch_level_count];
    const uint32_t value = coefficient - 3 * (coefficient >> 1);  // 2 -> -1 mod 2^32
    body += value << (32 - kLwe.keyswitch_base_log * (level + 1));
    memcpy(out, &body, sizeof body);
  }
  wipe(&word, sizeof word);
  return true;
}

/// Message of row r of a bit: factor times -s (first half) or 1 (second half).
uint64_t gadget_factor(Gadget gadget, uint32_t level) {
  return uint64_t(1) << (Context::kModulusBits - gadget.base_log * (level + 1));
}

bool generate_rotation_row(const Context& context, const sotto_secret_key& key, Gadget gadget, uint32_t row, uint64_t bit, const uint8_t seed[32], uint64_t index, RandomSource& random,
                           uint64_t* memory, uint8_t* out) {
  uint64_t *a = memory, *b = a + kDegree;
  expand_mask(seed, index, a);
  if (!encrypt_zero(context, key, random, a, b)) return false;
  const uint64_t factor = gadget_factor(gadget, row % gadget.level_count) & -bit;
  if (row < gadget.level_count)
    for (uint32_t i = 0; i < kDegree; i++) b[i] = subtract_mod(b[i], multiply_mod(key.residues[i], factor, kModulus), kModulus);
  else b[0] = add_mod(b[0], factor, kModulus);
  BitWriter writer(out, kDegree, Context::kModulusBits);
  for (uint32_t i = 0; i < kDegree; i++) writer.put(b[i]);
  writer.finish();
  return true;
}

}  // namespace

bool sample_block_binary(RandomSource& random, uint8_t* secret) {
  static_assert(kLwe.block == 3 && kSmallDimension % 3 == 0, "two random bits choose among the four states of a block");
  uint8_t bytes[kSmallDimension / 3];
  if (!random.fill(bytes, sizeof bytes)) return false;
  for (uint32_t block = 0; block < sizeof bytes; block++)
    for (uint32_t i = 0; i < 3; i++) secret[3 * block + i] = uint8_t((bytes[block] & 3) == i + 1);
  wipe(bytes, sizeof bytes);
  return true;
}

size_t lookup_keys_payload_bytes(uint32_t setting) {
  return Context::kSeedBytes + kSwitchBytes + size_t(kSmallDimension) * 2 * lookup_gadget(setting).level_count * body_bytes();
}

bool generate_lookup_keys(Context& context, const sotto_secret_key& key, uint32_t setting, RandomSource& random, uint8_t* payload) {
  const Gadget gadget = lookup_gadget(setting);
  const uint32_t rows = 2 * gadget.level_count;
  Buffer<uint64_t> memory(kCiphertextWords);
  uint8_t z[kSmallDimension];
  bool good = memory.ok() && sample_block_binary(random, z) && random.fill(payload, Context::kSeedBytes);
  good = good && generate_switching(key, z, payload, random, payload + Context::kSeedBytes);
  for (uint32_t bit = 0; good && bit < kSmallDimension; bit++)
    for (uint32_t row = 0; good && row < rows; row++) {
      const uint64_t index = uint64_t(bit) * rows + row;
      good = generate_rotation_row(context, key, gadget, row, z[bit], payload, index, random, memory.data(), payload + Context::kSeedBytes + kSwitchBytes + index * body_bytes());
    }
  wipe(z, sizeof z);
  memory.wipe_all();
  return good;
}

bool load_lookup_keys(Context& context, const uint8_t* payload, sotto_lookup_keys& keys) {
  const size_t rotation_rows = size_t(kSmallDimension) * keys.row_count();
  if (!keys.switching.allocate(size_t(kSwitchRows) * kSmallRowWords) || !keys.rotation.allocate(rotation_rows * kCiphertextWords)) return false;
  return parallel_for(context.pool, rotation_rows + kDegree, [&](uint64_t item, Workspace&) {
    if (item >= rotation_rows) {
      for (uint32_t level = 0; level < kLwe.keyswitch_level_count; level++) {
        const uint32_t row = uint32_t(item - rotation_rows) * kLwe.keyswitch_level_count + level;
        uint32_t* out = keys.switching.data() + size_t(row) * kSmallRowWords;
        expand_switch_mask(payload, row, out);
        memcpy(out + kSmallDimension, payload + Context::kSeedBytes + size_t(row) * sizeof(uint32_t), sizeof(uint32_t));
        memset(out + kSmallDimension + 1, 0, (kSmallRowWords - kSmallDimension - 1) * sizeof(uint32_t));
      }
      return SOTTO_OK;
    }
    uint64_t* a = keys.rotation.data() + item * kCiphertextWords;
    expand_mask(payload, item, a);
    read_packed(payload + Context::kSeedBytes + kSwitchBytes + item * body_bytes(), Context::kModulusBits, a + kDegree);
    for (uint64_t* part : {a, a + kDegree}) {
      context.ring.forward(part);
      context.ring.kernels().prepare_block_key(context.ring.tables(), part);
    }
    return SOTTO_OK;
  }) == SOTTO_OK;
}

}  // namespace sotto
