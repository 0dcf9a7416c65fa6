#include <string.h>

#include <memory>
#include <new>

#include "capi/check.hpp"
#include "capi/job.hpp"
#include "core/random_source.hpp"
#include "crypto/compression.hpp"
#include "crypto/encryption.hpp"
#include "crypto/leaf_matrix.hpp"
#include "crypto/weight_matrix.hpp"

using namespace sotto;

namespace {

int32_t check_evaluate_shape(const sotto_evaluate_shape* shape) {
  SOTTO_REQUIRE(shape, "shape must not be null");
  SOTTO_REQUIRE(shape->record_count < kCountMax, "record_count is too large");
  SOTTO_REQUIRE(shape->input_bits >= 24 && shape->input_bits <= Context::kModulusBits, "input_bits %u is not in [24, %u]", shape->input_bits, Context::kModulusBits);
  SOTTO_REQUIRE(shape->answer_bits >= kAnswerBitsMin && shape->answer_bits <= kAnswerBitsMax, "answer_bits %u is not in [%u, %u]", shape->answer_bits, kAnswerBitsMin, kAnswerBitsMax);
  return SOTTO_OK;
}

bool ascending(const uint32_t* offsets, size_t count, uint32_t last) {
  if (offsets[0] != 0 || offsets[count] != last) return false;
  for (size_t i = 0; i < count; i++)
    if (offsets[i] > offsets[i + 1]) return false;
  return true;
}

int32_t check_leaf_matrix(const sotto_leaf_matrix_shape& s, const uint32_t* tree_offsets, const uint32_t* row_offsets, const uint32_t* columns, const int32_t* constants, const uint32_t* labels) {
  SOTTO_REQUIRE(s.plaintext_modulus >= 3 && s.plaintext_modulus < (1u << 20), "plaintext_modulus %u is not in [3, 2^20)", s.plaintext_modulus);
  SOTTO_REQUIRE(s.delta >= 1 && s.delta <= kModulus / s.plaintext_modulus, "delta times plaintext_modulus is above the modulus");
  SOTTO_REQUIRE(s.column_count >= 1 && s.column_count <= 1u << 24, "column_count %u is not in [1, 2^24]", s.column_count);
  SOTTO_REQUIRE(s.label_count >= 1 && s.label_count <= 4096, "label_count %u is not in [1, 4096]", s.label_count);
  SOTTO_REQUIRE(s.tree_count >= 1 && s.leaf_count >= s.tree_count && s.leaf_count <= 1u << 26, "tree or leaf count out of range");
  SOTTO_REQUIRE(uint64_t(s.leaf_count) * (1 + s.label_count) < uint64_t(1) << 31, "too many outputs");
  SOTTO_REQUIRE(ascending(tree_offsets, s.tree_count, s.leaf_count), "tree_offsets do not ascend from 0 to leaf_count");
  SOTTO_REQUIRE(ascending(row_offsets, s.leaf_count, s.literal_count), "row_offsets do not ascend from 0 to literal_count");
  for (uint32_t i = 0; i < s.literal_count; i++) SOTTO_REQUIRE(columns[i] < s.column_count, "column %u of literal %u is not below %u", columns[i], i, s.column_count);
  for (uint32_t i = 0; i < s.leaf_count; i++)
    SOTTO_REQUIRE(constants[i] > -int32_t(s.plaintext_modulus) && constants[i] < int32_t(s.plaintext_modulus), "constant of leaf %u is out of range", i);
  const uint64_t label_total = uint64_t(s.leaf_count) * s.label_count;
  for (uint64_t i = 0; i < label_total; i++) SOTTO_REQUIRE(labels[i] < s.plaintext_modulus, "label %llu is not below the plaintext modulus", (unsigned long long)i);
  return SOTTO_OK;
}

}  // namespace

extern "C" int32_t sotto_evaluation_keys_load(sotto_context* context, const uint8_t* payload, size_t payload_size, sotto_evaluation_keys** keys) {
  SOTTO_REQUIRE(context && payload && keys, "context, payload and keys must not be null");
  if (const int32_t status = check_size("evaluation keys", payload_size, evaluation_keys_payload_bytes())) return status;
  std::unique_ptr<sotto_evaluation_keys> created(new (std::nothrow) sotto_evaluation_keys);
  if (!created || !load_evaluation_keys(*context, payload, *created)) return out_of_memory("evaluation keys");
  *keys = created.release();
  return SOTTO_OK;
}

extern "C" size_t sotto_evaluation_keys_bytes(const sotto_evaluation_keys* keys) { return keys ? (keys->prepared.size() + keys->transformed.size()) * sizeof(uint64_t) : 0; }
extern "C" void sotto_evaluation_keys_destroy(sotto_evaluation_keys* keys) { delete keys; }

