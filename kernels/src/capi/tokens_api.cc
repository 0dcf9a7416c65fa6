// Products of frozen matrices with blocks of encrypted tokens.
#include <math.h>

#include <memory>
#include <new>

#include "capi/check.hpp"
#include "capi/job.hpp"
#include "core/bits.hpp"
#include "crypto/token_encryption.hpp"
#include "crypto/token_product.hpp"
#include "crypto/token_scaling.hpp"

using namespace sotto;

namespace {

int32_t check_bits(const char* name, uint32_t bits) {
  SOTTO_REQUIRE(bits >= kTokenBitsMin && bits <= kTokenBitsMax, "%s %u is not in [%u, %u]", name, bits, kTokenBitsMin, kTokenBitsMax);
  return SOTTO_OK;
}

int32_t check_shape(const sotto_token_shape* shape) {
  SOTTO_REQUIRE(shape, "shape must not be null");
  SOTTO_REQUIRE(token_set(shape->set), "set %u is neither 1024 nor 2048", shape->set);
  SOTTO_REQUIRE(shape->token_count >= 1 && shape->token_count <= shape->set, "token_count %u is not in [1, %u]", shape->token_count, shape->set);
  if (const int32_t status = check_bits("body_bits", shape->body_bits)) return status;
  if (const int32_t status = check_bits("mask_bits", shape->mask_bits)) return status;
  return check_bits("answer_bits", shape->answer_bits);
}

/// A shape, and `count` polynomials that a call may name.
int32_t check_polynomials(const sotto_token_shape* shape, const char* name, uint64_t count) {
  if (const int32_t status = check_shape(shape)) return status;
  SOTTO_REQUIRE(count >= 1 && count < kCountMax, "%s %llu is not in [1, 2^32 - 1]", name, (unsigned long long)count);
  return SOTTO_OK;
}

int32_t check_secret(const sotto_token_secret* secret, const sotto_token_shape& shape) {
  SOTTO_REQUIRE(secret->set->ring_degree == shape.set, "the secret is one of set %u, the shape says %u", secret->set->ring_degree, shape.set);
  return SOTTO_OK;
}

int32_t check_product(const sotto_token_matrix* matrix, uint32_t direction, uint32_t parts, const uint8_t* mask_seed, const uint8_t* bodies) {
  SOTTO_REQUIRE(direction <= kBackward, "direction %u is neither 0 (W) nor 1 (W^T)", direction);
  SOTTO_REQUIRE(matrix->sides[direction].row_count, "the matrix was not prepared for direction %u", direction);
  SOTTO_REQUIRE(parts >= 1 && parts <= (kBodies | kMasks), "parts %u is not 1 (bodies), 2 (masks) or 3 (both)", parts);
  SOTTO_REQUIRE(!(parts & kBodies) || bodies, "bodies must not be null when they are multiplied");
  SOTTO_REQUIRE(!(parts & kMasks) || mask_seed, "mask_seed must not be null when masks are multiplied");
  return SOTTO_OK;
}

}  // namespace

extern "C" int32_t sotto_token_secret_generate(sotto_context* context, uint32_t set, const uint8_t* seed, sotto_token_secret** secret) {
  SOTTO_REQUIRE(context && secret, "context and secret must not be null");
  const params::Tokens* chosen = token_set(set);
  SOTTO_REQUIRE(chosen, "set %u is neither 1024 nor 2048", set);
  RandomSource random(seed);
  std::unique_ptr<sotto_token_secret> created(new (std::nothrow) sotto_token_secret);
  if (!created) return out_of_memory("a secret");
  if (!created->generate(*context, *chosen, random)) return fail(SOTTO_SYSTEM, "the operating system gives no random bytes, or there is not enough memory");
  *secret = created.release();
  return SOTTO_OK;
}

extern "C" void sotto_token_secret_destroy(sotto_token_secret* secret) { delete secret; }

extern "C" int32_t sotto_tokens_quantise_submit(sotto_context* context, const float* activations, size_t activation_count, const sotto_token_shape* shape, const sotto_token_scaling* scaling,
                                                double* scales, int32_t* messages, size_t message_count, sotto_job** job) {
  SOTTO_REQUIRE(context && activations && scaling && scales && messages && job, "no argument of sotto_tokens_quantise_submit may be null");
  if (const int32_t status = check_polynomials(shape, "feature_count", scaling->feature_count)) return status;
  SOTTO_REQUIRE(scaling->row_norm >= 0 && isfinite(scaling->row_norm), "row_norm must be finite and not negative");
  const uint64_t count = scaling->feature_count * shape->token_count;
  if (const int32_t status = check_size("activations", activation_count * sizeof(float), count * sizeof(float))) return status;
  if (const int32_t status = check_size("messages", message_count * sizeof(int32_t), count * sizeof(int32_t))) return status;
  const double radius = token_radius(*token_set(shape->set), *shape, scaling->feature_count, scaling->row_norm);
  SOTTO_REQUIRE(radius > 0, "a row norm of %g is too large for %llu features: outputs could overflow at any scale", scaling->row_norm, (unsigned long long)scaling->feature_count);
  Job* work = nullptr;
  const int32_t status = submit_quantisation(*context, activations, *shape, scaling->feature_count, radius, scales, messages, &work);
  return status ? status : hand_out(context, work, job);
}

