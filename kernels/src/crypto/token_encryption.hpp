// The client's side of products on tokens: encryption of features, decryption of answers.
#pragma once

#include "crypto/token_ring.hpp"

namespace sotto {

/// Checked arguments of sotto_tokens_encrypt_submit; the secret is fresh, and used from now on.
int32_t submit_token_encryption(Context& context, const sotto_token_secret& secret, const uint8_t mask_seed[32], const int32_t* messages, size_t feature_count,
                                const sotto_token_shape& shape, const uint8_t* seed, uint8_t* bodies, Job** job);

/// Checked arguments of sotto_tokens_decrypt_submit.
int32_t submit_token_decryption(Context& context, const sotto_token_secret& secret, const uint8_t* masks, const uint8_t* bodies, size_t row_count,
                                const sotto_token_shape& shape, int32_t* phases, Job** job);

}  // namespace sotto
