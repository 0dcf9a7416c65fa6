#include "crypto/lookup.hpp"

#include <string.h>

#include <new>

#include "core/modular.hpp"
#include "core/status.hpp"
#include "crypto/compression.hpp"

namespace sotto {

void extract_u32(const uint64_t* a, const uint64_t* b, uint32_t position, uint32_t* lwe) {
  // Coefficient p of a s is sum_j s_j a_(p - j), with a sign where p - j wraps.
  for (uint32_t j = 0; j <= position; j++) lwe[j] = uint32_t(switch_to_power_of_two(a[position - j], 32));
  for (uint32_t j = position + 1; j < kDegree; j++) lwe[j] = 0u - uint32_t(switch_to_power_of_two(a[kDegree + position - j], 32));
  lwe[kDegree] = uint32_t(switch_to_power_of_two(b[position], 32));
}

namespace {

constexpr uint32_t kLevels = kLwe.keyswitch_level_count, kBaseLog = kLwe.keyswitch_base_log;

/// sum += factor * row, n + 1 words and padding.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
__attribute__((target_clones("avx512f", "avx2", "default")))
#endif
void add_rows(uint32_t* sum, const uint32_t* rows, const uint32_t* factors) {
  for (uint32_t i = 0; i < kSmallRowWords; i++) {
    uint32_t value = sum[i];
    for (uint32_t level = 0; level < kLevels; level++) value += factors[level] * rows[level * kSmallRowWords + i];
    sum[i] = value;
  }
}

/// Minus the signed digits of x, most significant first, mod 2^32: x ~ sum_j d_j 2^(32 - base_log (j + 1)), d_j in [-B/2, B/2) (the first in [-B/2, B/2]).
void negated_digits(uint32_t x, uint32_t* factors) {
  constexpr uint32_t kDropped = 32 - kLevels * kBaseLog, kBase = 1u << kBaseLog;
  uint32_t rest = (x + (1u << (kDropped - 1))) >> kDropped;  // wraps to 0 at the top: the torus is a circle
  for (uint32_t level = kLevels; level-- > 0;) {
    const uint32_t digit = ((rest + kBase / 2) & (kBase - 1)) - kBase / 2;
    factors[level] = 0u - digit;
    rest = (rest - digit) >> kBaseLog;
  }
}

/// scratch and accumulators of a tile, aligned.
struct TileMemory {
  uint64_t *accumulators, *scratch;
  uint32_t *small, *exponents;
  static size_t words(const sotto_lookup_keys& keys) { return kTile * kCiphertextWords + rotate_scratch_words(keys) + kTile * kSmallRowWords; }
  TileMemory(uint64_t* memory, const sotto_lookup_keys& keys)
      : accumulators(memory), scratch(memory + kTile * kCiphertextWords), small(reinterpret_cast<uint32_t*>(scratch + rotate_scratch_words(keys))), exponents(small + kTile * kSmallRowWords) {}
};

// One item: one tile.
class LookupJob final : public Job {
 public:
  LookupJob(const Context& context, const sotto_lookup_keys& keys, const uint32_t* lwe, uint64_t count, const uint64_t* tables, const uint32_t* indices, uint32_t* out)
      : context_(context), keys_(keys), lwe_(lwe), count_(count), tables_(tables), indices_(indices), out_(out) {}

  int32_t run(uint64_t item, Workspace& workspace) override {
    uint64_t* words = workspace.words(TileMemory::words(keys_));
    if (!words) return SOTTO_OUT_OF_MEMORY;
    const TileMemory memory(words, keys_);
    const uint64_t first = item * kTile;
    const uint32_t count = uint32_t(count_ - first < kTile ? count_ - first : kTile);
    switch_to_small(keys_, lwe_ + first * kLweWords, count, memory.small);
    for (uint32_t i = 0; i < count; i++) {
      uint32_t* exponents = memory.exponents + size_t(i) * kSmallRowWords;
      uint64_t* accumulator = memory.accumulators + i * kCiphertextWords;
      switch_to_exponents(memory.small + size_t(i) * kSmallRowWords, exponents);
      memset(accumulator, 0, kDegree * sizeof(uint64_t));
      context_.ring.multiply_by_monomial((2 * kDegree - exponents[kSmallDimension]) % (2 * kDegree), tables_ + size_t(indices_[first + i]) * kDegree, accumulator + kDegree);
    }
    blind_rotate(context_, keys_, memory.exponents, count, memory.accumulators, memory.scratch);
    for (uint32_t i = 0; i < count; i++) {
      const uint64_t* accumulator = memory.accumulators + i * kCiphertextWords;
      extract_u32(accumulator, accumulator + kDegree, 0, out_ + (first + i) * kLweWords);
    }
    return SOTTO_OK;
  }

