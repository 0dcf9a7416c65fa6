#include "crypto/lookup_keys.hpp"

#include <string.h>

#include "backend/cuda/device_job.hpp"
#include "core/bits.hpp"
#include "core/modular.hpp"
#include "crypto/encryption.hpp"
#include "crypto/sampling.hpp"

namespace sotto {
namespace {

constexpr uint32_t kSwitchDomain = 0x6c776500;
constexpr size_t kSwitchBytes = size_t(kSwitchRows) * sizeof(uint32_t);

size_t body_bytes() { return packed_bytes(kDegree, Context::kModulusBits); }

/// The public mask of one row of the switching key, with its padding.
void expand_switch_mask(const SmallSet& set, const uint8_t seed[32], uint32_t row, uint32_t* mask) {
  ChaCha20(seed, Nonce{row, kSwitchDomain}).blocks(reinterpret_cast<uint8_t*>(mask), small_row_words(set) / 16);
}

/// TUniform(bound_log) mod 2^32 from 32 random bits; no branch.
uint32_t small_noise(uint32_t bound_log, uint32_t word) {
  const uint32_t low = word & ((1u << (bound_log + 2)) - 1);
  return (low >> 1) + (low & 1) - (1u << bound_log);
}

/// b = <a, z> + e + message for every row.
bool generate_switching(const SmallSet& set, const sotto_secret_key& key, const uint8_t* z, const uint8_t seed[32], RandomSource& random, uint8_t* out) {
  uint32_t mask[kSmallRowWordsMax], word;
  for (uint32_t row = 0; row < kSwitchRows; row++, out += sizeof word) {
    expand_switch_mask(set, seed, row, mask);
    if (!random.fill(&word, sizeof word)) return false;
    uint32_t body = small_noise(set.noise_bound_log, word);
    for (uint32_t i = 0; i < set.dimension; i++) body += mask[i] & -uint32_t(z[i]);
    const uint32_t level = row % kSwitchGadget.level_count, coefficient = key.coefficients[row / kSwitchGadget.level_count];
    const uint32_t value = coefficient - 3 * (coefficient >> 1);  // 2 -> -1 mod 2^32
    body += value << (32 - kSwitchGadget.base_log * (level + 1));
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

/// Row `row` of the switching key: the mask from the seed, the body from the payload.
void expand_switch_row(const SmallSet& set, const uint8_t* payload, uint32_t row, uint32_t* out) {
  expand_switch_mask(set, payload, row, out);
  memcpy(out + set.dimension, payload + Context::kSeedBytes + size_t(row) * sizeof(uint32_t), sizeof(uint32_t));
}

/// The rows expanded, then laid out for the products, a panel of columns an item.
bool load_switching(Context& context, const uint8_t* payload, sotto_lookup_keys& keys) {
  const SmallSet& set = keys.small();
  const MatmulKernels& kernels = *keys.matmul;
  const size_t stride = small_row_words(set), columns = small_words(set);
  Buffer<uint32_t> rows(size_t(kSwitchRows) * stride);
  if (!rows.ok() || !keys.switching.allocate(kernels.right_bytes(kSwitchRows, columns))) return false;
  const bool expanded = parallel_for(context.pool, kDegree, [&](uint64_t item, Workspace&) {
    for (uint32_t level = 0; level < kSwitchGadget.level_count; level++) {
      const uint32_t row = uint32_t(item) * kSwitchGadget.level_count + level;
      expand_switch_row(set, payload, row, rows.data() + row * stride);
    }
    return SOTTO_OK;
  }) == SOTTO_OK;
  return expanded && parallel_for(context.pool, (columns + matmul_column_tile - 1) / matmul_column_tile, [&](uint64_t item, Workspace&) {
    const size_t first = item * matmul_column_tile, width = columns - first < matmul_column_tile ? columns - first : matmul_column_tile;
    kernels.prepare_right(rows.data() + first, stride, kSwitchRows, width, keys.switching.data() + kernels.right_bytes(kSwitchRows, first));
    return SOTTO_OK;
  }) == SOTTO_OK;
}

bool load_rotation(Context& context, const PolyKernels& kernels, const uint8_t* payload, sotto_lookup_keys& keys) {
  const size_t row_count = size_t(keys.small().dimension) * keys.row_count();
  if (!keys.rotation.allocate(row_count * kCiphertextWords)) return false;
  return parallel_for(context.pool, row_count, [&](uint64_t item, Workspace&) {
    uint64_t* a = keys.rotation.data() + item * kCiphertextWords;
    expand_mask(payload, item, a);
    read_packed(payload + Context::kSeedBytes + kSwitchBytes + item * body_bytes(), Context::kModulusBits, a + kDegree);
    for (uint64_t* part : {a, a + kDegree}) {
      context.ring.forward(part);
      kernels.prepare_block_key(context.ring.tables(), part);
    }
    return SOTTO_OK;
  }) == SOTTO_OK;
}

}  // namespace

bool sample_block_binary(const SmallSet& set, RandomSource& random, uint8_t* secret) {
  static_assert(params::lwe_840_block3.block == 3 && params::lwe_880_binary.block == 1, "block + 1 is a power of two: so many random bits choose among the states of a block");
  uint8_t bytes[kSmallRowWordsMax];
  const uint32_t block_count = set.dimension / set.block;
  if (!random.fill(bytes, block_count)) return false;
  for (uint32_t block = 0; block < block_count; block++)
    for (uint32_t i = 0; i < set.block; i++) secret[set.block * block + i] = uint8_t((bytes[block] & set.block) == i + 1);
  wipe(bytes, sizeof bytes);
  return true;
}

size_t lookup_keys_payload_bytes(uint32_t setting) {
  return Context::kSeedBytes + kSwitchBytes + size_t(small_set(setting).dimension) * 2 * lookup_gadget(setting).level_count * body_bytes();
}

bool generate_lookup_keys(Context& context, const sotto_secret_key& key, uint32_t setting, RandomSource& random, uint8_t* payload) {
  const SmallSet& set = small_set(setting);
  const Gadget gadget = lookup_gadget(setting);
  const uint32_t rows = 2 * gadget.level_count;
  Buffer<uint64_t> memory(kCiphertextWords);
  uint8_t z[kSmallRowWordsMax];
  bool good = memory.ok() && sample_block_binary(set, random, z) && random.fill(payload, Context::kSeedBytes);
  good = good && generate_switching(set, key, z, payload, random, payload + Context::kSeedBytes);
  for (uint32_t bit = 0; good && bit < set.dimension; bit++)
    for (uint32_t row = 0; good && row < rows; row++) {
      const uint64_t index = uint64_t(bit) * rows + row;
      good = generate_rotation_row(context, key, gadget, row, z[bit], payload, index, random, memory.data(), payload + Context::kSeedBytes + kSwitchBytes + index * body_bytes());
    }
  wipe(z, sizeof z);
  memory.wipe_all();
  return good;
}

bool load_lookup_keys(Context& context, const uint8_t* payload, sotto_lookup_keys& keys) {
  const bool device = on_device(context, &DeviceOperations::rotation);
  keys.matmul = device ? &ref_matmul_kernels() : select_matmul_kernels(context.ring.kernels().name);
  return load_switching(context, payload, keys) && load_rotation(context, device ? ref_kernels() : context.ring.kernels(), payload, keys);
}

}  // namespace sotto
