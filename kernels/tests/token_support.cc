#include "token_support.hpp"

#include <math.h>

#include <algorithm>

#include "harness.hpp"

namespace support {

Weights Weights::random(size_t rows, size_t columns, uint64_t seed) {
  Random random{seed};
  Weights weights{rows, columns, std::vector<int8_t>(rows * columns)};
  for (auto& value : weights.values) value = random.below(16) ? int8_t(random.next()) : int8_t(-128);
  return weights;
}

Weights Weights::identity(size_t size) {
  Weights weights{size, size, std::vector<int8_t>(size * size)};
  for (size_t i = 0; i < size; i++) weights.values[i * size + i] = 1;
  return weights;
}

Weights Weights::transposed() const {
  Weights other{columns, rows, std::vector<int8_t>(values.size())};
  for (size_t k = 0; k < rows; k++)
    for (size_t j = 0; j < columns; j++) other.values[j * rows + k] = values[k * columns + j];
  return other;
}

double Weights::row_norm() const {
  double largest = 0;
  for (size_t k = 0; k < rows; k++) {
    double sum = 0;
    for (size_t j = 0; j < columns; j++) sum += double(values[k * columns + j]) * values[k * columns + j];
    largest = std::max(largest, sum);
  }
  return sqrt(largest);
}

TokenSecret token_secret(Machine& machine, uint32_t set, uint8_t seed) {
  sotto_token_secret* secret = nullptr;
  CHECK(sotto_token_secret_generate(machine.context, set, seed_of(seed).data(), &secret) == SOTTO_OK);
  return TokenSecret(secret);
}

TokenMatrix token_matrix(Machine& machine, const Weights& weights, const Weights* low) {
  sotto_token_matrix* matrix = nullptr;
  CHECK(sotto_token_matrix_create(machine.context, weights.values.data(), low ? low->values.data() : nullptr, weights.rows, weights.columns, 3, &matrix) == SOTTO_OK);
  CHECK(sotto_token_matrix_bytes(matrix) >= (low ? 4 : 2) * weights.values.size());
  return TokenMatrix(matrix);
}

int32_t finish(sotto_job* job) {
  const int32_t status = sotto_job_wait(job);
  sotto_job_destroy(job);
  return status;
}

Bytes encrypt_tokens(Machine& machine, sotto_token_secret* secret, const std::vector<int32_t>& messages, const sotto_token_shape& shape, const uint8_t* noise_seed) {
  const size_t features = messages.size() / shape.token_count;
  Bytes bodies(features * sotto::packed_bytes(shape.token_count, shape.body_bits));
  sotto_job* job = nullptr;
  CHECK(sotto_tokens_encrypt_submit(machine.context, secret, seed_of(90).data(), messages.data(), features, &shape, noise_seed, bodies.data(), bodies.size(), &job) == SOTTO_OK);
  CHECK(finish(job) == SOTTO_OK);
  return bodies;
}

Bytes multiply_tokens(Machine& machine, const sotto_token_matrix* matrix, uint32_t direction, uint32_t parts, const Bytes& bodies, size_t rows, const sotto_token_shape& shape) {
  const size_t row_bytes = (parts & 2 ? sotto::packed_bytes(shape.set, shape.mask_bits) : 0) + (parts & 1 ? sotto::packed_bytes(shape.token_count, shape.answer_bits) : 0);
  Bytes answer(rows * row_bytes, 0xee);
  sotto_job* job = nullptr;
  const bool with_bodies = parts & 1;
  CHECK(sotto_tokens_product_submit(machine.context, matrix, direction, parts, seed_of(90).data(), with_bodies ? bodies.data() : nullptr, with_bodies ? bodies.size() : 0, &shape, answer.data(),
                                    answer.size(), &job) == SOTTO_OK);
  CHECK(finish(job) == SOTTO_OK);
  return answer;
}

std::vector<int32_t> decrypt_tokens(Machine& machine, const sotto_token_secret* secret, const Bytes& answer, size_t rows, const sotto_token_shape& shape) {
  const size_t mask_bytes = rows * sotto::packed_bytes(shape.set, shape.mask_bits);
  std::vector<int32_t> phases(rows * shape.token_count);
  sotto_job* job = nullptr;
  CHECK(sotto_tokens_decrypt_submit(machine.context, secret, answer.data(), mask_bytes, answer.data() + mask_bytes, answer.size() - mask_bytes, rows, &shape, phases.data(), &job) == SOTTO_OK);
  CHECK(finish(job) == SOTTO_OK);
  return phases;
}

std::vector<int64_t> clear_products(const Weights& weights, const std::vector<int32_t>& messages, uint32_t tokens) {
  std::vector<int64_t> products(weights.rows * tokens, 0);
  for (size_t k = 0; k < weights.rows; k++)
    for (size_t j = 0; j < weights.columns; j++)
      for (uint32_t t = 0; t < tokens; t++) products[k * tokens + t] += int64_t(weights.values[k * weights.columns + j]) * messages[j * tokens + t];
  return products;
}

std::vector<int32_t> random_messages(size_t count, uint32_t bound, uint64_t seed) {
  Random random{seed};
  std::vector<int32_t> messages(count);
  for (auto& message : messages) message = int32_t(random.below(2 * bound - 1)) - int32_t(bound - 1);
  return messages;
}

}  // namespace support
