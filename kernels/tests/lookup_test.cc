// Lookups: every stage against its meaning and its noise formula, the same bytes on every back end.
#include "crypto/lookup.hpp"

#include <math.h>

#include <algorithm>
#include <memory>

#include "core/modular.hpp"
#include "harness.hpp"
#include "support.hpp"

using namespace support;
using sotto::kLwe;
using sotto::kLweWords;
using sotto::kSmallDimension;
using sotto::kSmallLweWords;
using sotto::kSmallRowWords;

namespace {

constexpr uint8_t kKeySeed = 31;
constexpr uint32_t kTorusNibble = 1u << 27;  // four bits and a padding bit

struct KeysDeleter {
  void operator()(sotto_lookup_keys* keys) const { sotto_lookup_keys_destroy(keys); }
};
using Keys = std::unique_ptr<sotto_lookup_keys, KeysDeleter>;

Bytes payload_of(Machine& machine, uint32_t setting) {
  Bytes payload(sotto_lookup_keys_payload_bytes(setting));
  const Bytes seed = seed_of(kKeySeed);
  CHECK(sotto_lookup_keys_generate(machine.context, machine.secret, setting, seed.data(), payload.data(), payload.size()) == SOTTO_OK);
  return payload;
}

Keys load(Machine& machine, uint32_t setting, const Bytes& payload) {
  sotto_lookup_keys* keys = nullptr;
  CHECK(sotto_lookup_keys_load(machine.context, setting, payload.data(), payload.size(), &keys) == SOTTO_OK);
  return Keys(keys);
}

/// The small secret of the keys of kKeySeed.
std::vector<uint8_t> small_secret() {
  sotto::RandomSource random(seed_of(kKeySeed).data());
  std::vector<uint8_t> z(kSmallDimension);
  CHECK(sotto::sample_block_binary(random, z.data()));
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
  for (uint32_t j = 0; j < N; j++) phase -= lwe[j] * uint32_t(machine.secret->coefficients[j] - 3 * (machine.secret->coefficients[j] >> 1));
  return phase;
}

uint32_t small_phase(const std::vector<uint8_t>& z, const uint32_t* small) {
  uint32_t phase = small[kSmallDimension];
  for (uint32_t i = 0; i < kSmallDimension; i++) phase -= small[i] & -uint32_t(z[i]);
  return phase;
}

/// lwe under the machine's secret with random masks and the given phases.
std::vector<uint32_t> lwe_of_phases(Machine& machine, const std::vector<uint32_t>& phases, uint64_t seed) {
  std::vector<uint32_t> lwe = random_words(phases.size() * kLweWords, seed);
  for (size_t i = 0; i < phases.size(); i++) lwe[i * kLweWords + N] += phases[i] - ring_phase(machine, lwe.data() + i * kLweWords);
  return lwe;
}

double square(double x) { return x * x; }

void check_variance(const std::string& what, const std::vector<double>& samples, double formula, double torus) {
  double sum = 0, squares = 0;
  for (double sample : samples) sum += sample, squares += sample * sample;
  const double measured = squares / double(samples.size()) - square(sum / double(samples.size()));
  printf("  %s: log2 of the torus %.2f measured, %.2f by the formula (%zu samples)\n", what.c_str(), log2(measured) / 2 - torus, log2(formula) / 2 - torus, samples.size());
  CHECK(samples.size() >= 1000 && measured < 1.25 * formula && measured > 0.75 * formula);
}

std::vector<uint32_t> look_up(Machine& machine, const sotto_lookup_keys& keys, const std::vector<uint32_t>& lwe, const Words& tables, const std::vector<uint32_t>& indices) {
  std::vector<uint32_t> out(lwe.size());
  sotto_job* job = nullptr;
  CHECK(sotto_lookup_submit(machine.context, &keys, lwe.data(), indices.size(), tables.data(), tables.size() / N, indices.data(), 0, out.data(), &job) == SOTTO_OK);
  CHECK(sotto_job_wait(job) == SOTTO_OK);
  sotto_job_destroy(job);
  return out;
}

/// Table of a function of four bits: slots of N / 16 positions, centred on the messages; outputs four bits with a padding bit.
template <class Function>
Words nibble_table(Function function) {
  Words table(N);
  for (uint32_t f = 0; f < N; f++) {
    const uint32_t slot = (f + N / 32) / (N / 16);
    const uint64_t value = uint64_t(double(q) / 32 * function(slot % 16));
    table[f] = slot < 16 ? value : sotto::negate_mod(value, q);  // the last half slot belongs to message 0 from below
  }
  return table;
}

uint32_t nibble_of(uint32_t phase) { return ((phase + kTorusNibble / 2) / kTorusNibble) % 32; }

}  // namespace

