#include "lookup_support.hpp"

#include <math.h>

namespace support {

namespace {
constexpr uint8_t kKeySeed = 31;

uint32_t ternary(Machine& machine, uint32_t j) { return uint32_t(machine.secret->coefficients[j] - 3 * (machine.secret->coefficients[j] >> 1)); }
}  // namespace

Bytes lookup_payload(Machine& machine, uint32_t setting) {
  Bytes payload(sotto_lookup_keys_payload_bytes(setting));
  const Bytes seed = seed_of(kKeySeed);
  CHECK(sotto_lookup_keys_generate(machine.context, machine.secret, setting, seed.data(), payload.data(), payload.size()) == SOTTO_OK);
  return payload;
}

LookupKeys load_lookup_keys(Machine& machine, uint32_t setting, const Bytes& payload) {
  sotto_lookup_keys* keys = nullptr;
  CHECK(sotto_lookup_keys_load(machine.context, setting, payload.data(), payload.size(), &keys) == SOTTO_OK);
  return LookupKeys(keys, sotto_lookup_keys_destroy);
}

LookupKeys lookup_keys(Machine& machine, uint32_t setting) {
  static LookupKeys first;
  CHECK(&machine == machines().back());
  if (setting != 1) return load_lookup_keys(machine, setting, lookup_payload(machine, setting));
  if (!first) first = load_lookup_keys(machine, 1, lookup_payload(machine, 1));
  return first;
}

std::vector<uint8_t> small_secret(uint32_t setting) {
  sotto::RandomSource random(seed_of(kKeySeed).data());
  std::vector<uint8_t> z(sotto::small_set(setting).dimension);
  CHECK(sotto::sample_block_binary(sotto::small_set(setting), random, z.data()));
  return z;
}

std::vector<uint32_t> random_words(size_t count, uint64_t seed) {
  Random random{seed};
  std::vector<uint32_t> words(count);
  for (auto& word : words) word = uint32_t(random.next());
  return words;
}

uint32_t ring_phase(Machine& machine, const uint32_t* lwe) {
  uint32_t phase = lwe[N];
  for (uint32_t j = 0; j < N; j++) phase -= lwe[j] * ternary(machine, j);
  return phase;
}

int64_t ring_phase_mod_q(Machine& machine, const uint64_t* lwe) {
  int64_t sum = int64_t(lwe[N]);  // N terms below 2^50 each stay below 2^62
  for (uint32_t j = 0; j < N; j++) sum -= int64_t(lwe[j]) * int32_t(ternary(machine, j));
  const int64_t rest = sum % int64_t(q);
  return centred(uint64_t(rest < 0 ? rest + int64_t(q) : rest));
}

uint32_t small_phase(const std::vector<uint8_t>& z, const uint32_t* words) {
  uint32_t phase = words[z.size()];
  for (size_t i = 0; i < z.size(); i++) phase -= words[i] & -uint32_t(z[i]);
  return phase;
}

std::vector<uint32_t> lwe_of_phases(Machine& machine, const std::vector<uint32_t>& phases, uint64_t seed) {
  std::vector<uint32_t> lwe = random_words(phases.size() * sotto::kLweWords, seed);
  for (size_t i = 0; i < phases.size(); i++) {
    uint32_t* one = lwe.data() + i * sotto::kLweWords;
    one[N] += phases[i] - ring_phase(machine, one);
  }
  return lwe;
}

void check_variance(const std::string& what, const std::vector<double>& samples, Moment moment, double formula, double torus) {
  double sum = 0, squares = 0;
  for (double sample : samples) sum += sample, squares += square(sample);
  const double mean = moment == Moment::central ? sum / double(samples.size()) : 0, measured = squares / double(samples.size()) - square(mean);
  printf("  %s: log2 of the torus %.2f measured, %.2f by the formula (%zu samples)\n", what.c_str(), log2(measured) / 2 - torus, log2(formula) / 2 - torus, samples.size());
  CHECK(samples.size() >= 1000 && measured < 1.25 * formula && measured > 0.75 * formula);
}

sotto_lookup_shape lookup_shape(size_t count, size_t table_count, uint32_t values_log, uint32_t modulus) {
  sotto_lookup_shape shape = {};
  shape.count = count, shape.table_count = table_count, shape.values_log = values_log, shape.modulus = modulus;
  return shape;
}

}  // namespace support
