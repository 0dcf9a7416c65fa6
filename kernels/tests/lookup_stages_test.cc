// The stages of a lookup, each against its meaning and its noise formula.
#include <math.h>

#include <algorithm>
#include <numeric>

#include "lookup_support.hpp"

using namespace support;
using sotto::kLweWords;

namespace {

void check_switches(uint32_t setting) {
  Machine& machine = *machines().back();
  const auto keys = lookup_keys(machine, setting);
  const std::vector<uint8_t> z = small_secret(setting);
  const size_t words = z.size() + 1;
  const std::vector<uint32_t> lwe = random_words(1024 * kLweWords, 15);
  std::vector<uint32_t> small(1024 * words), exponents(1024 * words);
  CHECK(sotto_lwe_keyswitch(machine.context, keys.get(), lwe.data(), 1024, small.data()) == SOTTO_OK);
  CHECK(sotto_modulus_switch(keys.get(), small.data(), 1024, 0, exponents.data()) == SOTTO_OK);
  std::vector<double> switched, rounded;
  for (uint32_t i = 0; i < 1024; i++) {
    const uint32_t phase = small_phase(z, small.data() + i * words);
    switched.push_back(double(int32_t(phase - ring_phase(machine, lwe.data() + i * kLweWords))));
    rounded.push_back(double(int32_t((small_phase(z, exponents.data() + i * words) << 20) - phase)));
  }
  // N levels E[d^2] V_key + (2^(2t) / 12) N E[s^2], t = 16, digits uniform in {-2, -1, 0, 1}: E[d^2] = 3 / 2, of which E[d]^2 = 1 / 4 is a shift that depends on the key.
  const double key = (square(1 << sotto::small_set(setting).noise_bound_log) * 2 + 1) / 6, ones = double(std::count(z.begin(), z.end(), 1)), rounding = square(65536) / 12 * N * 2 / 3;
  const std::string name = "key switch, setting " + std::to_string(setting);
  check_variance(name + ", about its mean", switched, Moment::central, N * 8.0 * 1.25 * key + rounding, 32);
  const double mean = std::accumulate(switched.begin(), switched.end(), 0.0) / double(switched.size());
  CHECK(fabs(mean) < 4 * sqrt(N * 8.0 * 0.25 * key));
  if (setting == 1) check_variance(name, switched, Moment::raw, N * 8.0 * 1.5 * key + rounding, 32);
  const double chance = 1.0 / (sotto::small_set(setting).block + 1);
  const double moved = ones * square(1 - chance) + (double(z.size()) - ones) * square(chance);
  check_variance("modulus switch, setting " + std::to_string(setting), rounded, Moment::raw, (1 + moved) / 12 * square(1 << 20), 32);
}

/// n blocks 2 (2 l N (B^2 / 12)) V_key + (n / block) p 2 (2^(2t) / 12) (1 + N E[s^2]), p the chance of a 1 in a block.
double rotation_variance(uint32_t setting) {
  const sotto::Gadget gadget = sotto::lookup_gadget(setting);
  const sotto::SmallSet& set = sotto::small_set(setting);
  const double dropped = 50 - double(gadget.base_log * gadget.level_count), chance = double(set.block) / (set.block + 1);
  return set.dimension * 2.0 * (2.0 * gadget.level_count * N * square(double(1u << gadget.base_log)) / 12) * (129.0 / 6) +
         set.dimension / double(set.block) * chance * 2 * square(exp2(dropped)) / 12 * (1 + N * 2.0 / 3);
}

void check_rotation(uint32_t setting) {
  constexpr uint32_t count = 2;
  Machine& machine = *machines().back();
  const auto keys = lookup_keys(machine, setting);
  const std::vector<uint8_t> z = small_secret(setting);
  const size_t words = z.size() + 1;
  const Words table = random_polynomials(1, 70 + setting);
  std::vector<uint32_t> exponents = random_words(count * words, 80 + setting);
  for (auto& exponent : exponents) exponent %= 2 * N;
  Words accumulators(count * 2 * N), phases(count * N), wanted(N);
  CHECK(sotto_blind_rotate(machine.context, keys.get(), exponents.data(), count, table.data(), accumulators.data()) == SOTTO_OK);
  CHECK(sotto_phase(machine.context, machine.secret, accumulators.data(), count, phases.data()) == SOTTO_OK);
  std::vector<double> samples;
  for (uint32_t i = 0; i < count; i++) {
    machine.context->ring.multiply_by_monomial(-small_phase(z, exponents.data() + i * words) % (2 * N), table.data(), wanted.data());
    for (uint32_t j = 0; j < N; j++) samples.push_back(double(centred((phases[i * N + j] + q - wanted[j]) % q)));
  }
  check_variance("rotation, setting " + std::to_string(setting), samples, Moment::central, rotation_variance(setting), 50);
}

}  // namespace

TEST("the key switch and the modulus switch of lookups follow their noise formulas, also to the twin") {
  for (uint32_t setting : {1u, 11u}) check_switches(setting);
}

TEST("a blind rotation turns the table by the phase and follows its noise formula in settings 1, 2 and 3 and for the twin") {
  for (uint32_t setting : {1u, 2u, 3u, 11u}) check_rotation(setting);
}

TEST("the modulus switch rounds to the nearest multiple of 2^v, ties up, around the circle, and takes the mean drift of the mask off the body") {
  Machine& machine = *machines().back();
  const auto keys = lookup_keys(machine, 1);
  const size_t words = sotto::small_words(keys->small());
  std::vector<uint32_t> small = random_words(words, 16), exponents(words);
  small[0] = UINT32_MAX, small[1] = 1u << 19, small[2] = (1u << 19) - 1, small[3] = 0x7fffffff;
  for (uint32_t v = 0; v <= 3; v++) {
    CHECK(sotto_modulus_switch(keys.get(), small.data(), 1, v, exponents.data()) == SOTTO_OK);
    const double step = exp2(20 + v);
    const auto rounded = [&](uint32_t word) { return (uint32_t(floor(word / step + 0.5)) << v) % (2 * N); };
    double drift = 0;
    for (size_t i = 0; i + 1 < words; i++) {
      CHECK(exponents[i] == rounded(small[i]));
      drift += floor(small[i] / step + 0.5) * step - small[i];
    }
    CHECK(exponents[words - 1] == rounded(small[words - 1] + uint32_t(int64_t(trunc(drift / 4)))));
  }
  CHECK(sotto_modulus_switch(keys.get(), small.data(), 1, 4, exponents.data()) == SOTTO_INVALID_ARGUMENT);
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

TEST("exponents and tables out of range are refused before a rotation") {
  Machine& machine = *machines().back();
  const auto keys = lookup_keys(machine, 1);
  std::vector<uint32_t> exponents(sotto::small_words(keys->small()), 1);
  const Words table(N, 1), bad(N, q);
  Words accumulator(2 * N);
  CHECK(sotto_blind_rotate(machine.context, keys.get(), exponents.data(), 1, bad.data(), accumulator.data()) == SOTTO_INVALID_ARGUMENT);
  exponents.back() = 2 * N;
  CHECK(sotto_blind_rotate(machine.context, keys.get(), exponents.data(), 1, table.data(), accumulator.data()) == SOTTO_INVALID_ARGUMENT);
}