TEST("the small secret has at most one 1 in a block, every state a quarter of the time") {
  uint32_t states[4] = {};
  for (uint8_t seed = 0; seed < 100; seed++) {
    sotto::RandomSource random(seed_of(seed).data());
    std::vector<uint8_t> z(kSmallDimension);
    CHECK(sotto::sample_block_binary(random, z.data()));
    for (uint32_t i = 0; i < kSmallDimension; i += 3) {
      CHECK(z[i] + z[i + 1] + z[i + 2] <= 1);
      states[z[i] + 2 * z[i + 1] + 3 * z[i + 2]]++;
    }
  }
  for (uint32_t count : states) CHECK(count > 6600 && count < 7400);  // of 28,000: 7000 +- 5 sigma
}

TEST("lookup keys travel in at most 25 MB (one level) and 45 MB (two levels)") {
  CHECK(sotto_lookup_keys_payload_bytes(1) <= 25000000);
  CHECK(sotto_lookup_keys_payload_bytes(2) <= 45000000);
  CHECK(sotto_lookup_keys_payload_bytes(0) == 0 && sotto_lookup_keys_payload_bytes(4) == 0);
}

TEST("keys, key switch and lookups are the same on every back end") {
  const Bytes payload = payload_of(*machines().back(), 1);
  CHECK(payload_of(reference(), 1) == payload);
  const std::vector<uint32_t> lwe = random_words(2 * kLweWords, 5), indices = {1, 0};
  const Words tables = random_polynomials(2, 6);
  std::vector<uint32_t> expected;
  for (Machine* machine : machines()) {
    const Keys keys = load(*machine, 1, payload);
    std::vector<uint32_t> found(2 * kSmallLweWords);
    CHECK(sotto_lwe_keyswitch(machine->context, keys.get(), lwe.data(), 2, found.data()) == SOTTO_OK);
    const auto answers = look_up(*machine, *keys, lwe, tables, indices);
    found.insert(found.end(), answers.begin(), answers.end());
    if (expected.empty()) expected = found;
    CHECK(found == expected);
  }
  CHECK(fingerprint(payload.data(), payload.size()) == 0x36dbe4cecfa11dafu);  // known answers of seeds 1 and 31
  CHECK(fingerprint(expected.data(), expected.size() * 4) == 0x4ab20d3655875a38u);
}

TEST("blocks of a rotation are the same on every back end, also for two and three levels") {
  for (uint32_t setting : {1u, 2u, 3u}) {
    const sotto::Gadget gadget = sotto::lookup_gadget(setting);
    const uint32_t rows = 2 * gadget.level_count;
    const Words data = random_polynomials(2 + 3 * rows * 2, 40 + setting);
    const uint32_t exponents[3] = {0, 1234, 2 * N - 1};
    Words expected;
    for (Machine* machine : machines()) {
      const sotto::Ring& ring = machine->context->ring;
      sotto::Buffer<uint64_t> memory(data.size()), digits(rows * N), out(2 * N), scratch(2 * N);
      memcpy(memory.data(), data.data(), data.size() * 8);
      for (uint32_t i = 0; i < 3 * rows * 2; i++) ring.kernels().prepare_block_key(ring.tables(), memory.data() + (2 + i) * N);
      for (uint32_t part = 0; part < 2; part++) ring.kernels().transform_digits(ring.tables(), gadget, memory.data() + part * N, digits.data() + part * gadget.level_count * N, scratch.data());
      ring.kernels().block_product(ring.tables(), 3, rows, exponents, digits.data(), memory.data() + 2 * N, out.data(), out.data() + N, scratch.data());
      const Words found(out.data(), out.data() + 2 * N);
      if (expected.empty()) expected = found;
      CHECK(found == expected);
    }
  }
}

