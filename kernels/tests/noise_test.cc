// Measured noise against the formulas that plans are made of: the variance over at least 1000 samples must be within 25 % of the formula.
#include <math.h>

#include "harness.hpp"
#include "support.hpp"

using namespace support;

namespace {

constexpr double kKeyVariance = (2.0 * 64 + 1) / 6;  // TUniform(3): (2^(2b + 1) + 1) / 6
constexpr double kSecretSquare = 2.0 / 3;            // E[s^2], ternary

double square(double x) { return x * x; }

/// V = l N (B^2 / 12) V_key + (2^(2t) / 12) N E[s^2], gadget 12, 4 and t = 2.
double keyswitch_variance() { return 4.0 * N * (square(4096) / 12) * kKeyVariance + (square(4) / 12) * N * kSecretSquare; }

double variance(const std::vector<double>& samples) {
  double sum = 0, squares = 0;
  for (double sample : samples) sum += sample, squares += sample * sample;
  const double mean = sum / double(samples.size());
  return squares / double(samples.size()) - mean * mean;
}

void check_variance(const char* what, const std::vector<double>& samples, double formula) {
  const double measured = variance(samples);
  printf("  %s: log2 sigma %.2f measured, %.2f by the formula (%zu samples)\n", what, log2(measured) / 2, log2(formula) / 2, samples.size());
  CHECK(samples.size() >= 1000);
  CHECK(measured < 1.25 * formula && measured > 0.75 * formula);
}

Words phases_of(Machine& machine, const Words& ciphertexts) {
  Words phases(ciphertexts.size() / 2);
  CHECK(sotto_phase(machine.context, machine.secret, ciphertexts.data(), phases.size() / N, phases.data()) == SOTTO_OK);
  return phases;
}

Words expanded(Machine& machine, const Bytes& records, uint32_t bits) {
  Words ciphertexts(records.size() / seeded_bytes(bits) * 2 * N);
  CHECK(sotto_expand(machine.context, records.data(), records.size(), bits, ciphertexts.data(), ciphertexts.size() / (2 * N)) == SOTTO_OK);
  return ciphertexts;
}

std::vector<double> centred_all(const Words& phases) {
  std::vector<double> samples;
  for (uint64_t phase : phases) samples.push_back(double(centred(phase)));
  return samples;
}

}  // namespace

TEST("fresh noise and the rounding of uploads follow their formulas") {
  Machine& machine = *machines().back();
  const std::vector<int32_t> zeros(4, 0);
  check_variance("fresh, 50 bits", centred_all(phases_of(machine, expanded(machine, encrypt(machine, zeros, 1, 1, 50, 10), 50))), kKeyVariance);
  check_variance("fresh, 40 bits", centred_all(phases_of(machine, expanded(machine, encrypt(machine, zeros, 1, 1, 40, 11), 40))), kKeyVariance + square(1024) / 12);
}

TEST("public-key encryption follows its formula") {
  Machine& machine = *machines().back();
  Bytes record(seeded_bytes(50));
  const Bytes seed = seed_of(12);
  CHECK(sotto_public_key_generate(machine.context, machine.secret, seed.data(), record.data(), record.size()) == SOTTO_OK);
  const std::vector<int32_t> zeros(4, 0);
  const sotto_encrypt_shape shape = {4, 1, 1, 50, 0};
  Words ciphertexts(4 * 2 * N);
  CHECK(sotto_encrypt_public(machine.context, record.data(), record.size(), zeros.data(), &shape, seed.data(), ciphertexts.data()) == SOTTO_OK);
  // e u + e1 - e2 s
  check_variance("public key", centred_all(phases_of(machine, ciphertexts)), kKeyVariance * (1 + 2 * N * kSecretSquare));
}