extern "C" int32_t sotto_leaf_matrix_create(sotto_context* context, const sotto_leaf_matrix_shape* shape, const uint32_t* tree_offsets, const uint32_t* row_offsets, const uint32_t* columns,
                                            const int8_t* weights, const int32_t* constants, const uint32_t* labels, sotto_leaf_matrix** matrix) {
  SOTTO_REQUIRE(context && shape && tree_offsets && row_offsets && columns && weights && constants && labels && matrix, "no argument of sotto_leaf_matrix_create may be null");
  if (const int32_t status = check_leaf_matrix(*shape, tree_offsets, row_offsets, columns, constants, labels)) return status;
  std::unique_ptr<sotto_leaf_matrix> m(new (std::nothrow) sotto_leaf_matrix);
  if (!m) return out_of_memory("a leaf matrix");
  m->shape = *shape;
  const bool copied = m->tree_offsets.copy_from(tree_offsets, shape->tree_count + 1) && m->row_offsets.copy_from(row_offsets, shape->leaf_count + 1) &&
                      m->columns.copy_from(columns, shape->literal_count) && m->weights.copy_from(weights, shape->literal_count) && m->constants.copy_from(constants, shape->leaf_count) &&
                      m->labels.copy_from(labels, size_t(shape->leaf_count) * shape->label_count);
  if (!copied) return out_of_memory("a leaf matrix");
  *matrix = m.release();
  return SOTTO_OK;
}

extern "C" size_t sotto_leaf_answer_bytes(const sotto_leaf_matrix* matrix, uint32_t bits) {
  return matrix ? AnswerLayout(matrix->output_count(), matrix->shape.column_count).record_bytes(bits) : 0;
}
extern "C" void sotto_leaf_matrix_destroy(sotto_leaf_matrix* matrix) { delete matrix; }

extern "C" int32_t sotto_leaves_submit(sotto_context* context, const sotto_leaf_matrix* matrix, const sotto_evaluation_keys* keys, const uint8_t* rows, size_t rows_size,
                                       const sotto_evaluate_shape* shape, const uint8_t* seed, uint8_t* answers, size_t answers_size, sotto_job** job) {
  SOTTO_REQUIRE(context && matrix && keys && rows && answers && job, "no argument of sotto_leaves_submit but seed may be null");
  if (const int32_t status = check_evaluate_shape(shape)) return status;
  const AnswerLayout layout(matrix->output_count(), matrix->shape.column_count);
  if (const int32_t status = check_size("rows", rows_size, shape->record_count * matrix->chunk_count() * seeded_record_bytes(shape->input_bits))) return status;
  if (const int32_t status = check_size("answers", answers_size, shape->record_count * layout.record_bytes(shape->answer_bits))) return status;
  uint8_t blinding_seed[32];
  RandomSource random(seed);
  if (!random.fill(blinding_seed, sizeof blinding_seed)) return fail(SOTTO_SYSTEM, "the operating system gives no random bytes");
  Job* work = nullptr;
  const int32_t status = submit_leaves(*context, *matrix, *keys, rows, *shape, blinding_seed, answers, &work);
  wipe(blinding_seed, sizeof blinding_seed);
  return status ? status : hand_out(context, work, job);
}

extern "C" int32_t sotto_weight_matrix_create(sotto_context* context, const int32_t* weights, size_t rows, size_t columns, sotto_weight_matrix** matrix) {
  SOTTO_REQUIRE(context && weights && matrix, "context, weights and matrix must not be null");
  SOTTO_REQUIRE(rows >= 1 && rows <= 1u << 16 && columns >= 1 && columns <= kDegree, "%zu rows of %zu columns: 1 to 65536 rows of 1 to %u columns fit", rows, columns, kDegree);
  return create_weight_matrix(*context, weights, rows, columns, matrix);
}

extern "C" size_t sotto_linear_answer_bytes(const sotto_weight_matrix* matrix, uint32_t bits) { return matrix ? linear_record_bytes(*matrix, bits) : 0; }
extern "C" void sotto_weight_matrix_destroy(sotto_weight_matrix* matrix) { delete matrix; }

extern "C" int32_t sotto_linear_submit(sotto_context* context, const sotto_weight_matrix* matrix, const uint8_t* rows, size_t rows_size, const sotto_evaluate_shape* shape, uint8_t* answers,
                                       size_t answers_size, sotto_job** job) {
  SOTTO_REQUIRE(context && matrix && rows && answers && job, "no argument of sotto_linear_submit may be null");
  if (const int32_t status = check_evaluate_shape(shape)) return status;
  if (const int32_t status = check_size("rows", rows_size, shape->record_count * seeded_record_bytes(shape->input_bits))) return status;
  if (const int32_t status = check_size("answers", answers_size, shape->record_count * linear_record_bytes(*matrix, shape->answer_bits))) return status;
  Job* work = nullptr;
  const int32_t status = submit_linear(*context, *matrix, rows, *shape, answers, &work);
  return status ? status : hand_out(context, work, job);
}
