// Packing with a whole trace: each lwe at its place, zero everywhere else, as noisy as the formula.
#include <math.h>

#include <algorithm>

#include "crypto/pack.hpp"
#include "training_support.hpp"

using namespace support;

namespace {

constexpr size_t kLwe = sotto::kRingLweWords;

Words random_lwe(size_t count, uint64_t seed) {
  Words lwe = random_polynomials(count + count / N + 1, seed);
  lwe.resize(count * kLwe);
  return lwe;
}

Words pack(Machine& machine, const TrainingKeys& keys, const Words& lwe, size_t count) {
  const size_t packs = lwe.size() / kLwe / count;
  Words out(packs * 2 * N);
  CHECK(sotto_trace_pack(machine.context, keys.get(), lwe.data(), count, packs, out.data()) == SOTTO_OK);
  return out;
}

/// Key switches at n + 1 levels, each doubled by the levels after it: (4^(n + 1) - 1) / 3 of one's variance.
double doubled_variance(uint32_t doublings) { return (exp2(2.0 * (doublings + 1)) - 1) / 3 * training_switch_variance(); }

/// Errors of the packed lwe; what lies at odd coefficients, at twice an odd number, and the largest of all that should be zero.
struct Errors {
  std::vector<double> useful, odd, twice_odd;
  double largest_elsewhere = 0;
};

Errors pack_errors(const Words& lwe, size_t count) {
  Machine& machine = *machines().back();
  const Words phases = phases_of(machine, pack(machine, training_keys(), lwe, count));
  const size_t step = N >> sotto::ceil_log2(count);
  Errors errors;
  for (size_t i = 0; i < phases.size(); i++) {
    const size_t place = i % N, input = place / step;
    const double value = double(centred(phases[i]));
    if (place % step == 0 && input < count) {
      errors.useful.push_back(remainder(value - double(ring_phase_mod_q(machine, lwe.data() + (i / N * count + input) * kLwe)), double(q)));
      continue;
    }
    errors.largest_elsewhere = std::max(errors.largest_elsewhere, fabs(value));
    if (place % 2) errors.odd.push_back(value);
    else if (place % 4) errors.twice_odd.push_back(value);
  }
  return errors;
}

}  // namespace

TEST("packs with a whole trace are the same on every back end, and known answers") {
  const Words lwe = random_lwe(6, 30);
  const Bytes payload = training_payload(*machines().back());
  for (Machine* machine : every_machine()) {
    const TrainingKeys keys = load_training_keys(*machine, payload);
    check_answer("two packs of three lwe", fingerprint_of(pack(*machine, keys, lwe, 3)), 0x3f5533c01a9dfa6fu);
    check_answer("a pack of one lwe", fingerprint_of(pack(*machine, keys, Words(lwe.begin(), lwe.begin() + kLwe), 1)), 0xeaa031b7f8932cb6u);
  }
}

TEST("a batch of packs gives what its packs give alone") {
  Machine& machine = *machines().back();
  const Words lwe = random_lwe(4, 31), both = pack(machine, training_keys(), lwe, 2);
  const Words second = pack(machine, training_keys(), Words(lwe.begin() + 2 * kLwe, lwe.end()), 2);
  CHECK(Words(both.begin() + 2 * N, both.end()) == second);
}

TEST("each lwe comes out unscaled at its place and all other coefficients are zero, whatever the count") {
  for (size_t count : {size_t(1), size_t(2), size_t(5), size_t(33), size_t(N)}) {
    const Errors errors = pack_errors(random_lwe(count, 32 + count), count);
    const double bound = 7 * sqrt(doubled_variance(sotto::Context::kLogDegree - 1));
    CHECK(errors.useful.size() == count);
    for (double error : errors.useful) CHECK(fabs(error) < bound);
    CHECK(errors.largest_elsewhere < bound);
  }
}

TEST("the noise of a pack follows its formula at the lwe and, smaller, where there is none") {
  constexpr uint32_t kLevels = sotto::Context::kLogDegree;
  for (const auto& [count, packs] : {std::pair<size_t, size_t>{8, 160}, {32, 40}}) {
    const std::string name = "trace pack of " + std::to_string(count);
    const Errors errors = pack_errors(random_lwe(count * packs, 33 + count), count);
    check_variance(name, errors.useful, Moment::raw, doubled_variance(kLevels - 1), 50);
    check_variance(name + ", odd coefficients", errors.odd, Moment::raw, doubled_variance(0), 50);
    check_variance(name + ", twice odd coefficients", errors.twice_odd, Moment::raw, doubled_variance(1), 50);
  }
}

TEST("coefficients of a ciphertext decrypt after extraction and packing") {
  Machine& machine = *machines().back();
  const Integers messages = random_integers(N, 1000, 34);
  const Words in = ciphertexts_of(machine, messages, uint64_t(1) << 32, 56);
  const uint32_t positions[4] = {0, 7, 1024, N - 1};
  Words lwe(4 * kLwe);
  CHECK(sotto_extract(machine.context, in.data(), positions, 4, lwe.data()) == SOTTO_OK);
  std::vector<int64_t> wanted(N, 0);
  for (uint32_t i = 0; i < 4; i++) wanted[i * N / 4] = messages[positions[i]];
  CHECK(rounded_phases(machine, pack(machine, training_keys(), lwe, 4), uint64_t(1) << 32) == wanted);
}

TEST("counts and words that do not pack are refused by name and nothing is written") {
  Machine& machine = *machines().back();
  const Words lwe(kLwe, 1), bad(kLwe, q);
  Words out(2 * N, 7);
  for (size_t count : {size_t(0), size_t(N) + 1}) {
    CHECK(sotto_trace_pack(machine.context, training_keys().get(), lwe.data(), count, 1, out.data()) == SOTTO_INVALID_ARGUMENT);
    CHECK(last_error() == std::to_string(count) + " lwe do not fit into one ciphertext: 1 to 2048 do");
  }
  CHECK(sotto_trace_pack(machine.context, training_keys().get(), bad.data(), 1, 1, out.data()) == SOTTO_INVALID_ARGUMENT);
  CHECK(last_error() == "a word of the lwe is not below the modulus");
  CHECK(sotto_trace_pack(machine.context, nullptr, lwe.data(), 1, 1, out.data()) == SOTTO_INVALID_ARGUMENT);
  CHECK(out == Words(2 * N, 7));
}
