// Float activations to integer messages that cannot overflow, and phases back to floats.
//
// The client picks one scale a token, u_tj = round(scale_t x_tj), so that no output of W leaves the centred 32-bit range, whatever the activations, the noise and
// the rounding on the wire. Output k of token t is the phase
//   <W_k, u_t> + <W_k, e_t> + r_b - <r_a, s>   mod 2^32,
// e_tj noise and rounding of an upload, |e_tj| <= B = 2^bound_log + 2^(31 - body_bits), |r_b| <= 2^(31 - answer_bits) and |<r_a, s>| <= N 2^(31 - mask_bits) rounding of
// an answer. With F features, Cauchy-Schwarz gives |<W_k, u_t + e_t>| <= |W_k| (|u_t| + sqrt(F) B), and rounding |u_t| <= scale_t |x_t| + sqrt(F) / 2. So
//   scale_t |x_t| <= radius = (2^31 - 2 - 2^(31 - answer_bits) - N 2^(31 - mask_bits)) / max_k |W_k| - sqrt(F) (B + 1/2)
// keeps every output below 2^31 - 1 in absolute value: overflow is impossible. (The radius is shortened by one part in 2^40 for the rounding of doubles.)
#pragma once

#include "crypto/token_ring.hpp"

namespace sotto {

/// The radius above, not above 0 when the matrix is too large for the modulus. row_norm: max_k |W_k|, taken as 1 at least.
double token_radius(const params::Tokens& set, const sotto_token_shape& shape, uint64_t feature_count, double row_norm);

/// Checked arguments of sotto_tokens_quantise_submit; radius > 0.
int32_t submit_quantisation(Context& context, const float* activations, const sotto_token_shape& shape, uint64_t feature_count, double radius, double* scales,
                            int32_t* messages, Job** job);

/// Checked arguments of sotto_tokens_dequantise_submit.
int32_t submit_dequantisation(Context& context, const int32_t* phases, size_t row_count, const sotto_token_shape& shape, const double* scales, const float* row_scales,
                              float* values, Job** job);

}  // namespace sotto
