// Layers on lwe: inputs, linear maps, answers.
#include <memory>
#include <new>

#include "capi/check.hpp"
#include "capi/job.hpp"
#include "core/random_source.hpp"
#include "crypto/compression.hpp"
#include "crypto/encryption.hpp"
#include "crypto/lwe_answers.hpp"
#include "crypto/lwe_inputs.hpp"
#include "crypto/lwe_layer.hpp"

using namespace sotto;

namespace {

/// lwe that one worker's phases are handed out by.
constexpr uint64_t kPhaseTile = 64;

int32_t check_layer(const sotto_layer_shape& s, const uint32_t* indices) {
  SOTTO_REQUIRE(s.input_count >= 1 && s.input_count < kPadding, "input_count %u is not in [1, 2^32 - 2]", s.input_count);
  SOTTO_REQUIRE(s.patch_count >= 1 && s.group_count >= 1 && s.rows_per_group >= 1 && s.depth >= 1, "patch_count, group_count, rows_per_group and depth must be at least 1");
  const uint64_t channels = uint64_t(s.group_count) * s.rows_per_group, places = uint64_t(s.group_count) * s.patch_count;
  SOTTO_REQUIRE(channels < kCountMax && channels * s.depth < kCountMax, "a layer of 2^32 weights or more is too large");
  SOTTO_REQUIRE(places < kCountMax && places * s.depth < kCountMax, "a layer of 2^32 indices or more is too large");
  for (uint64_t i = 0; i < places * s.depth; i++)
    SOTTO_REQUIRE(indices[i] < s.input_count || indices[i] == kPadding, "index %u at %llu is neither below input_count %u nor 0xffffffff", indices[i], (unsigned long long)i, s.input_count);
  return SOTTO_OK;
}

/// Fails unless `total` lwe hold `row_count` rows of `count`, `row_stride` apart.
int32_t check_rows(const char* name, uint64_t total, uint64_t row_count, uint64_t row_stride, uint64_t count) {
  SOTTO_REQUIRE(row_count < kCountMax && row_stride < kCountMax, "%s: row_count and row_stride must be below 2^32", name);
  const uint64_t needed = row_count ? (row_count - 1) * row_stride + count : 0;
  if (needed <= total) return SOTTO_OK;
  return fail(SOTTO_MALFORMED, "%s has %llu lwe, %llu are needed", name, (unsigned long long)total, (unsigned long long)needed);
}

int32_t check_range(const sotto_layer& layer, const sotto_layer_range* range, uint64_t input_total, uint64_t output_count) {
  SOTTO_REQUIRE(range, "range must not be null");
  SOTTO_REQUIRE(uint64_t(range->first_patch) + range->patch_count <= layer.shape.patch_count, "patches %u to %llu are not among the layer's %u", range->first_patch,
                (unsigned long long)range->first_patch + range->patch_count, layer.shape.patch_count);
  if (const int32_t status = check_rows("inputs", input_total, range->row_count, range->row_stride, layer.shape.input_count)) return status;
  const uint64_t places = range->row_count * range->patch_count;
  SOTTO_REQUIRE(places < kCountMax, "2^32 patches or more of all rows are too many");
  if (output_count == places * layer.channel_count()) return SOTTO_OK;
  return fail(SOTTO_MALFORMED, "outputs has %llu lwe, %llu are needed", (unsigned long long)output_count, (unsigned long long)(places * layer.channel_count()));
}

int32_t check_inputs_shape(const sotto_inputs_shape* shape) {
  SOTTO_REQUIRE(shape, "shape must not be null");
  SOTTO_REQUIRE(shape->row_count < kCountMax && shape->ciphertexts_per_row >= 1, "row_count is too large, or ciphertexts_per_row is 0");
  SOTTO_REQUIRE(shape->row_count * shape->ciphertexts_per_row < kCountMax, "2^32 ciphertexts or more are too many");
  SOTTO_REQUIRE(shape->input_bits >= 24 && shape->input_bits <= Context::kModulusBits, "input_bits %u is not in [24, %u]", shape->input_bits, Context::kModulusBits);
  const uint64_t most = uint64_t(shape->ciphertexts_per_row) * kDegree;
  SOTTO_REQUIRE(shape->count >= 1 && shape->count <= most, "count %u is not in [1, %llu], the coefficients of a row", shape->count, (unsigned long long)most);
  SOTTO_REQUIRE(shape->row_stride >= shape->count, "rows overlap: row_stride %llu is below count %u", (unsigned long long)shape->row_stride, shape->count);
  return SOTTO_OK;
}

int32_t check_lwe_answers_shape(const sotto_lwe_answers_shape* shape) {
  SOTTO_REQUIRE(shape, "shape must not be null");
  SOTTO_REQUIRE(shape->record_count < kCountMax && shape->row_stride < kCountMax, "record_count and row_stride must be below 2^32");
  SOTTO_REQUIRE(shape->count >= 1 && shape->count <= kDegree, "count %u is not in [1, %u]", shape->count, kDegree);
  SOTTO_REQUIRE(shape->answer_bits >= kAnswerBitsMin && shape->answer_bits <= kAnswerBitsMax, "answer_bits %u is not in [%u, %u]", shape->answer_bits, kAnswerBitsMin, kAnswerBitsMax);
  return SOTTO_OK;
}

uint32_t torus_phase(const uint8_t* secret, const uint32_t* lwe) {
  uint32_t sum = lwe[kDegree];
  for (uint32_t j = 0; j < kDegree; j++) sum -= lwe[j] * (uint32_t(secret[j] & 1) - uint32_t(secret[j] >> 1));
  return sum;
}

}  // namespace

