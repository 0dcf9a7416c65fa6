// What every answer of a private model gets before it is switched: without it the mask is a clear linear image of the request's, and weights could be solved for.
#pragma once

#include "crypto/evaluation_keys.hpp"

namespace sotto {

/// Useful coefficients of an answer carry noise uniform in [-2^kFloodLog, 2^kFloodLog): it drowns the noise that depends on the model.
constexpr uint32_t kFloodLog = 30;

/// (a, b), transformed -> coefficient order, plus a fresh encryption of zero under the client's public key, (a0 u + e1, b0 u), and the flood at `count` positions of b.
/// False when there is no memory.
bool randomise_answer(const Context& context, const sotto_evaluation_keys& keys, RandomSource& random, const uint32_t* positions, size_t count, uint64_t* ciphertext);

/// What it draws, in the same order: the ternary u, the noise of the mask and the flood of `count` useful coefficients, both mod q.
bool draw_answer_mask(RandomSource& random, size_t count, uint8_t* ternary, uint64_t* noise, uint64_t* flood);

}  // namespace sotto
