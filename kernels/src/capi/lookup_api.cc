#include <string.h>

#include <memory>
#include <new>

#include "capi/check.hpp"
#include "capi/job.hpp"
#include "crypto/lookup.hpp"

using namespace sotto;

namespace {
int32_t check_setting(uint32_t setting) {
  SOTTO_REQUIRE(setting >= 1 && setting <= kSettingCount, "setting %u is not in [1, %u]", setting, kSettingCount);
  return SOTTO_OK;
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
  std::unique_ptr<sotto_lookup_keys> created(new (std::nothrow) sotto_lookup_keys{setting, {}, {}});
  if (!created || !load_lookup_keys(*context, payload, *created)) return out_of_memory("lookup keys");
  *keys = created.release();
  return SOTTO_OK;
}

extern "C" size_t sotto_lookup_keys_bytes(const sotto_lookup_keys* keys) {
  return keys ? keys->switching.size() * sizeof(uint32_t) + keys->rotation.size() * sizeof(uint64_t) : 0;
}

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
  const int32_t status = parallel_for(context->pool, (count + kTile - 1) / kTile, [&](uint64_t item, Workspace& workspace) {
    uint32_t* rows = reinterpret_cast<uint32_t*>(workspace.words(kTile * kSmallRowWords / 2));
    if (!rows) return SOTTO_OUT_OF_MEMORY;
    const uint64_t first = item * kTile;
    const uint32_t tile = uint32_t(count - first < kTile ? count - first : kTile);
    switch_to_small(*keys, lwe + first * kLweWords, tile, rows);
    for (uint32_t i = 0; i < tile; i++) memcpy(small + (first + i) * kSmallLweWords, rows + size_t(i) * kSmallRowWords, kSmallLweWords * sizeof(uint32_t));
    return SOTTO_OK;
  });
  return status ? out_of_memory("a key switch") : SOTTO_OK;
}

extern "C" int32_t sotto_lookup_submit(sotto_context* context, const sotto_lookup_keys* keys, const uint32_t* lwe, size_t count, const uint64_t* tables, size_t table_count, const uint32_t* indices,
                                       uint32_t thread_count, uint32_t* results, sotto_job** job) {
  SOTTO_REQUIRE(context && keys && lwe && tables && indices && results && job && count < kCountMax, "no argument of sotto_lookup_submit may be null");
  SOTTO_REQUIRE(table_count >= 1 && table_count < kCountMax && all_canonical(tables, table_count * kDegree), "there is no table, or one has a value that is not below the modulus");
  for (size_t i = 0; i < count; i++) SOTTO_REQUIRE(indices[i] < table_count, "table %u of lookup %zu is not there: %zu tables were given", indices[i], i, table_count);
  Job* work = nullptr;
  const int32_t status = submit_lookup(*context, *keys, lwe, count, tables, indices, thread_count, results, &work);
  return status ? status : hand_out(context, work, job);
}
