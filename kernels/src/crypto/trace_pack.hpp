// Packing of lwe with a whole trace: what no input fills is zero, up to noise
// (Chen, Dai, Kim, Song, "Efficient homomorphic conversion between (ring) LWE ciphertexts", ACNS 2021, algorithm 3).
#pragma once

#include "crypto/training_keys.hpp"

namespace sotto {

/// Words of an lwe mod q: N of the mask and the body.
constexpr size_t kRingLweWords = size_t(kDegree) + 1;

size_t trace_pack_workspace_words(uint64_t count);

/// `count` lwe mod q, 1 to N -> one ciphertext (a, b) at the start of `workspace`, in coefficient order: the message of lwe i is coefficient i N / 2^m, unscaled,
/// m = ceil(log2 count); all other coefficients are zero. 2^m - 1 key switches merge and log2 N - m more finish the trace.
void trace_pack(const Context& context, const sotto_training_keys& keys, const uint64_t* lwe, uint64_t count, uint64_t* workspace);

}  // namespace sotto
