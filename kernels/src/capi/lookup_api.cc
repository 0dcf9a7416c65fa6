#include <string.h>

#include <algorithm>
#include <memory>
#include <new>

#include "backend/cuda/device_job.hpp"
#include "capi/check.hpp"
#include "capi/job.hpp"
#include "crypto/lookup.hpp"

using namespace sotto;

namespace {

int32_t check_setting(uint32_t setting) {
  SOTTO_REQUIRE(is_setting(setting), "setting %u is not one of 1, 2, 3, 11, 12, 13", setting);
  return SOTTO_OK;
}

int32_t check_values_log(uint32_t values_log) {
  SOTTO_REQUIRE(values_log <= kValuesLogMax, "values_log %u is above %u", values_log, kValuesLogMax);
  return SOTTO_OK;
}

int32_t check_lookup_shape(const sotto_lookup_shape* shape) {
  SOTTO_REQUIRE(shape, "the shape must not be null");
  SOTTO_REQUIRE(shape->count < kCountMax, "%llu lookups are too many", (unsigned long long)shape->count);
  SOTTO_REQUIRE(shape->table_count >= 1 && shape->table_count < kCountMax, "there is no table, or too many");
  SOTTO_REQUIRE(shape->modulus <= uint32_t(LookupModulus::ring), "modulus %u is neither 0 (2^32) nor 1 (q)", shape->modulus);
  return check_values_log(shape->values_log);
}

/// Runs `body(first, count, words)` on tiles of `tile` of `count` items, `words` scratch of `word_count`.
template <class Body>
int32_t for_tiles(Context& context, size_t count, uint32_t tile, size_t word_count, Body body) {
  return parallel_for(context.pool, (count + tile - 1) / tile, [&](uint64_t item, Workspace& workspace) {
    uint64_t* words = workspace.words(word_count);
    if (!words) return SOTTO_OUT_OF_MEMORY;
    body(size_t(item * tile), uint32_t(std::min<uint64_t>(count - item * tile, tile)), words);
    return SOTTO_OK;
  });
}

}  // namespace

extern "C" size_t sotto_lookup_keys_payload_bytes(uint32_t setting) { return check_setting(setting) ? 0 : lookup_keys_payload_bytes(setting); }

extern "C" int32_t sotto_lookup_keys_generate(sotto_context* context, const sotto_secret_key* key, uint32_t setting, const uint8_t* seed, uint8_t* payload, size_t payload_size) {
  SOTTO_REQUIRE(context && key && payload, "context, key and payload must not be null");
  if (const int32_t status = check_setting(setting)) return status;
  if (const int32_t status = check_size("lookup keys", payload_size, lookup_keys_payload_bytes(setting))) return status;
  RandomSource random(seed);
  return generate_lookup_keys(*context, *key, setting, random, payload) ? SOTTO_OK : fail(SOTTO_SYSTEM, "the operating system gives no random bytes, or there is not enough memory");
}

extern "C" int32_t sotto_lookup_keys_load(sotto_context* context, uint32_t setting, const uint8_t* payload, size_t payload_size, sotto_lookup_keys** keys) {
  SOTTO_REQUIRE(context && payload && keys, "context, payload and keys must not be null");
  if (const int32_t status = check_setting(setting)) return status;
  if (const int32_t status = check_size("lookup keys", payload_size, lookup_keys_payload_bytes(setting))) return status;
  std::unique_ptr<sotto_lookup_keys> created(new (std::nothrow) sotto_lookup_keys);
  if (!created) return out_of_memory("lookup keys");
  created->setting = setting;
  if (!load_lookup_keys(*context, payload, *created)) return out_of_memory("lookup keys");
  *keys = created.release();
  return SOTTO_OK;
}

extern "C" size_t sotto_lookup_keys_bytes(const sotto_lookup_keys* keys) { return keys ? keys->switching.size() + keys->rotation.size() * sizeof(uint64_t) : 0; }

extern "C" void sotto_lookup_keys_destroy(sotto_lookup_keys* keys) { delete keys; }

extern "C" int32_t sotto_extract_u32(sotto_context* context, const uint64_t* ciphertext, const uint32_t* positions, size_t count, uint32_t* lwe) {
  SOTTO_REQUIRE(context && ciphertext && positions && lwe && count < kCountMax, "context, ciphertext, positions and lwe must not be null");
  SOTTO_REQUIRE(all_canonical(ciphertext, kCiphertextWords), "a coefficient is not below the modulus");
  for (size_t i = 0; i < count; i++) SOTTO_REQUIRE(positions[i] < kDegree, "position %u is not below %u", positions[i], kDegree);
  for (size_t i = 0; i < count; i++) extract_u32(ciphertext, ciphertext + kDegree, positions[i], lwe + i * kLweWords);
  return SOTTO_OK;
}