TEST("the key switch and the modulus switch of lookups follow their noise formulas") {
  Machine& machine = *machines().back();
  const Keys keys = load(machine, 1, payload_of(machine, 1));
  const std::vector<uint8_t> z = small_secret();
  const std::vector<uint32_t> lwe = random_words(1024 * kLweWords, 15);
  std::vector<uint32_t> small(1024 * kSmallLweWords), exponents(kSmallRowWords);
  CHECK(sotto_lwe_keyswitch(machine.context, keys.get(), lwe.data(), 1024, small.data()) == SOTTO_OK);
  std::vector<double> switched, rounded;
  const double ones = double(std::count(z.begin(), z.end(), 1));
  for (uint32_t i = 0; i < 1024; i++) {
    const uint32_t phase = small_phase(z, small.data() + i * kSmallLweWords);
    switched.push_back(double(int32_t(phase - ring_phase(machine, lwe.data() + i * kLweWords))));
    sotto::switch_to_exponents(small.data() + i * kSmallLweWords, exponents.data());
    uint32_t position = exponents[kSmallDimension];
    for (uint32_t j = 0; j < kSmallDimension; j++) position -= exponents[j] & -uint32_t(z[j]);
    rounded.push_back(double(int32_t((position << 20) - phase)));
  }
  // N levels E[d^2] V_key + (2^(2t) / 12) N E[s^2], digits uniform in {-2, -1, 0, 1}: E[d^2] = 3 / 2; t = 16
  const double key = (square(1 << kLwe.noise_bound_log) * 2 + 1) / 6;
  check_variance("key switch", switched, N * 8.0 * 1.5 * key + square(65536) / 12 * N * 2 / 3, 32);
  check_variance("modulus switch", rounded, (1 + ones) / 12 * square(1 << 20), 32);
}

TEST("a blind rotation turns the table by the phase and follows its noise formula in all three settings") {
  Machine& machine = *machines().back();
  const std::vector<uint8_t> z = small_secret();
  for (uint32_t setting : {1u, 2u, 3u}) {
    const Keys keys = load(machine, setting, payload_of(machine, setting));
    const Words tables = random_polynomials(2, 70 + setting);
    sotto::Buffer<uint64_t> accumulators(2 * sotto::kCiphertextWords), scratch(sotto::rotate_scratch_words(*keys)), wanted(N), phases(2 * N);
    std::vector<uint32_t> exponents = random_words(2 * kSmallRowWords, 80 + setting);
    for (auto& exponent : exponents) exponent %= 2 * N;
    for (uint32_t i = 0; i < 2; i++) {
      memset(accumulators.data() + i * 2 * N, 0, N * 8);
      machine.context->ring.multiply_by_monomial((2 * N - exponents[i * kSmallRowWords + kSmallDimension]) % (2 * N), tables.data() + i * N, accumulators.data() + i * 2 * N + N);
    }
    sotto::blind_rotate(*machine.context, *keys, exponents.data(), 2, accumulators.data(), scratch.data());
    CHECK(sotto_phase(machine.context, machine.secret, accumulators.data(), 2, phases.data()) == SOTTO_OK);
    std::vector<double> samples;
    for (uint32_t i = 0; i < 2; i++) {
      uint32_t position = exponents[i * kSmallRowWords + kSmallDimension];
      for (uint32_t j = 0; j < kSmallDimension; j++) position -= exponents[i * kSmallRowWords + j] & -uint32_t(z[j]);
      machine.context->ring.multiply_by_monomial((2 * N - position % (2 * N)) % (2 * N), tables.data() + i * N, wanted.data());
      for (uint32_t j = 0; j < N; j++) samples.push_back(double(centred((phases[i * N + j] + q - wanted[j]) % q)));
    }
    // n 2 (2 l N (B^2 / 12)) V_key + (n / 3) (3 / 4) 2 (2^(2t) / 12) (1 + N E[s^2])
    const sotto::Gadget gadget = sotto::lookup_gadget(setting);
    const double dropped = 50 - double(gadget.base_log * gadget.level_count);
    const double formula = kSmallDimension * 2.0 * (2.0 * gadget.level_count * N * square(double(1u << gadget.base_log)) / 12) * (129.0 / 6) +
                           kSmallDimension / 3.0 * 0.75 * 2 * square(exp2(dropped)) / 12 * (1 + N * 2.0 / 3);
    check_variance("rotation, setting " + std::to_string(setting), samples, formula, 50);
  }
}

