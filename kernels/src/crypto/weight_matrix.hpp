// Linear models: many data rows in one ciphertext, one product by the (cached, transformed) weights of each score. No evaluation keys.
#pragma once

#include "core/resident_id.hpp"
#include "core/worker_pool.hpp"
#include "crypto/context.hpp"

struct sotto_weight_matrix {
  uint32_t row_count, column_count;
  sotto::Buffer<uint64_t> transformed;  // row_count polynomials
  sotto::ResidentId id{};
};

namespace sotto {

int32_t create_weight_matrix(Context& context, const int32_t* weights, size_t rows, size_t columns, sotto_weight_matrix** matrix);

/// Bytes of the answer to one input ciphertext: for each score a and b at the multiples of D'.
size_t linear_record_bytes(const sotto_weight_matrix& matrix, uint32_t bits);

int32_t submit_linear(Context& context, const sotto_weight_matrix& matrix, const uint8_t* rows, const sotto_evaluate_shape& shape, uint8_t* answers, Job** job);

}  // namespace sotto