TEST("the key switch of an automorphism follows its formula at every level") {
  Machine& machine = *machines().back();
  for (uint32_t level : {1u, 6u, 11u}) {
    const Words in = random_polynomials(2 * 4, 60 + level);
    Words out(in.size()), image(N);
    CHECK(sotto_automorphism(machine.context, machine.keys, level, in.data(), 4, out.data()) == SOTTO_OK);
    const Words before = phases_of(machine, in), after = phases_of(machine, out);
    std::vector<double> samples;
    for (size_t i = 0; i < 4; i++) {
      machine.context->ring.automorphism(level, before.data() + i * N, image.data());
      for (uint32_t j = 0; j < N; j++) samples.push_back(double(centred((after[i * N + j] + q - image[j]) % q)));
    }
    check_variance(("level " + std::to_string(level)).c_str(), samples, keyswitch_variance());
  }
}

TEST("packing follows its formula: 4^m / 3 key switches and the input's noise") {
  Machine& machine = *machines().back();
  for (const auto& [useful_log, count] : {std::pair<uint32_t, uint32_t>{2, 128}, {0, 512}}) {
    const std::vector<int32_t> zeros(count, 0);
    std::vector<double> samples;
    for (uint8_t run = 0; samples.size() < 1000; run++) {
      const Words in = expanded(machine, encrypt(machine, zeros, 1, 1, 50, uint8_t(20 + run)), 50);
      Words out(2 * N);
      CHECK(sotto_pack(machine.context, machine.keys, useful_log, in.data(), count, out.data()) == SOTTO_OK);
      const Words phases = phases_of(machine, out);
      for (uint32_t i = 0; i < (count << useful_log); i++) samples.push_back(double(centred(phases[i * (N / (count << useful_log))])));
    }
    check_variance((std::to_string(count) + " ciphertexts").c_str(), samples, square(count) / 3 * keyswitch_variance() + kKeyVariance);
  }
}

TEST("a clear product multiplies the variance by the squared norm of its whole weight polynomial") {
  Machine& machine = *machines().back();
  constexpr uint32_t kColumns = 8, kRows = N / kColumns;
  std::vector<int32_t> matrix(kRows * kColumns);
  Random random{80};
  double norm = 0;
  for (auto& weight : matrix) weight = int32_t(random.below(65537)) - 32768, norm += square(weight);
  std::vector<double> samples;
  const std::vector<int32_t> zeros(4, 0);
  const Words in = expanded(machine, encrypt(machine, zeros, 1, 1, 40, 30), 40);
  for (uint32_t i = 0; i < 4; i++) {
    Words out(2 * N);
    CHECK(sotto_clear_matrix_product(machine.context, matrix.data(), kRows, kColumns, in.data() + i * 2 * N, out.data()) == SOTTO_OK);
    for (double sample : centred_all(phases_of(machine, out))) samples.push_back(sample);
  }
  check_variance("product", samples, norm * (kKeyVariance + square(1024) / 12));
}

TEST("the modulus switch of answers follows its formula") {
  Machine& machine = *machines().back();
  std::vector<uint32_t> positions(N);
  for (uint32_t i = 0; i < N; i++) positions[i] = i;
  const Words in = random_polynomials(2, 90), phases = phases_of(machine, in);
  Bytes record(2 * N * 26 / 8);
  CHECK(sotto_compress(machine.context, in.data(), 26, positions.data(), N, record.data(), record.size()) == SOTTO_OK);
  const sotto_decrypt_shape shape = {1, 1, 1, 26, 0};
  std::vector<double> values(N), samples;
  CHECK(sotto_decrypt(machine.context, machine.secret, record.data(), record.size(), &shape, &positions[N - 1] + 0, positions.data(), 0, values.data()) != SOTTO_OK);
  const uint32_t useful = N;
  CHECK(sotto_decrypt(machine.context, machine.secret, record.data(), record.size(), &shape, &useful, positions.data(), N, values.data()) == SOTTO_OK);
  for (uint32_t i = 0; i < N; i++) samples.push_back(remainder(values[i] - double(centred(phases[i])), double(q)));
  check_variance("switch to 26 bits", samples, square(double(q) / (1 << 26)) * (1 + N * kSecretSquare) / 12);
}
