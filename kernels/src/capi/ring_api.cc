// Single operations on ciphertexts in coefficient order: what circuits are made of, and what the conformance suite compares back end by back end.
#include <string.h>

#include "capi/check.hpp"
#include "core/modular.hpp"
#include "crypto/compression.hpp"
#include "crypto/evaluation_keys.hpp"
#include "crypto/matrix_product.hpp"
#include "crypto/pack.hpp"

using namespace sotto;

extern "C" int32_t sotto_automorphism(sotto_context* context, const sotto_evaluation_keys* keys, uint32_t level, const uint64_t* ciphertexts, size_t count, uint64_t* results) {
  SOTTO_REQUIRE(context && keys && ciphertexts && results && count < kCountMax, "context, keys, ciphertexts and results must not be null");
  SOTTO_REQUIRE(level >= 1 && level <= Context::kLogDegree, "level %u is not in [1, %u]", level, Context::kLogDegree);
  SOTTO_REQUIRE(all_canonical(ciphertexts, count * kCiphertextWords), "a coefficient is not below the modulus");
  const int32_t status = parallel_for(context->pool, count, [&](uint64_t item, Workspace& workspace) {
    uint64_t* memory = workspace.words(2 * kCiphertextWords + kSwitchScratchWords);
    if (!memory) return SOTTO_OUT_OF_MEMORY;
    memcpy(memory, ciphertexts + item * kCiphertextWords, kCiphertextWords * sizeof(uint64_t));
    automorphism(*context, *keys, level, memory, memory + kCiphertextWords, memory + 2 * kCiphertextWords);
    memcpy(results + item * kCiphertextWords, memory + kCiphertextWords, kCiphertextWords * sizeof(uint64_t));
    return SOTTO_OK;
  });
  return status ? out_of_memory("an automorphism") : SOTTO_OK;
}

extern "C" int32_t sotto_pack(sotto_context* context, const sotto_evaluation_keys* keys, uint32_t useful_log, const uint64_t* ciphertexts, size_t count, uint64_t* result) {
  SOTTO_REQUIRE(context && keys && ciphertexts && result, "context, keys, ciphertexts and result must not be null");
  SOTTO_REQUIRE(useful_log <= Context::kLogDegree && count >= 1 && count <= kDegree >> useful_log, "%zu ciphertexts of 2^%u useful coefficients do not fit into one", count, useful_log);
  SOTTO_REQUIRE(all_canonical(ciphertexts, count * kCiphertextWords), "a coefficient is not below the modulus");
  const uint64_t divisor = inverse_power_of_two(ceil_log2(count));
  const int32_t status = parallel_for(context->pool, 1, [&](uint64_t, Workspace& workspace) {
    auto input = [&](uint64_t i, uint64_t* out) {
      for (size_t j = 0; j < kCiphertextWords; j++) out[j] = multiply_mod(ciphertexts[i * kCiphertextWords + j], divisor, kModulus);
      context->ring.forward(out);
      context->ring.forward(out + kDegree);
    };
    using Tree = PackTree<decltype(input)>;
    uint64_t* memory = workspace.words(pack_workspace_words(count));
    if (!memory) return SOTTO_OUT_OF_MEMORY;
    Tree(*context, *keys, useful_log, count, input).run(memory);
    context->ring.inverse(memory);
    context->ring.inverse(memory + kDegree);
    memcpy(result, memory, kCiphertextWords * sizeof(uint64_t));
    return SOTTO_OK;
  });
  return status ? out_of_memory("packing") : SOTTO_OK;
}