extern "C" int32_t sotto_tokens_encrypt_submit(sotto_context* context, sotto_token_secret* secret, const uint8_t* mask_seed, const int32_t* messages, size_t feature_count,
                                               const sotto_token_shape* shape, const uint8_t* seed, uint8_t* bodies, size_t bodies_size, sotto_job** job) {
  SOTTO_REQUIRE(context && secret && mask_seed && messages && bodies && job, "no argument of sotto_tokens_encrypt_submit but seed may be null");
  if (const int32_t status = check_polynomials(shape, "feature_count", feature_count)) return status;
  if (const int32_t status = check_secret(secret, *shape)) return status;
  if (const int32_t status = check_size("bodies", bodies_size, feature_count * packed_bytes(shape->token_count, shape->body_bits))) return status;
  SOTTO_REQUIRE(!secret->used.exchange(true), "this secret has encrypted before: a secret encrypts once, so that no mask ever meets it twice");
  Job* work = nullptr;
  const int32_t status = submit_token_encryption(*context, *secret, mask_seed, messages, feature_count, *shape, seed, bodies, &work);
  return status ? status : hand_out(context, work, job);
}

extern "C" int32_t sotto_tokens_decrypt_submit(sotto_context* context, const sotto_token_secret* secret, const uint8_t* masks, size_t masks_size, const uint8_t* bodies, size_t bodies_size,
                                               size_t row_count, const sotto_token_shape* shape, int32_t* phases, sotto_job** job) {
  SOTTO_REQUIRE(context && secret && masks && bodies && phases && job, "no argument of sotto_tokens_decrypt_submit may be null");
  if (const int32_t status = check_polynomials(shape, "row_count", row_count)) return status;
  if (const int32_t status = check_secret(secret, *shape)) return status;
  const auto bytes = TokenAnswerBytes::of(*shape, kBodies | kMasks);
  if (const int32_t status = check_size("masks", masks_size, row_count * bytes.mask)) return status;
  if (const int32_t status = check_size("bodies", bodies_size, row_count * bytes.body)) return status;
  Job* work = nullptr;
  const int32_t status = submit_token_decryption(*context, *secret, masks, bodies, row_count, *shape, phases, &work);
  return status ? status : hand_out(context, work, job);
}

extern "C" int32_t sotto_tokens_dequantise_submit(sotto_context* context, const int32_t* phases, size_t row_count, const sotto_token_shape* shape, const double* scales,
                                                  const float* row_scales, float* values, size_t value_count, sotto_job** job) {
  SOTTO_REQUIRE(context && phases && scales && row_scales && values && job, "no argument of sotto_tokens_dequantise_submit may be null");
  if (const int32_t status = check_polynomials(shape, "row_count", row_count)) return status;
  if (const int32_t status = check_size("values", value_count * sizeof(float), row_count * shape->token_count * sizeof(float))) return status;
  Job* work = nullptr;
  const int32_t status = submit_dequantisation(*context, phases, row_count, *shape, scales, row_scales, values, &work);
  return status ? status : hand_out(context, work, job);
}

extern "C" int32_t sotto_token_matrix_create(sotto_context* context, const int8_t* weights, const int8_t* low, size_t rows, size_t columns, uint32_t sides,
                                             sotto_token_matrix** matrix) {
  SOTTO_REQUIRE(context && weights && matrix, "context, weights and matrix must not be null");
  SOTTO_REQUIRE(rows >= 1 && columns >= 1 && rows < kCountMax && columns < kCountMax, "a matrix has between 1 and 2^32 - 1 rows and columns");
  SOTTO_REQUIRE(sides >= 1 && sides <= 3, "sides %u is not 1 (W), 2 (W^T) or 3 (both)", sides);
  std::unique_ptr<sotto_token_matrix> created(new (std::nothrow) sotto_token_matrix);
  if (!created || fill_token_matrix(*context, weights, low, rows, columns, sides, *created)) return out_of_memory("a matrix");
  *matrix = created.release();
  return SOTTO_OK;
}

extern "C" size_t sotto_token_matrix_bytes(const sotto_token_matrix* matrix) { return matrix ? matrix->sides[kForward].bytes() + matrix->sides[kBackward].bytes() : 0; }

extern "C" void sotto_token_matrix_destroy(sotto_token_matrix* matrix) { delete matrix; }

extern "C" int32_t sotto_tokens_product_submit(sotto_context* context, const sotto_token_matrix* matrix, uint32_t direction, uint32_t parts, const uint8_t* mask_seed,
                                               const uint8_t* bodies, size_t bodies_size, const sotto_token_shape* shape, uint8_t* answers, size_t answers_size, sotto_job** job) {
  SOTTO_REQUIRE(context && matrix && answers && job, "context, matrix, answers and job must not be null");
  if (const int32_t status = check_shape(shape)) return status;
  if (const int32_t status = check_product(matrix, direction, parts, mask_seed, bodies)) return status;
  const auto& side = matrix->sides[direction];
  if (const int32_t status = check_size("bodies", bodies_size, parts & kBodies ? side.depth * packed_bytes(shape->token_count, shape->body_bits) : 0)) return status;
  if (const int32_t status = check_size("answers", answers_size, side.row_count * TokenAnswerBytes::of(*shape, parts).row())) return status;
  Job* work = nullptr;
  const int32_t status = submit_token_product(*context, *matrix, direction, parts, mask_seed, bodies, *shape, answers, &work);
  return status ? status : hand_out(context, work, job);
}
