#include <string.h>

#include <memory>
#include <new>

#include "capi/check.hpp"
#include "core/random_source.hpp"
#include "crypto/compression.hpp"
#include "crypto/encryption.hpp"
#include "crypto/evaluation_keys.hpp"
#include "crypto/sampling.hpp"

using namespace sotto;

namespace {

int32_t no_randomness() { return fail(SOTTO_SYSTEM, "the operating system gives no random bytes, or there is not enough memory"); }

/// A source for item `index` of a batch: seeds differ by item.
struct ItemSeed {
  uint8_t bytes[32];
  ItemSeed(const uint8_t* seed, uint64_t index) {
    if (!seed) return;
    uint8_t block[64];
    ChaCha20(seed, Nonce{index, 0x6974656d}).blocks(block, 1);
    memcpy(bytes, block, sizeof bytes);
    wipe(block, sizeof block);
  }
  ~ItemSeed() { wipe(bytes, sizeof bytes); }
};

int32_t check_encrypt_shape(const sotto_encrypt_shape* shape) {
  SOTTO_REQUIRE(shape, "shape must not be null");
  SOTTO_REQUIRE(shape->ciphertext_count < kCountMax, "ciphertext_count is too large");
  SOTTO_REQUIRE(shape->stride >= 1 && shape->stride <= kDegree, "stride %u is not in [1, %u]", shape->stride, kDegree);
  SOTTO_REQUIRE(shape->bits >= 24 && shape->bits <= sotto_context::kModulusBits, "bits %u is not in [24, %u]", shape->bits, sotto_context::kModulusBits);
  SOTTO_REQUIRE(shape->scale >= 1 && shape->scale < kModulus, "scale is not in [1, q)");
  return SOTTO_OK;
}

}  // namespace

extern "C" int32_t sotto_secret_key_generate(sotto_context* context, const uint8_t* seed, sotto_secret_key** key) {
  SOTTO_REQUIRE(context && key, "context and key must not be null");
  RandomSource random(seed);
  std::unique_ptr<sotto_secret_key> created(new (std::nothrow) sotto_secret_key);
  if (!created || !created->allocate()) return out_of_memory("a secret key");
  if (!sample_ternary(random, created->coefficients.data(), kDegree)) return no_randomness();
  created->derive(context->ring);
  *key = created.release();
  return SOTTO_OK;
}

extern "C" int32_t sotto_secret_key_import(sotto_context* context, const uint8_t* coefficients, size_t size, sotto_secret_key** key) {
  SOTTO_REQUIRE(context && coefficients && key, "context, coefficients and key must not be null");
  if (const int32_t status = check_size("the secret key", size, kDegree)) return status;
  uint8_t largest = 0;
  for (size_t i = 0; i < size; i++) largest |= uint8_t(coefficients[i] >= 3);
  if (largest) return fail(SOTTO_MALFORMED, "the secret key has a coefficient that is not 0, 1 or 2");
  std::unique_ptr<sotto_secret_key> created(new (std::nothrow) sotto_secret_key);
  if (!created || !created->allocate()) return out_of_memory("a secret key");
  memcpy(created->coefficients.data(), coefficients, kDegree);
  created->derive(context->ring);
  *key = created.release();
  return SOTTO_OK;
}

extern "C" int32_t sotto_secret_key_export(const sotto_context* context, const sotto_secret_key* key, uint8_t* coefficients, size_t size) {
  SOTTO_REQUIRE(context && key && coefficients, "context, key and coefficients must not be null");
  if (const int32_t status = check_size("the secret key", size, kDegree)) return status;
  memcpy(coefficients, key->coefficients.data(), kDegree);
  return SOTTO_OK;
}

extern "C" void sotto_secret_key_destroy(sotto_secret_key* key) { delete key; }

extern "C" size_t sotto_record_bytes(uint32_t bits) { return seeded_record_bytes(bits); }

