// Training keys and rgsw from fixed seeds, and clear products: what the tests of training share.
#pragma once

#include "crypto/rgsw.hpp"
#include "crypto/trace_pack.hpp"
#include "lookup_support.hpp"

namespace support {

using TrainingKeys = std::shared_ptr<sotto_training_keys>;
using Rgsw = std::shared_ptr<sotto_rgsw>;
using Integers = std::vector<int32_t>;

constexpr uint32_t kSeeded = 0, kExpanded = 1;
constexpr double kSecretSquare = 2.0 / 3;            // E[s^2], ternary
constexpr double kKeyVariance = (2.0 * 64 + 1) / 6;  // TUniform(3): (2^(2b + 1) + 1) / 6
constexpr double kPublicVariance = kKeyVariance * (1 + 2 * N * kSecretSquare);

/// V = l N (B^2 / 12) V_key + (2^(2t) / 12) N E[s^2], gadget 8, 6 and t = 2.
inline double training_switch_variance() { return 6.0 * N * (square(256) / 12) * kKeyVariance + (square(4) / 12) * N * kSecretSquare; }

Bytes training_payload(Machine& machine);
TrainingKeys load_training_keys(Machine& machine, const Bytes& payload);
/// Those of the last machine, made once and kept.
TrainingKeys training_keys();

/// The record of a polynomial, under the secret key or a public key of it.
Bytes rgsw_record(Machine& machine, uint32_t kind, const Integers& messages, uint8_t seed);
Rgsw load_rgsw(Machine& machine, uint32_t kind, const Bytes& record);
Words external_product(Machine& machine, const Rgsw& rgsw, const Words& ciphertexts);

/// `count` integers in [-bound, bound].
Integers random_integers(size_t count, int32_t bound, uint64_t seed);
/// x y mod X^N + 1, over the integers.
std::vector<int64_t> negacyclic(const Integers& x, const Integers& y);
/// x times a polynomial mod q.
Words negacyclic_mod_q(Machine& machine, const Integers& x, const uint64_t* y);

/// Fresh ciphertexts of messages * scale, N a ciphertext.
Words ciphertexts_of(Machine& machine, const Integers& messages, uint64_t scale, uint8_t seed);
Words phases_of(Machine& machine, const Words& ciphertexts);
/// round(phase / scale) of every coefficient.
std::vector<int64_t> rounded_phases(Machine& machine, const Words& ciphertexts, uint64_t scale);
std::string last_error();
/// FNV-1a of words.
inline uint64_t fingerprint_of(const Words& words) { return fingerprint(words.data(), words.size() * sizeof(uint64_t)); }
void check_answer(const char* stage, uint64_t actual, uint64_t expected);

}  // namespace support
