// Distributions: public uniform masks from a seed, ternary secrets, TUniform noise.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/random_source.hpp"

namespace sotto {

/// N words uniform in [0, q): low 50 bits of the ChaCha20 words of (seed, index), those not below q skipped.
void expand_mask(const uint8_t seed[32], uint64_t index, uint64_t* mask);

/// `count` values 0, 1, 2 (= -1), uniform. Rejected bytes are independent of the kept ones.
bool sample_ternary(RandomSource& random, uint8_t* values, size_t count);

/// out[i] += e_i mod q for i < N, e_i TUniform(noise_bound_log) of the parameter set: 0 .. +-(2^b - 1) with probability 2^-(b+1) each, +-2^b with half of that. No branch on e.
bool add_noise(RandomSource& random, uint64_t* out);

}  // namespace sotto
