// Encryption under the secret or the public key, expansion of seeded records, phases.
#pragma once

#include "core/random_source.hpp"
#include "crypto/secret_key.hpp"

namespace sotto {

/// b = a s + e for the mask a (coefficient order, destroyed); b in coefficient order.
bool encrypt_zero(const Context& context, const sotto_secret_key& key, RandomSource& random, uint64_t* a, uint64_t* b);

/// The polynomial of messages[j] * scale mod q added to b; count <= N.
void add_messages(const int32_t* messages, size_t count, uint64_t scale, uint64_t* b);

/// Bytes of a seeded record: seed and b at `bits`.
size_t seeded_record_bytes(uint32_t bits);
void write_seeded(const uint8_t seed[32], const uint64_t* b, uint32_t bits, uint8_t* record);
/// a and b in coefficient order; any bytes give canonical coefficients.
void expand_seeded(const uint8_t* record, uint32_t bits, uint64_t* a, uint64_t* b);
/// b alone.
void read_packed(const uint8_t* bytes, uint32_t bits, uint64_t* b);

/// phase = b - a s, coefficient order; scratch of N words.
void phase(const Context& context, const sotto_secret_key& key, const uint64_t* a, const uint64_t* b, uint64_t* out, uint64_t* scratch);

/// b = b0 u + e1 + m, a = a0 u + e2 with fresh ternary u; `record` is a seeded zero encryption at 50 bits. ciphertext: 2 N words; false without randomness or memory.
bool encrypt_public(const Context& context, const uint8_t* record, RandomSource& random, uint64_t* ciphertext);

}  // namespace sotto