extern "C" int32_t sotto_encrypt(sotto_context* context, const sotto_secret_key* key, const int32_t* messages, const sotto_encrypt_shape* shape, const uint8_t* seed, uint8_t* records,
                                 size_t records_size) {
  SOTTO_REQUIRE(context && key && messages && records, "context, key, messages and records must not be null");
  if (const int32_t status = check_encrypt_shape(shape)) return status;
  const size_t record_bytes = seeded_record_bytes(shape->bits);
  if (const int32_t status = check_size("records", records_size, shape->ciphertext_count * record_bytes)) return status;
  const int32_t status = parallel_for(context->pool, shape->ciphertext_count, [&](uint64_t item, Workspace& workspace) {
    uint64_t* a = workspace.words(kCiphertextWords);
    if (!a) return SOTTO_OUT_OF_MEMORY;
    uint64_t* b = a + kDegree;
    const ItemSeed item_seed(seed, item);
    RandomSource random(seed ? item_seed.bytes : nullptr);
    uint8_t mask_seed[32];
    if (!random.fill(mask_seed, sizeof mask_seed)) return SOTTO_SYSTEM;
    expand_mask(mask_seed, 0, a);
    if (!encrypt_zero(*context, *key, random, a, b)) return SOTTO_SYSTEM;
    add_messages(messages + item * shape->stride, shape->stride, shape->scale, b);
    write_seeded(mask_seed, b, shape->bits, records + item * record_bytes);
    return SOTTO_OK;
  });
  return status ? no_randomness() : SOTTO_OK;
}

extern "C" int32_t sotto_expand(sotto_context* context, const uint8_t* records, size_t records_size, uint32_t bits, uint64_t* ciphertexts, size_t count) {
  SOTTO_REQUIRE(context && records && ciphertexts && count < kCountMax, "context, records and ciphertexts must not be null");
  SOTTO_REQUIRE(bits >= 24 && bits <= sotto_context::kModulusBits, "bits %u is not in [24, %u]", bits, sotto_context::kModulusBits);
  if (const int32_t status = check_size("records", records_size, count * seeded_record_bytes(bits))) return status;
  for (size_t i = 0; i < count; i++) expand_seeded(records + i * seeded_record_bytes(bits), bits, ciphertexts + i * kCiphertextWords, ciphertexts + i * kCiphertextWords + kDegree);
  return SOTTO_OK;
}

extern "C" int32_t sotto_phase(sotto_context* context, const sotto_secret_key* key, const uint64_t* ciphertexts, size_t count, uint64_t* phases) {
  SOTTO_REQUIRE(context && key && ciphertexts && phases && count < kCountMax, "context, key, ciphertexts and phases must not be null");
  SOTTO_REQUIRE(all_canonical(ciphertexts, count * kCiphertextWords), "a coefficient is not below the modulus");
  const int32_t status = parallel_for(context->pool, count, [&](uint64_t item, Workspace& workspace) {
    uint64_t* memory = workspace.words(2 * kCiphertextWords);
    if (!memory) return SOTTO_OUT_OF_MEMORY;
    memcpy(memory, ciphertexts + item * kCiphertextWords, kCiphertextWords * sizeof(uint64_t));
    phase(*context, *key, memory, memory + kDegree, memory + 2 * kDegree, memory + 3 * kDegree);
    memcpy(phases + item * kDegree, memory + 2 * kDegree, kDegree * sizeof(uint64_t));
    wipe(memory, 2 * kCiphertextWords * sizeof(uint64_t));
    return SOTTO_OK;
  });
  return status ? out_of_memory("phases") : SOTTO_OK;
}

