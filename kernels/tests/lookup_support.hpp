// Lookup keys from fixed seeds, lwe of given phases, and tables of four bits: what the tests of lookups share.
#pragma once

#include <memory>

#include "crypto/lookup.hpp"
#include "harness.hpp"
#include "support.hpp"

namespace support {

constexpr uint32_t kTorusNibble = 1u << 27;  // four bits and a padding bit

using LookupKeys = std::shared_ptr<sotto_lookup_keys>;

/// Lookup keys of the machine's secret, always from the same seed.
Bytes lookup_payload(Machine& machine, uint32_t setting);
LookupKeys load_lookup_keys(Machine& machine, uint32_t setting, const Bytes& payload);
/// Those of the last machine; those of setting 1 are made once and kept.
LookupKeys lookup_keys(Machine& machine, uint32_t setting);
/// The small secret of those keys.
std::vector<uint8_t> small_secret(uint32_t setting);

std::vector<uint32_t> random_words(size_t count, uint64_t seed);
uint32_t ring_phase(Machine& machine, const uint32_t* lwe);
/// The phase mod q, centred.
int64_t ring_phase_mod_q(Machine& machine, const uint64_t* lwe);
/// words[n] - <words, z> mod 2^32: of small lwe, and of exponents.
uint32_t small_phase(const std::vector<uint8_t>& z, const uint32_t* words);
/// lwe under the machine's secret with random masks and the given phases.
std::vector<uint32_t> lwe_of_phases(Machine& machine, const std::vector<uint32_t>& phases, uint64_t seed);

/// The moments agree with the formula to a quarter: of the samples, or about their mean.
enum class Moment { raw, central };
void check_variance(const std::string& what, const std::vector<double>& samples, Moment moment, double formula, double torus);
inline double square(double x) { return x * x; }

sotto_lookup_shape lookup_shape(size_t count, size_t table_count, uint32_t values_log = 0, uint32_t modulus = 0);
/// Submits and waits. Word: uint32_t, or uint64_t for results mod q.
template <class Word = uint32_t>
std::vector<Word> look_up(Machine& machine, const sotto_lookup_keys& keys, const std::vector<uint32_t>& lwe, const Words& tables, const std::vector<uint32_t>& indices, uint32_t values_log = 0,
                          uint32_t thread_count = 0) {
  std::vector<Word> out((indices.size() << values_log) * sotto::kLweWords);
  sotto_lookup_shape shape = lookup_shape(indices.size(), tables.size() / N, values_log, sizeof(Word) == 8);
  shape.thread_count = thread_count;
  sotto_job* job = nullptr;
  CHECK(sotto_lookup_submit(machine.context, &keys, lwe.data(), tables.data(), indices.data(), &shape, out.data(), out.size() * sizeof(Word), &job) == SOTTO_OK);
  CHECK(job && sotto_job_wait(job) == SOTTO_OK);
  sotto_job_destroy(job);
  return out;
}

/// Interleaved tables of functions of four bits: slots of N / 16 positions, centred on the messages; outputs four bits with a padding bit.
template <class Function>
Words nibble_table(Function function, uint32_t values_log = 0) {
  Words table(N);
  for (uint32_t j = 0; j < N; j++) {
    const uint32_t which = j & ((1u << values_log) - 1), slot = (j - which + N / 32) / (N / 16);
    const uint64_t value = uint64_t(double(q) / 32 * function(slot % 16, which));
    table[j] = slot < 16 || value == 0 ? value : q - value;  // the last half slot belongs to message 0 from below
  }
  return table;
}
inline uint32_t nibble_of(uint32_t phase) { return ((phase + kTorusNibble / 2) / kTorusNibble) % 32; }

}  // namespace support