extern "C" int32_t sotto_layer_create(sotto_context* context, const sotto_layer_shape* shape, const int8_t* weights, const uint32_t* indices, const uint32_t* offsets, sotto_layer** layer) {
  SOTTO_REQUIRE(context && shape && weights && indices && offsets && layer, "no argument of sotto_layer_create may be null");
  if (const int32_t status = check_layer(*shape, indices)) return status;
  std::unique_ptr<sotto_layer> created(new (std::nothrow) sotto_layer);
  if (!created || !fill_layer(*context, *shape, weights, indices, offsets, *created)) return out_of_memory("a layer");
  *layer = created.release();
  return SOTTO_OK;
}

extern "C" size_t sotto_layer_bytes(const sotto_layer* layer) {
  return layer ? layer->weights.size() + layer->left.size() + (layer->indices.size() + layer->offsets.size()) * sizeof(uint32_t) : 0;
}

extern "C" void sotto_layer_destroy(sotto_layer* layer) { delete layer; }

extern "C" int32_t sotto_layer_submit(sotto_context* context, const sotto_layer* layer, const uint32_t* inputs, size_t input_total, const sotto_layer_range* range, uint32_t* outputs,
                                      size_t output_count, sotto_job** job) {
  SOTTO_REQUIRE(context && layer && inputs && outputs && job, "no argument of sotto_layer_submit may be null");
  if (const int32_t status = check_range(*layer, range, input_total, output_count)) return status;
  Job* work = nullptr;
  const int32_t status = submit_layer(*context, *layer, inputs, *range, outputs, &work);
  return status ? status : hand_out(context, work, job);
}

extern "C" int32_t sotto_inputs_submit(sotto_context* context, const uint8_t* records, size_t records_size, const sotto_inputs_shape* shape, uint32_t* lwe, size_t lwe_total, sotto_job** job) {
  SOTTO_REQUIRE(context && records && lwe && job, "no argument of sotto_inputs_submit may be null");
  if (const int32_t status = check_inputs_shape(shape)) return status;
  if (const int32_t status = check_size("records", records_size, shape->row_count * shape->ciphertexts_per_row * seeded_record_bytes(shape->input_bits))) return status;
  if (const int32_t status = check_rows("lwe", lwe_total, shape->row_count, shape->row_stride, shape->count)) return status;
  Job* work = nullptr;
  const int32_t status = submit_inputs(*context, records, *shape, lwe, &work);
  return status ? status : hand_out(context, work, job);
}

extern "C" size_t sotto_lwe_answer_bytes(uint32_t count, uint32_t bits) { return lwe_answer_bytes(count, bits); }

extern "C" int32_t sotto_lwe_answers_submit(sotto_context* context, const sotto_evaluation_keys* keys, const uint32_t* lwe, const sotto_lwe_answers_shape* shape, const uint8_t* seed,
                                            uint8_t* answers, size_t answers_size, sotto_job** job) {
  SOTTO_REQUIRE(context && keys && lwe && answers && job, "no argument of sotto_lwe_answers_submit but seed may be null");
  if (const int32_t status = check_lwe_answers_shape(shape)) return status;
  if (const int32_t status = check_size("answers", answers_size, shape->record_count * lwe_answer_bytes(shape->count, shape->answer_bits))) return status;
  uint8_t mask_seed[32];
  RandomSource random(seed);
  if (!random.fill(mask_seed, sizeof mask_seed)) return fail(SOTTO_SYSTEM, "the operating system gives no random bytes");
  Job* work = nullptr;
  const int32_t status = submit_lwe_answers(*context, *keys, lwe, *shape, mask_seed, answers, &work);
  wipe(mask_seed, sizeof mask_seed);
  return status ? status : hand_out(context, work, job);
}

extern "C" int32_t sotto_lwe_phase_u32(sotto_context* context, const sotto_secret_key* key, const uint32_t* lwe, size_t count, uint32_t* phases) {
  SOTTO_REQUIRE(context && key && lwe && phases && count < kCountMax, "context, key, lwe and phases must not be null");
  const uint8_t* secret = key->coefficients.data();
  return parallel_for(context->pool, (count + kPhaseTile - 1) / kPhaseTile, [&](uint64_t item, Workspace&) {
    for (uint64_t i = item * kPhaseTile; i < count && i < (item + 1) * kPhaseTile; i++) phases[i] = torus_phase(secret, lwe + i * kLweWords);
    return SOTTO_OK;
  });
}