TEST("exact tables of four bits are looked up right, several tables in one batch") {
  Machine& machine = *machines().back();
  const Keys keys = load(machine, 1, payload_of(machine, 1));
  const auto squared = [](uint32_t x) { return x * x % 16; };
  const auto reversed = [](uint32_t x) { return 15 - x; };
  Words tables = nibble_table(squared);
  const Words second = nibble_table(reversed);
  tables.insert(tables.end(), second.begin(), second.end());
  std::vector<uint32_t> phases, indices;
  for (uint32_t i = 0; i < 160; i++) phases.push_back(i % 16 * kTorusNibble), indices.push_back(i / 16 % 2);
  const auto out = look_up(machine, *keys, lwe_of_phases(machine, phases, 99), tables, indices);
  for (uint32_t i = 0; i < 160; i++) {
    const uint32_t wanted = indices[i] ? reversed(i % 16) : squared(i % 16);
    CHECK(nibble_of(ring_phase(machine, out.data() + i * kLweWords)) == wanted);
  }
}

TEST("extracted coefficients have the phase of their coefficient, on the 32-bit torus") {
  Machine& machine = *machines().back();
  const Words in = random_polynomials(2, 71);
  const uint32_t positions[3] = {0, 17, N - 1};
  std::vector<uint32_t> lwe(3 * kLweWords);
  Words phases(N);
  CHECK(sotto_extract_u32(machine.context, in.data(), positions, 3, lwe.data()) == SOTTO_OK);
  CHECK(sotto_phase(machine.context, machine.secret, in.data(), 1, phases.data()) == SOTTO_OK);
  for (uint32_t i = 0; i < 3; i++) {
    const double error = remainder(double(ring_phase(machine, lwe.data() + i * kLweWords)) - double(phases[positions[i]]) * 0x1p32 / double(q), 0x1p32);
    CHECK(fabs(error) < 200);  // rounding: sqrt((1 + N 2 / 3) / 12) = 10.7
  }
}

TEST("wrong settings, sizes and table indices of lookups are refused") {
  Machine& machine = *machines().back();
  Bytes payload = payload_of(machine, 1);
  sotto_lookup_keys* none = nullptr;
  CHECK(sotto_lookup_keys_load(machine.context, 2, payload.data(), payload.size(), &none) == SOTTO_MALFORMED && !none);
  CHECK(sotto_lookup_keys_load(machine.context, 4, payload.data(), payload.size(), &none) == SOTTO_INVALID_ARGUMENT && !none);
  const Keys keys = load(machine, 1, payload);
  std::vector<uint32_t> lwe(kLweWords), out(kLweWords);
  const Words table(N, 1), bad(N, q);
  const uint32_t zero = 0, one = 1;
  sotto_job* job = nullptr;
  CHECK(sotto_lookup_submit(machine.context, keys.get(), lwe.data(), 1, table.data(), 1, &one, 0, out.data(), &job) == SOTTO_INVALID_ARGUMENT);
  CHECK(sotto_lookup_submit(machine.context, keys.get(), lwe.data(), 1, bad.data(), 1, &zero, 0, out.data(), &job) == SOTTO_INVALID_ARGUMENT);
  CHECK(!job);
}