 private:
  const Context& context_;
  const sotto_lookup_keys& keys_;
  const uint32_t* lwe_;
  const uint64_t count_;
  const uint64_t* tables_;
  const uint32_t* indices_;
  uint32_t* out_;
};

}  // namespace

void switch_to_small(const sotto_lookup_keys& keys, const uint32_t* lwe, uint32_t count, uint32_t* small) {
  memset(small, 0, size_t(count) * kSmallRowWords * sizeof(uint32_t));
  for (uint32_t i = 0; i < count; i++) small[size_t(i) * kSmallRowWords + kSmallDimension] = lwe[i * kLweWords + kDegree];
  for (uint32_t j = 0; j < kDegree; j++) {
    const uint32_t* rows = keys.switching.data() + size_t(j) * kLevels * kSmallRowWords;
    for (uint32_t i = 0; i < count; i++) {
      uint32_t factors[kLevels];
      negated_digits(lwe[i * kLweWords + j], factors);
      add_rows(small + size_t(i) * kSmallRowWords, rows, factors);
    }
  }
}

void switch_to_exponents(const uint32_t* small, uint32_t* exponents) {
  constexpr uint32_t kShift = 32 - (Context::kLogDegree + 1);
  for (uint32_t i = 0; i <= kSmallDimension; i++) exponents[i] = ((small[i] + (1u << (kShift - 1))) >> kShift) & (2 * kDegree - 1);
}

size_t rotate_scratch_words(const sotto_lookup_keys& keys) { return (size_t(keys.row_count()) + 4) * kDegree; }

// Lee, Min, Seo, Song, "Faster TFHE bootstrapping with block binary keys", AsiaCCS 2023, algorithm 2: acc += sum_(i in block) (X^(a_i) - 1) (acc x rgsw(z_i)).
void blind_rotate(const Context& context, const sotto_lookup_keys& keys, const uint32_t* exponents, uint32_t count, uint64_t* accumulators, uint64_t* scratch) {
  const Ring& ring = context.ring;
  const auto& kernels = ring.kernels();
  const Gadget gadget = lookup_gadget(keys.setting);
  uint64_t *product = scratch, *digits = scratch + kCiphertextWords, *rest = digits + size_t(keys.row_count()) * kDegree;
  for (uint32_t bit = 0; bit < kSmallDimension; bit += kLwe.block)
    for (uint32_t i = 0; i < count; i++) {
      uint64_t* accumulator = accumulators + i * kCiphertextWords;
      for (uint32_t part = 0; part < 2; part++)
        kernels.transform_digits(ring.tables(), gadget, accumulator + part * kDegree, digits + size_t(part) * gadget.level_count * kDegree, rest);
      kernels.block_product(ring.tables(), kLwe.block, keys.row_count(), exponents + size_t(i) * kSmallRowWords + bit, digits, keys.block(bit), product, product + kDegree, rest);
      for (uint32_t part = 0; part < 2; part++) {
        ring.inverse(product + part * kDegree);
        ring.add(accumulator + part * kDegree, accumulator + part * kDegree, product + part * kDegree);
      }
    }
}

int32_t submit_lookup(Context& context, const sotto_lookup_keys& keys, const uint32_t* lwe, uint64_t count, const uint64_t* tables, const uint32_t* indices, uint32_t thread_count, uint32_t* out,
                      Job** job) {
  auto* created = new (std::nothrow) LookupJob(context, keys, lwe, count, tables, indices, out);
  if (!created) return out_of_memory("a job");
  context.pool.submit(*created, (count + kTile - 1) / kTile, thread_count);
  *job = created;
  return SOTTO_OK;
}

}  // namespace sotto
