// What training on encrypted data is made of: its keys, rgsw and external products, packing with a whole trace, and sums mod q.
#include <string.h>

#include <algorithm>
#include <memory>
#include <new>

#include "backend/cuda/device_job.hpp"
#include "capi/check.hpp"
#include "core/modular.hpp"
#include "crypto/compression.hpp"
#include "crypto/encryption.hpp"
#include "crypto/rgsw.hpp"
#include "crypto/trace_pack.hpp"

using namespace sotto;

namespace {

int32_t no_randomness() { return fail(SOTTO_SYSTEM, "the operating system gives no random bytes, or there is not enough memory"); }

int32_t check_kind(uint32_t kind) {
  SOTTO_REQUIRE(kind <= uint32_t(RgswRecord::expanded), "kind %u is neither 0 (seeded) nor 1 (made with the public key)", kind);
  return SOTTO_OK;
}

/// No branch on a single message.
int32_t check_messages(const int32_t* messages) {
  uint32_t outside = 0;
  for (uint32_t i = 0; i < kDegree; i++) outside |= uint32_t(uint32_t(messages[i] + int64_t(kRgswMessageMax)) > 2 * uint32_t(kRgswMessageMax));
  SOTTO_REQUIRE(!outside, "a message is not in [-%d, %d]", kRgswMessageMax, kRgswMessageMax);
  return SOTTO_OK;
}

int32_t check_canonical(const char* name, const uint64_t* words, size_t count) {
  SOTTO_REQUIRE(all_canonical(words, count), "a word of %s is not below the modulus", name);
  return SOTTO_OK;
}

/// Runs body(first, count) on pieces of `total` words.
template <class Body>
int32_t for_pieces(Context& context, size_t total, Body body) {
  constexpr size_t kPiece = 16 * kCiphertextWords;
  return parallel_for(context.pool, (total + kPiece - 1) / kPiece, [&](uint64_t item, Workspace&) {
    body(size_t(item) * kPiece, std::min(kPiece, total - size_t(item) * kPiece));
    return SOTTO_OK;
  });
}

/// Runs body(memory) for every ciphertext, with `word_count` words of memory that start with it; kCiphertextWords of them at `result_at` are the result.
template <class Body>
int32_t map_ciphertexts(Context& context, const char* what, const uint64_t* ciphertexts, size_t count, size_t word_count, size_t result_at, uint64_t* results, Body body) {
  const int32_t status = parallel_for(context.pool, count, [&](uint64_t item, Workspace& workspace) {
    uint64_t* memory = workspace.words(word_count);
    if (!memory) return SOTTO_OUT_OF_MEMORY;
    memcpy(memory, ciphertexts + item * kCiphertextWords, kCiphertextWords * sizeof(uint64_t));
    body(memory);
    memcpy(results + item * kCiphertextWords, memory + result_at, kCiphertextWords * sizeof(uint64_t));
    return SOTTO_OK;
  });
  return status ? out_of_memory(what) : SOTTO_OK;
}

}  // namespace

extern "C" size_t sotto_training_keys_payload_bytes(void) { return training_keys_payload_bytes(); }

extern "C" int32_t sotto_training_keys_generate(sotto_context* context, const sotto_secret_key* key, const uint8_t* seed, uint8_t* payload, size_t payload_size) {
  SOTTO_REQUIRE(context && key && payload, "context, key and payload must not be null");
  if (const int32_t status = check_size("training keys", payload_size, training_keys_payload_bytes())) return status;
  RandomSource random(seed);
  return generate_training_keys(*context, *key, random, payload) ? SOTTO_OK : no_randomness();
}

extern "C" int32_t sotto_training_keys_load(sotto_context* context, const uint8_t* payload, size_t payload_size, sotto_training_keys** keys) {
  SOTTO_REQUIRE(context && payload && keys, "context, payload and keys must not be null");
  if (const int32_t status = check_size("training keys", payload_size, training_keys_payload_bytes())) return status;
  std::unique_ptr<sotto_training_keys> created(new (std::nothrow) sotto_training_keys);
  if (!created || !load_training_keys(*context, payload, *created)) return out_of_memory("training keys");
  *keys = created.release();
  return SOTTO_OK;
}

extern "C" size_t sotto_training_keys_bytes(const sotto_training_keys* keys) { return keys ? (keys->prepared.size() + keys->transformed.size()) * sizeof(uint64_t) : 0; }

extern "C" void sotto_training_keys_destroy(sotto_training_keys* keys) { delete keys; }

extern "C" size_t sotto_rgsw_record_bytes(uint32_t kind) { return check_kind(kind) ? 0 : rgsw_record_bytes(RgswRecord(kind)); }

