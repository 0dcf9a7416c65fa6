// Requests on tokens from seeds, on one back end.
#pragma once

#include <memory>

#include "core/bits.hpp"
#include "crypto/token_ring.hpp"
#include "support.hpp"

namespace support {

struct TokenDeleter {
  void operator()(sotto_token_secret* secret) const { sotto_token_secret_destroy(secret); }
  void operator()(sotto_token_matrix* matrix) const { sotto_token_matrix_destroy(matrix); }
};
using TokenSecret = std::unique_ptr<sotto_token_secret, TokenDeleter>;
using TokenMatrix = std::unique_ptr<sotto_token_matrix, TokenDeleter>;

/// rows x columns int8.
struct Weights {
  size_t rows, columns;
  std::vector<int8_t> values;

  static Weights random(size_t rows, size_t columns, uint64_t seed);
  static Weights identity(size_t size);
  Weights transposed() const;
  double row_norm() const;
};

inline sotto_token_shape token_shape(uint32_t set, uint32_t tokens, uint32_t body_bits = 26, uint32_t mask_bits = 22, uint32_t answer_bits = 17) {
  return {set, tokens, body_bits, mask_bits, answer_bits, 0, 5};
}

TokenSecret token_secret(Machine& machine, uint32_t set, uint8_t seed);
/// Of `weights`, or of 4 weights + low.
TokenMatrix token_matrix(Machine& machine, const Weights& weights, const Weights* low = nullptr);
/// Waits and destroys; the status of the wait.
int32_t finish(sotto_job* job);

/// Bodies of messages (feature, token) under a secret of its own or a given one.
Bytes encrypt_tokens(Machine& machine, sotto_token_secret* secret, const std::vector<int32_t>& messages, const sotto_token_shape& shape, const uint8_t* noise_seed);
/// direction 0 or 1; parts as in sotto_tokens_product_submit.
Bytes multiply_tokens(Machine& machine, const sotto_token_matrix* matrix, uint32_t direction, uint32_t parts, const Bytes& bodies, size_t rows, const sotto_token_shape& shape);
/// Phases (row, token) of a fresh answer.
std::vector<int32_t> decrypt_tokens(Machine& machine, const sotto_token_secret* secret, const Bytes& answer, size_t rows, const sotto_token_shape& shape);

/// sum_j W_kj u_jt over the integers: row, token.
std::vector<int64_t> clear_products(const Weights& weights, const std::vector<int32_t>& messages, uint32_t tokens);

/// Messages below `bound` in absolute value.
std::vector<int32_t> random_messages(size_t count, uint32_t bound, uint64_t seed);

}  // namespace support