extern "C" int32_t sotto_decrypt(sotto_context* context, const sotto_secret_key* key, const uint8_t* records, size_t records_size, const sotto_decrypt_shape* shape, const uint32_t* useful_counts,
                                 const uint32_t* positions, size_t position_count, double* values) {
  SOTTO_REQUIRE(context && key && records && shape && useful_counts && positions && values, "no argument of sotto_decrypt may be null");
  SOTTO_REQUIRE(shape->bits >= kAnswerBitsMin && shape->bits <= kAnswerBitsMax, "bits %u is not in [%u, %u]", shape->bits, kAnswerBitsMin, kAnswerBitsMax);
  SOTTO_REQUIRE(shape->record_count < kCountMax && shape->ciphertexts_per_record < kCountMax && shape->scale >= 1, "the shape is out of range");
  uint64_t record_bytes = 0, useful = 0;
  for (uint32_t i = 0; i < shape->ciphertexts_per_record; i++) {
    SOTTO_REQUIRE(useful_counts[i] <= kDegree, "useful count %u is above %u", useful_counts[i], kDegree);
    record_bytes += compressed_bytes(useful_counts[i], shape->bits);
    useful += useful_counts[i];
  }
  if (const int32_t status = check_size("positions", position_count, useful)) return status;
  for (size_t i = 0; i < position_count; i++) SOTTO_REQUIRE(positions[i] < kDegree, "position %u is not below %u", positions[i], kDegree);
  if (const int32_t status = check_size("records", records_size, shape->record_count * record_bytes)) return status;
  const int32_t status = parallel_for(context->pool, shape->record_count, [&](uint64_t item, Workspace& workspace) {
    uint64_t* scratch = workspace.words(kCiphertextWords);
    if (!scratch) return SOTTO_OUT_OF_MEMORY;
    const uint8_t* bytes = records + item * record_bytes;
    uint64_t first = 0;
    for (uint32_t i = 0; i < shape->ciphertexts_per_record; i++) {
      decrypt_compressed(*context, *key, bytes, shape->bits, positions + first, useful_counts[i], double(shape->scale), values + item * useful + first, scratch);
      bytes += compressed_bytes(useful_counts[i], shape->bits);
      first += useful_counts[i];
    }
    wipe(scratch, kCiphertextWords * sizeof(uint64_t));
    return SOTTO_OK;
  });
  return status ? out_of_memory("decryption") : SOTTO_OK;
}

extern "C" int32_t sotto_public_key_generate(sotto_context* context, const sotto_secret_key* key, const uint8_t* seed, uint8_t* record, size_t record_size) {
  SOTTO_REQUIRE(context && key && record, "context, key and record must not be null");
  if (const int32_t status = check_size("the public key", record_size, seeded_record_bytes(sotto_context::kModulusBits))) return status;
  Buffer<uint64_t> memory(kCiphertextWords);
  if (!memory.ok()) return out_of_memory("a public key");
  RandomSource random(seed);
  uint8_t mask_seed[32];
  if (!random.fill(mask_seed, sizeof mask_seed)) return no_randomness();
  expand_mask(mask_seed, 0, memory.data());
  if (!encrypt_zero(*context, *key, random, memory.data(), memory.data() + kDegree)) return no_randomness();
  write_seeded(mask_seed, memory.data() + kDegree, sotto_context::kModulusBits, record);
  return SOTTO_OK;
}

extern "C" int32_t sotto_encrypt_public(sotto_context* context, const uint8_t* record, size_t record_size, const int32_t* messages, const sotto_encrypt_shape* shape, const uint8_t* seed,
                                        uint64_t* ciphertexts) {
  SOTTO_REQUIRE(context && record && messages && ciphertexts, "context, record, messages and ciphertexts must not be null");
  if (const int32_t status = check_encrypt_shape(shape)) return status;
  if (const int32_t status = check_size("the public key", record_size, seeded_record_bytes(sotto_context::kModulusBits))) return status;
  const int32_t status = parallel_for(context->pool, shape->ciphertext_count, [&](uint64_t item, Workspace& workspace) {
    uint64_t* ciphertext = workspace.words(kCiphertextWords);
    if (!ciphertext) return SOTTO_OUT_OF_MEMORY;
    const ItemSeed item_seed(seed, item);
    RandomSource random(seed ? item_seed.bytes : nullptr);
    if (!encrypt_public(*context, record, random, ciphertext)) return SOTTO_SYSTEM;
    add_messages(messages + item * shape->stride, shape->stride, shape->scale, ciphertext + kDegree);
    memcpy(ciphertexts + item * kCiphertextWords, ciphertext, kCiphertextWords * sizeof(uint64_t));
    return SOTTO_OK;
  });
  return status ? no_randomness() : SOTTO_OK;
}

extern "C" size_t sotto_evaluation_keys_payload_bytes(void) { return evaluation_keys_payload_bytes(); }

extern "C" int32_t sotto_evaluation_keys_generate(sotto_context* context, const sotto_secret_key* key, const uint8_t* seed, uint8_t* payload, size_t payload_size) {
  SOTTO_REQUIRE(context && key && payload, "context, key and payload must not be null");
  if (const int32_t status = check_size("evaluation keys", payload_size, evaluation_keys_payload_bytes())) return status;
  RandomSource random(seed);
  return generate_evaluation_keys(*context, *key, random, payload) ? SOTTO_OK : no_randomness();
}
