// The server's side: W times the bodies and the masks of a request, two integer matrix products.
#pragma once

#include "crypto/token_matrix.hpp"
#include "crypto/token_ring.hpp"

namespace sotto {

/// Bits of `parts`: b' from the bodies of the request, a' from the masks of its seed.
constexpr uint32_t kBodies = 1, kMasks = 2;

/// Bytes of one row of the answer: of its mask, of its body.
struct TokenAnswerBytes {
  size_t mask, body;
  static TokenAnswerBytes of(const sotto_token_shape& shape, uint32_t parts);
  size_t row() const { return mask + body; }
};

/// Checked arguments of sotto_tokens_product_submit.
int32_t submit_token_product(Context& context, const sotto_token_matrix& matrix, uint32_t direction, uint32_t parts, const uint8_t* mask_seed, const uint8_t* bodies,
                             const sotto_token_shape& shape, uint8_t* answers, Job** job);

}  // namespace sotto