extern "C" int32_t sotto_rgsw_encrypt(sotto_context* context, const sotto_secret_key* key, const int32_t* messages, const uint8_t* seed, uint8_t* record, size_t record_size) {
  SOTTO_REQUIRE(context && key && messages && record, "context, key, messages and record must not be null");
  if (const int32_t status = check_messages(messages)) return status;
  if (const int32_t status = check_size("the rgsw record", record_size, rgsw_record_bytes(RgswRecord::seeded))) return status;
  RandomSource random(seed);
  return encrypt_rgsw(*context, *key, messages, random, record) ? SOTTO_OK : no_randomness();
}

extern "C" int32_t sotto_rgsw_encrypt_public(sotto_context* context, const uint8_t* public_key, size_t public_key_size, const int32_t* messages, const uint8_t* seed, uint8_t* record,
                                             size_t record_size) {
  SOTTO_REQUIRE(context && public_key && messages && record, "context, public_key, messages and record must not be null");
  if (const int32_t status = check_messages(messages)) return status;
  if (const int32_t status = check_size("the public key", public_key_size, seeded_record_bytes(Context::kModulusBits))) return status;
  if (const int32_t status = check_size("the rgsw record", record_size, rgsw_record_bytes(RgswRecord::expanded))) return status;
  RandomSource random(seed);
  return encrypt_rgsw_public(*context, public_key, messages, random, record) ? SOTTO_OK : no_randomness();
}

extern "C" int32_t sotto_rgsw_load(sotto_context* context, uint32_t kind, const uint8_t* record, size_t record_size, sotto_rgsw** rgsw) {
  SOTTO_REQUIRE(context && record && rgsw, "context, record and rgsw must not be null");
  if (const int32_t status = check_kind(kind)) return status;
  if (const int32_t status = check_size("the rgsw record", record_size, rgsw_record_bytes(RgswRecord(kind)))) return status;
  std::unique_ptr<sotto_rgsw> created(new (std::nothrow) sotto_rgsw);
  if (!created || !created->allocate() || !load_rgsw(*context, RgswRecord(kind), record, *created)) return out_of_memory("an rgsw");
  *rgsw = created.release();
  return SOTTO_OK;
}

extern "C" int32_t sotto_rgsw_add(sotto_context* context, sotto_rgsw* sum, const sotto_rgsw* other) {
  SOTTO_REQUIRE(context && sum && other, "context, sum and other must not be null");
  return add_rgsw(*context, *sum, *other) ? SOTTO_OK : out_of_memory("a sum of rgsw");
}

extern "C" size_t sotto_rgsw_bytes(const sotto_rgsw* rgsw) { return rgsw ? (rgsw->transformed.size() + rgsw->prepared.size()) * sizeof(uint64_t) : 0; }

extern "C" void sotto_rgsw_destroy(sotto_rgsw* rgsw) { delete rgsw; }

extern "C" int32_t sotto_external_product(sotto_context* context, const sotto_rgsw* rgsw, const uint64_t* ciphertexts, size_t count, uint64_t* results) {
  SOTTO_REQUIRE(context && rgsw && ciphertexts && results && count < kCountMax, "context, rgsw, ciphertexts and results must not be null");
  if (const int32_t status = check_canonical("the ciphertexts", ciphertexts, count * kCiphertextWords)) return status;
  if (const auto* operation = on_device(*context, &DeviceOperations::external_product))
    return run_on_device(*context, *operation, ExternalProductBatch{rgsw, ciphertexts, results}, count);
  return map_ciphertexts(*context, "an external product", ciphertexts, count, 2 * kCiphertextWords + kExternalScratchWords, kCiphertextWords, results,
                         [&](uint64_t* memory) { external_product(*context, *rgsw, memory, memory + kCiphertextWords, memory + 2 * kCiphertextWords); });
}

extern "C" int32_t sotto_training_automorphism(sotto_context* context, const sotto_training_keys* keys, uint32_t index, const uint64_t* ciphertexts, size_t count, uint64_t* results) {
  SOTTO_REQUIRE(context && keys && ciphertexts && results && count < kCountMax, "context, keys, ciphertexts and results must not be null");
  SOTTO_REQUIRE(index < kTrainingKeyCount, "index %u is not below %u", index, kTrainingKeyCount);
  if (const int32_t status = check_canonical("the ciphertexts", ciphertexts, count * kCiphertextWords)) return status;
  if (const auto* operation = on_device(*context, &DeviceOperations::training_automorphism))
    return run_on_device(*context, *operation, TrainingAutomorphismBatch{keys, index, ciphertexts, results}, count);
  return map_ciphertexts(*context, "an automorphism", ciphertexts, count, 2 * kCiphertextWords + kTrainingScratchWords, kCiphertextWords, results,
                         [&](uint64_t* memory) { training_automorphism(*context, *keys, index, memory, memory + kCiphertextWords, memory + 2 * kCiphertextWords); });
}

