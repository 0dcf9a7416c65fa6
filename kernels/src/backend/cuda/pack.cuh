// Ciphertexts into and through the merge trees of packs (crypto/pack.hpp, crypto/trace_pack.cc), level by level over a whole batch.
#pragma once

#include "backend/cuda/lane.cuh"

namespace sotto::cuda {

/// Gadget keys and other transformed canonical polynomials as the field's keys.
int32_t upload_as_keys(Lane& lane, const uint64_t* polynomials, size_t count, void* keys);

/// Polynomials in place: canonical coefficients times 2^-exponent -> transformed, as the field's keys.
int32_t transform_to_keys(Lane& lane, uint64_t* polynomials, uint32_t count, uint32_t exponent);

/// Each lwe, N mask words and a body, on the torus or mod q -> a transformed ciphertext with 2^-exponent of its message at coefficient 0.
int32_t embed_lwe(Lane& lane, const uint32_t* lwe, uint32_t count, uint32_t exponent, uint64_t* ciphertexts);
int32_t embed_lwe(Lane& lane, const uint64_t* lwe, uint32_t count, uint32_t exponent, uint64_t* ciphertexts);

/// `count` transformed ciphertexts of each of `packs` packs -> the packed one at the first place of each pack; the others are overwritten.
struct PackTask {
  const void* keys;  // as on the CPU, as keys of the field
  uint32_t useful_log, count, packs;
  uint64_t* ciphertexts;
};
/// With evaluation keys.
int32_t pack(Lane& lane, const PackTask& task);
/// With training keys and the trace over all levels that are left; results in coefficient order, one ciphertext a pack.
int32_t pack_with_trace(Lane& lane, const PackTask& task, uint64_t* results);

}  // namespace sotto::cuda