extern "C" int32_t sotto_clear_matrix_product(sotto_context* context, const int32_t* matrix, size_t rows, size_t columns, const uint64_t* ciphertext, uint64_t* results) {
  SOTTO_REQUIRE(context && matrix && ciphertext && results, "context, matrix, ciphertext and results must not be null");
  SOTTO_REQUIRE(rows >= 1 && rows < kCountMax && columns >= 1 && columns <= kDegree, "%zu rows of %zu columns: 1 to %u columns fit", rows, columns, kDegree);
  SOTTO_REQUIRE(all_canonical(ciphertext, kCiphertextWords), "a coefficient is not below the modulus");
  const ProductLayout layout = ProductLayout::of(columns);
  const uint64_t products = (rows + layout.useful() - 1) / layout.useful();
  Buffer<uint64_t> input(kCiphertextWords);
  if (!input.ok()) return out_of_memory("a product");
  memcpy(input.data(), ciphertext, kCiphertextWords * sizeof(uint64_t));
  context->ring.forward(input.data());
  context->ring.forward(input.data() + kDegree);
  const int32_t status = parallel_for(context->pool, products, [&](uint64_t product, Workspace& workspace) {
    uint64_t* polynomial = workspace.words(kDegree + kCiphertextWords);
    if (!polynomial) return SOTTO_OUT_OF_MEMORY;
    uint64_t* out = polynomial + kDegree;
    memset(polynomial, 0, kDegree * sizeof(uint64_t));
    for (uint32_t slot = 0; slot < layout.useful() && product * layout.useful() + slot < rows; slot++)
      for (size_t f = 0; f < columns; f++) layout.set(polynomial, slot, uint32_t(f), residue(matrix[(product * layout.useful() + slot) * columns + f], kModulus));
    context->ring.forward(polynomial);
    for (uint32_t part = 0; part < 2; part++) {
      context->ring.multiply(out + part * kDegree, polynomial, input.data() + part * kDegree);
      context->ring.inverse(out + part * kDegree);
    }
    memcpy(results + product * kCiphertextWords, out, kCiphertextWords * sizeof(uint64_t));
    return SOTTO_OK;
  });
  return status ? out_of_memory("a product") : SOTTO_OK;
}

extern "C" int32_t sotto_extract(sotto_context* context, const uint64_t* ciphertext, const uint32_t* positions, size_t count, uint64_t* lwe) {
  SOTTO_REQUIRE(context && ciphertext && positions && lwe, "context, ciphertext, positions and lwe must not be null");
  for (size_t i = 0; i < count; i++) SOTTO_REQUIRE(positions[i] < kDegree, "position %u is not below %u", positions[i], kDegree);
  // Coefficient p of a s is sum_j s_j a_(p - j), with a sign where p - j wraps.
  for (size_t i = 0; i < count; i++) {
    uint64_t* out = lwe + i * (kDegree + 1);
    for (uint32_t j = 0; j < kDegree; j++) out[j] = j <= positions[i] ? ciphertext[positions[i] - j] : negate_mod(ciphertext[kDegree + positions[i] - j], kModulus);
    out[kDegree] = ciphertext[kDegree + positions[i]];
  }
  return SOTTO_OK;
}

extern "C" int32_t sotto_compress(sotto_context* context, const uint64_t* ciphertext, uint32_t bits, const uint32_t* positions, size_t count, uint8_t* record, size_t record_size) {
  SOTTO_REQUIRE(context && ciphertext && positions && record, "context, ciphertext, positions and record must not be null");
  SOTTO_REQUIRE(bits >= kAnswerBitsMin && bits <= kAnswerBitsMax, "bits %u is not in [%u, %u]", bits, kAnswerBitsMin, kAnswerBitsMax);
  SOTTO_REQUIRE(all_canonical(ciphertext, kCiphertextWords), "a coefficient is not below the modulus");
  for (size_t i = 0; i < count; i++) SOTTO_REQUIRE(positions[i] < kDegree, "position %u is not below %u", positions[i], kDegree);
  if (const int32_t status = check_size("the record", record_size, compressed_bytes(count, bits))) return status;
  compress(ciphertext, ciphertext + kDegree, bits, positions, count, record);
  return SOTTO_OK;
}