extern "C" int32_t sotto_trace_pack(sotto_context* context, const sotto_training_keys* keys, const uint64_t* lwe, size_t count, size_t pack_count, uint64_t* results) {
  SOTTO_REQUIRE(context && keys && lwe && results, "context, keys, lwe and results must not be null");
  SOTTO_REQUIRE(count >= 1 && count <= kDegree, "%zu lwe do not fit into one ciphertext: 1 to %u do", count, kDegree);
  SOTTO_REQUIRE(pack_count < kCountMax, "%zu packs are too many", pack_count);
  if (const int32_t status = check_canonical("the lwe", lwe, pack_count * count * kRingLweWords)) return status;
  if (const auto* operation = on_device(*context, &DeviceOperations::trace_pack))
    return run_on_device(*context, *operation, TracePackBatch{keys, lwe, count, results}, pack_count);
  const int32_t status = parallel_for(context->pool, pack_count, [&](uint64_t pack, Workspace& workspace) {
    uint64_t* memory = workspace.words(trace_pack_workspace_words(count));
    if (!memory) return SOTTO_OUT_OF_MEMORY;
    trace_pack(*context, *keys, lwe + pack * count * kRingLweWords, count, memory);
    memcpy(results + pack * kCiphertextWords, memory, kCiphertextWords * sizeof(uint64_t));
    return SOTTO_OK;
  });
  return status ? out_of_memory("packing") : SOTTO_OK;
}

extern "C" int32_t sotto_multiply_monomial(sotto_context* context, const uint64_t* ciphertexts, size_t count, uint32_t exponent, uint64_t* results) {
  SOTTO_REQUIRE(context && ciphertexts && results && count < kCountMax, "context, ciphertexts and results must not be null");
  SOTTO_REQUIRE(exponent < 2 * kDegree, "exponent %u is not below %u", exponent, 2 * kDegree);
  if (const int32_t status = check_canonical("the ciphertexts", ciphertexts, count * kCiphertextWords)) return status;
  return map_ciphertexts(*context, "a product", ciphertexts, count, 2 * kCiphertextWords, kCiphertextWords, results, [&](uint64_t* memory) {
    for (uint32_t part = 0; part < 2; part++) context->ring.multiply_by_monomial(exponent, memory + part * kDegree, memory + kCiphertextWords + part * kDegree);
  });
}

extern "C" int32_t sotto_ciphertext_add(sotto_context* context, const uint64_t* left, const uint64_t* right, size_t words, uint64_t* result) {
  SOTTO_REQUIRE(context && left && right && result && words < kCountMax * kCiphertextWords, "context, left, right and result must not be null");
  if (const int32_t status = check_canonical("left", left, words)) return status;
  if (const int32_t status = check_canonical("right", right, words)) return status;
  return for_pieces(*context, words, [&](size_t first, size_t count) {
    for (size_t i = first; i < first + count; i++) result[i] = add_mod(left[i], right[i], kModulus);
  });
}

extern "C" int32_t sotto_scale_ciphertexts(sotto_context* context, const uint64_t* ciphertexts, size_t words, int64_t factor, uint64_t* result) {
  SOTTO_REQUIRE(context && ciphertexts && result && words < kCountMax * kCiphertextWords, "context, ciphertexts and result must not be null");
  SOTTO_REQUIRE(factor < int64_t(kModulus) && factor > -int64_t(kModulus), "factor %lld is not between -q and q", (long long)factor);
  if (const int32_t status = check_canonical("the ciphertexts", ciphertexts, words)) return status;
  const uint64_t scale = residue(factor, kModulus);
  return for_pieces(*context, words, [&](size_t first, size_t count) {
    for (size_t i = first; i < first + count; i++) result[i] = multiply_mod(ciphertexts[i], scale, kModulus);
  });
}

extern "C" int32_t sotto_switch_to_u32(sotto_context* context, const uint64_t* lwe, size_t count, uint32_t* switched) {
  SOTTO_REQUIRE(context && lwe && switched && count < kCountMax, "context, lwe and switched must not be null");
  const size_t words = count * kRingLweWords;
  if (const int32_t status = check_canonical("the lwe", lwe, words)) return status;
  return for_pieces(*context, words, [&](size_t first, size_t piece) {
    for (size_t i = first; i < first + piece; i++) switched[i] = uint32_t(switch_to_power_of_two(lwe[i], 32));
  });
}
