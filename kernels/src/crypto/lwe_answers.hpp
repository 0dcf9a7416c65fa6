// Answers of networks: the lwe of a record packed into one ciphertext, randomised, and compressed.
#pragma once

#include "crypto/answer_mask.hpp"
#include "crypto/lookup_switch.hpp"

namespace sotto {

/// Coefficient of the packed ciphertext that holds lwe i of `count`.
uint32_t lwe_answer_position(uint32_t count, uint32_t i);
size_t lwe_answer_bytes(uint32_t count, uint32_t bits);
/// Of the stream that randomises record `item`.
Nonce lwe_answer_nonce(uint64_t item);
/// round(x q / 2^32).
uint64_t torus_to_ring(uint32_t x);

/// Checked arguments of sotto_lwe_answers_submit; the seed is copied.
int32_t submit_lwe_answers(Context& context, const sotto_evaluation_keys& keys, const uint32_t* lwe, const sotto_lwe_answers_shape& shape, const uint8_t seed[32], uint8_t* answers, Job** job);

}  // namespace sotto
