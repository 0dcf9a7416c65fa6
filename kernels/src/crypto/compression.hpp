// Answers: modulus switched from q to 2^bits, a whole and b at the useful coefficients only; and their decryption.
#pragma once

#include "crypto/secret_key.hpp"

namespace sotto {

/// round(x 2^bits / q) mod 2^bits for x in [0, q), bits <= 50.
uint64_t switch_to_power_of_two(uint64_t x, uint32_t bits);

size_t compressed_bytes(size_t useful_count, uint32_t bits);
/// a then b at `positions`, each padded to a whole byte; returns the end. Coefficient order.
uint8_t* compress(const uint64_t* a, const uint64_t* b, uint32_t bits, const uint32_t* positions, size_t count, uint8_t* out);

/// Answers of at most this many bits decrypt exactly: the integer product a s stays below q / 2.
constexpr uint32_t kAnswerBitsMax = 37;
constexpr uint32_t kAnswerBitsMin = 8;

/// values[i] = round(centred phase at positions[i] * (q / 2^bits) / scale); scratch of 2 N words.
void decrypt_compressed(const Context& context, const sotto_secret_key& key, const uint8_t* bytes, uint32_t bits, const uint32_t* positions, size_t count, double scale, double* values, uint64_t* scratch);

}  // namespace sotto
