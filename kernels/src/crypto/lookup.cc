#include "crypto/lookup.hpp"

#include <string.h>

#include <algorithm>
#include <new>

#include "backend/cuda/device_job.hpp"
#include "core/modular.hpp"
#include "core/status.hpp"
#include "crypto/compression.hpp"

namespace sotto {
namespace {

// Coefficient p of a s is sum_j s_j a_(p - j), with a sign where p - j wraps.
template <class Word, class Switch, class Negate>
void extract(const uint64_t* a, const uint64_t* b, uint32_t position, Switch switched, Negate negated, Word* lwe) {
  for (uint32_t j = 0; j <= position; j++) lwe[j] = switched(a[position - j]);
  for (uint32_t j = position + 1; j < kDegree; j++) lwe[j] = negated(switched(a[kDegree + position - j]));
  lwe[kDegree] = switched(b[position]);
}

/// What one item needs, one array.
struct ItemMemory {
  uint64_t *accumulators, *scratch;
  uint32_t *small, *exponents;

  static size_t scratch_words(const sotto_lookup_keys& keys, uint32_t count) { return std::max(rotate_scratch_words(keys), (switch_scratch_words(keys, count) + 7) / 8 * 8); }
  static size_t words(const sotto_lookup_keys& keys, uint32_t count) {
    return kTile * kCiphertextWords + scratch_words(keys, count) + size_t(count + kTile) * small_row_words(keys.small()) / 2;
  }
  ItemMemory(uint64_t* memory, const sotto_lookup_keys& keys, uint32_t count)
      : accumulators(memory),
        scratch(memory + kTile * kCiphertextWords),
        small(reinterpret_cast<uint32_t*>(scratch + scratch_words(keys, count))),
        exponents(small + size_t(count) * small_row_words(keys.small())) {}
};

// One item: the key switches of `item_count` lookups together, their rotations tile by tile.
class LookupJob final : public Job {
 public:
  LookupJob(const Context& context, const sotto_lookup_keys& keys, const LookupBatch& batch, uint32_t item_count) : context_(context), keys_(keys), batch_(batch), item_count_(item_count) {}

  int32_t run(uint64_t item, Workspace& workspace) override {
    uint64_t* words = workspace.words(ItemMemory::words(keys_, item_count_));
    if (!words) return SOTTO_OUT_OF_MEMORY;
    const ItemMemory memory(words, keys_, item_count_);
    const uint64_t first = item * item_count_;
    const uint32_t count = uint32_t(std::min<uint64_t>(batch_.count - first, item_count_));
    switch_to_small(keys_, batch_.lwe + first * kLweWords, count, memory.small, memory.scratch);
    for (uint32_t at = 0; at < count; at += kTile) {
      if (cancelled()) return fail(SOTTO_CANCELLED, "cancelled");
      run_tile(memory, memory.small + size_t(at) * small_row_words(keys_.small()), first + at, std::min(count - at, kTile));
    }
    return SOTTO_OK;
  }

 private:
  void run_tile(const ItemMemory& memory, const uint32_t* small, uint64_t first, uint32_t count) const {
    const uint32_t stride = small_row_words(keys_.small());
    for (uint32_t i = 0; i < count; i++) {
      uint32_t* exponents = memory.exponents + size_t(i) * stride;
      switch_to_exponents(keys_.small(), small + size_t(i) * stride, batch_.values_log, exponents);
      start_accumulator(context_, batch_.tables + size_t(batch_.indices[first + i]) * kDegree, exponents[keys_.small().dimension], memory.accumulators + i * kCiphertextWords);
    }
    blind_rotate(context_, keys_, memory.exponents, count, memory.accumulators, memory.scratch);
    for (uint32_t i = 0; i < count; i++) write_results(memory.accumulators + i * kCiphertextWords, first + i, memory.scratch);
  }

