#include "crypto/weight_matrix.hpp"

#include <string.h>

#include <new>

#include "backend/cuda/device_job.hpp"
#include "core/modular.hpp"
#include "core/status.hpp"
#include "crypto/compression.hpp"
#include "crypto/encryption.hpp"
#include "crypto/matrix_product.hpp"

namespace sotto {

int32_t create_weight_matrix(Context& context, const int32_t* weights, size_t rows, size_t columns, sotto_weight_matrix** matrix) {
  auto* created = new (std::nothrow) sotto_weight_matrix{uint32_t(rows), uint32_t(columns), {}};
  if (!created || !created->transformed.allocate(rows * kDegree)) {
    delete created;
    return out_of_memory("a weight matrix");
  }
  const ProductLayout layout = ProductLayout::of(columns);
  for (size_t row = 0; row < rows; row++) {
    uint64_t* polynomial = created->transformed.data() + row * kDegree;
    memset(polynomial, 0, kDegree * sizeof(uint64_t));
    for (size_t f = 0; f < columns; f++) layout.set(polynomial, 0, uint32_t(f), residue(weights[row * columns + f], kModulus));
    context.ring.forward(polynomial);
  }
  *matrix = created;
  return SOTTO_OK;
}

size_t linear_record_bytes(const sotto_weight_matrix& matrix, uint32_t bits) {
  return matrix.row_count * compressed_bytes(ProductLayout::of(matrix.column_count).useful(), bits);
}

namespace {

// One item: one input ciphertext.
class LinearJob final : public Job {
 public:
  LinearJob(Context& context, const sotto_weight_matrix& matrix, const uint8_t* rows, const sotto_evaluate_shape& shape, uint8_t* answers)
      : context_(context), matrix_(matrix), rows_(rows), shape_(shape), answers_(answers), layout_(ProductLayout::of(matrix.column_count)) {}

  int32_t run(uint64_t item, Workspace& workspace) override {
    uint64_t* input = workspace.words(2 * kCiphertextWords + kDegree);
    if (!input) return SOTTO_OUT_OF_MEMORY;
    uint64_t* product = input + kCiphertextWords;
    uint32_t* positions = reinterpret_cast<uint32_t*>(product + kCiphertextWords);
    for (uint32_t row = 0; row < layout_.useful(); row++) positions[row] = row * layout_.block;
    expand_seeded(rows_ + item * seeded_record_bytes(shape_.input_bits), shape_.input_bits, input, input + kDegree);
    for (uint32_t part = 0; part < 2; part++) context_.ring.forward(input + part * kDegree);
    uint8_t* out = answers_ + item * linear_record_bytes(matrix_, shape_.answer_bits);
    for (uint32_t score = 0; score < matrix_.row_count; score++) {
      for (uint32_t part = 0; part < 2; part++) {
        context_.ring.multiply(product + part * kDegree, input + part * kDegree, matrix_.transformed.data() + size_t(score) * kDegree);
        context_.ring.inverse(product + part * kDegree);
      }
      out = compress(product, product + kDegree, shape_.answer_bits, positions, layout_.useful(), out);
    }
    return SOTTO_OK;
  }

 private:
  Context& context_;
  const sotto_weight_matrix& matrix_;
  const uint8_t* rows_;
  const sotto_evaluate_shape shape_;
  uint8_t* answers_;
  const ProductLayout layout_;
};

}  // namespace

int32_t submit_linear(Context& context, const sotto_weight_matrix& matrix, const uint8_t* rows, const sotto_evaluate_shape& shape, uint8_t* answers, Job** job) {
  if (const auto* operation = on_device(context, &DeviceOperations::linear))
    return submit_on_device(context, *operation, LinearBatch{&matrix, rows, shape, answers}, shape.record_count, shape.thread_count, job);
  auto* created = new (std::nothrow) LinearJob(context, matrix, rows, shape, answers);
  if (!created) return out_of_memory("a job");
  context.pool.submit(*created, shape.record_count, shape.thread_count);
  *job = created;
  return SOTTO_OK;
}

}  // namespace sotto