extern "C" int32_t sotto_lwe_keyswitch(sotto_context* context, const sotto_lookup_keys* keys, const uint32_t* lwe, size_t count, uint32_t* small) {
  SOTTO_REQUIRE(context && keys && lwe && small && count < kCountMax, "context, keys, lwe and small must not be null");
  if (const auto* operation = on_device(*context, &DeviceOperations::key_switch)) return run_on_device(*context, *operation, KeySwitchBatch{keys, lwe, small}, count);
  const size_t stride = small_row_words(keys->small()), words = small_words(keys->small()), row_words = kSwitchTile * stride / 2;
  const int32_t status = for_tiles(*context, count, kSwitchTile, row_words + switch_scratch_words(*keys, kSwitchTile), [&](size_t first, uint32_t tile, uint64_t* memory) {
    uint32_t* rows = reinterpret_cast<uint32_t*>(memory);
    switch_to_small(*keys, lwe + first * kLweWords, tile, rows, memory + row_words);
    for (uint32_t i = 0; i < tile; i++) memcpy(small + (first + i) * words, rows + i * stride, words * sizeof(uint32_t));
  });
  return status ? out_of_memory("a key switch") : SOTTO_OK;
}

extern "C" int32_t sotto_modulus_switch(const sotto_lookup_keys* keys, const uint32_t* small, size_t count, uint32_t values_log, uint32_t* exponents) {
  SOTTO_REQUIRE(keys && small && exponents && count < kCountMax, "keys, small and exponents must not be null");
  if (const int32_t status = check_values_log(values_log)) return status;
  const size_t words = small_words(keys->small());
  for (size_t i = 0; i < count; i++) switch_to_exponents(keys->small(), small + i * words, values_log, exponents + i * words);
  return SOTTO_OK;
}

extern "C" int32_t sotto_blind_rotate(sotto_context* context, const sotto_lookup_keys* keys, const uint32_t* exponents, size_t count, const uint64_t* table, uint64_t* accumulators) {
  SOTTO_REQUIRE(context && keys && exponents && table && accumulators && count < kCountMax, "no argument of sotto_blind_rotate may be null");
  SOTTO_REQUIRE(all_canonical(table, kDegree), "the table has a value that is not below the modulus");
  const size_t stride = small_row_words(keys->small()), words = small_words(keys->small()), row_words = kTile * stride / 2;
  for (size_t i = 0; i < count * words; i++) SOTTO_REQUIRE(exponents[i] < 2 * kDegree, "exponent %u is not below %u", exponents[i], 2 * kDegree);
  if (const auto* operation = on_device(*context, &DeviceOperations::rotation)) return run_on_device(*context, *operation, RotationBatch{keys, exponents, table, accumulators}, count);
  const size_t scratch_words = rotate_scratch_words(*keys);
  const int32_t status = for_tiles(*context, count, kTile, row_words + kTile * kCiphertextWords + scratch_words, [&](size_t first, uint32_t tile, uint64_t* memory) {
    uint32_t* rows = reinterpret_cast<uint32_t*>(memory);
    uint64_t *tile_accumulators = memory + row_words, *scratch = tile_accumulators + kTile * kCiphertextWords;
    for (uint32_t i = 0; i < tile; i++) {
      memcpy(rows + i * stride, exponents + (first + i) * words, words * sizeof(uint32_t));
      start_accumulator(*context, table, rows[i * stride + words - 1], tile_accumulators + i * kCiphertextWords);
    }
    blind_rotate(*context, *keys, rows, tile, tile_accumulators, scratch);
    memcpy(accumulators + first * kCiphertextWords, tile_accumulators, tile * kCiphertextWords * sizeof(uint64_t));
  });
  return status ? out_of_memory("a rotation") : SOTTO_OK;
}

extern "C" int32_t sotto_lookup_submit(sotto_context* context, const sotto_lookup_keys* keys, const uint32_t* lwe, const uint64_t* tables, const uint32_t* indices,
                                       const sotto_lookup_shape* shape, void* results, size_t results_size, sotto_job** job) {
  SOTTO_REQUIRE(context && keys && lwe && tables && indices && results && job, "no argument of sotto_lookup_submit may be null");
  if (const int32_t status = check_lookup_shape(shape)) return status;
  const LookupBatch batch = {lwe, shape->count, tables, indices, shape->values_log, LookupModulus(shape->modulus), results};
  if (const int32_t status = check_size("results", results_size, batch.result_bytes())) return status;
  SOTTO_REQUIRE(all_canonical(tables, shape->table_count * kDegree), "a table has a value that is not below the modulus");
  for (size_t i = 0; i < shape->count; i++)
    SOTTO_REQUIRE(indices[i] < shape->table_count, "table %u of lookup %zu is not there: %llu tables were given", indices[i], i, (unsigned long long)shape->table_count);
  const uint32_t pool_size = context->pool.thread_count(), workers = shape->thread_count ? std::min(shape->thread_count, pool_size) : pool_size;
  Job* work = nullptr;
  const int32_t status = submit_lookup(*context, *keys, batch, lookup_item_count(batch.count, workers), shape->thread_count, &work);
  return status ? status : hand_out(context, work, job);
}