  void write_results(const uint64_t* accumulator, uint64_t lookup, uint64_t* lwe) const {
    uint8_t* out = static_cast<uint8_t*>(batch_.results) + (lookup << batch_.values_log) * batch_.lwe_bytes();
    for (uint32_t i = 0; i < 1u << batch_.values_log; i++, out += batch_.lwe_bytes()) {
      if (batch_.modulus == LookupModulus::ring) extract_u64(accumulator, accumulator + kDegree, i, lwe);
      else extract_u32(accumulator, accumulator + kDegree, i, reinterpret_cast<uint32_t*>(lwe));
      memcpy(out, lwe, batch_.lwe_bytes());
    }
  }

  const Context& context_;
  const sotto_lookup_keys& keys_;
  const LookupBatch batch_;
  const uint32_t item_count_;
};

}  // namespace

void extract_u32(const uint64_t* a, const uint64_t* b, uint32_t position, uint32_t* lwe) {
  extract(a, b, position, [](uint64_t x) { return uint32_t(switch_to_power_of_two(x, 32)); }, [](uint32_t x) { return 0u - x; }, lwe);
}

void extract_u64(const uint64_t* a, const uint64_t* b, uint32_t position, uint64_t* lwe) {
  extract(a, b, position, [](uint64_t x) { return x; }, [](uint64_t x) { return negate_mod(x, kModulus); }, lwe);
}

void start_accumulator(const Context& context, const uint64_t* table, uint32_t body, uint64_t* accumulator) {
  memset(accumulator, 0, kDegree * sizeof(uint64_t));
  context.ring.multiply_by_monomial((2 * kDegree - body) % (2 * kDegree), table, accumulator + kDegree);
}

size_t rotate_scratch_words(const sotto_lookup_keys& keys) { return (size_t(keys.row_count()) + 4) * kDegree; }

// Lee, Min, Seo, Song, "Faster TFHE bootstrapping with block binary keys", AsiaCCS 2023, algorithm 2: acc += sum_(i in block) (X^(a_i) - 1) (acc x rgsw(z_i)).
void blind_rotate(const Context& context, const sotto_lookup_keys& keys, const uint32_t* exponents, uint32_t count, uint64_t* accumulators, uint64_t* scratch) {
  const Ring& ring = context.ring;
  const auto& kernels = ring.kernels();
  const Gadget gadget = lookup_gadget(keys.setting);
  const SmallSet& set = keys.small();
  uint64_t *product = scratch, *digits = scratch + kCiphertextWords, *rest = digits + size_t(keys.row_count()) * kDegree;
  for (uint32_t bit = 0; bit < set.dimension; bit += set.block)
    for (uint32_t i = 0; i < count; i++) {
      uint64_t* accumulator = accumulators + i * kCiphertextWords;
      for (uint32_t part = 0; part < 2; part++)
        kernels.transform_digits(ring.tables(), gadget, accumulator + part * kDegree, digits + size_t(part) * gadget.level_count * kDegree, rest);
      kernels.block_product(ring.tables(), set.block, keys.row_count(), exponents + size_t(i) * small_row_words(set) + bit, digits, keys.block(bit), product, product + kDegree, rest);
      for (uint32_t part = 0; part < 2; part++) {
        ring.inverse(product + part * kDegree);
        ring.add(accumulator + part * kDegree, accumulator + part * kDegree, product + part * kDegree);
      }
    }
}

uint32_t lookup_item_count(uint64_t count, uint32_t workers) {
  const uint64_t tiles = (count + kTile - 1) / kTile;
  return kTile * uint32_t(std::clamp<uint64_t>(tiles / (32 * uint64_t(workers)), 1, kSwitchTile / kTile));
}

int32_t submit_lookup(Context& context, const sotto_lookup_keys& keys, const LookupBatch& batch, uint32_t item_count, uint32_t thread_count, Job** job) {
  if (const auto* operation = on_device(context, &DeviceOperations::lookup)) return submit_on_device(context, *operation, LookupTask{&keys, batch}, batch.count, thread_count, job);
  auto* created = new (std::nothrow) LookupJob(context, keys, batch, item_count);
  if (!created) return out_of_memory("a job");
  context.pool.submit(*created, (batch.count + item_count - 1) / item_count, thread_count);
  *job = created;
  return SOTTO_OK;
}

}  // namespace sotto
