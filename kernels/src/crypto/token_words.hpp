// The loops over single words of tokens: to and from the transform, and out of packed records. They have no order, so that compilers turn them into vector instructions.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace sotto {

/// out[i * lanes + l] = words[l * (2048 / lanes) + i], lanes 1 or 2: polynomials side by side -> one of degree 2048.
void interleave_words(const uint32_t* words, uint32_t lanes, uint64_t* out);

/// The inverse, and from residues mod q of integers below 2^43 in absolute value to these integers mod 2^32.
void separate_words(const uint64_t* residues, uint32_t lanes, uint32_t* words);

/// The top `bits` bits of each word (8 to 32), packed; those below are rounded away, and the top wraps, as words do.
void pack_words(const uint32_t* words, size_t count, uint32_t bits, uint8_t* record);

/// The inverse: `count` values of `bits` bits, each moved to the top of its word.
void unpack_words(const uint8_t* record, size_t count, uint32_t bits, uint32_t* words);

}  // namespace sotto
