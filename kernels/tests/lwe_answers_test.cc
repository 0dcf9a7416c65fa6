// Answers of lwe: what they decrypt to, their noise, the same bytes everywhere.
#include "crypto/lwe_answers.hpp"

#include <math.h>

#include "harness.hpp"
#include "support.hpp"

using namespace support;
using sotto::kLweWords;
using Lwe = std::vector<uint32_t>;

namespace {

constexpr double kKeyVariance = (2.0 * 64 + 1) / 6, kSecretSquare = 2.0 / 3;

double square(double x) { return x * x; }

/// lwe of given phases with random masks.
Lwe lwe_of(Machine& machine, const Lwe& phases, uint64_t seed) {
  Random random{seed};
  Lwe lwe(phases.size() * kLweWords), given(phases.size());
  for (auto& word : lwe) word = uint32_t(random.next());
  CHECK(sotto_lwe_phase_u32(machine.context, machine.secret, lwe.data(), phases.size(), given.data()) == SOTTO_OK);
  for (size_t i = 0; i < phases.size(); i++) lwe[i * kLweWords + N] += phases[i] - given[i];
  return lwe;
}

sotto_lwe_answers_shape shape_of(uint64_t records, uint32_t count, uint32_t bits, uint64_t stride, uint32_t threads = 0) { return {records, count, bits, threads, 0, stride}; }

Bytes answers_of(Machine& machine, const Lwe& lwe, const sotto_lwe_answers_shape& shape, uint8_t seed) {
  Bytes answers(shape.record_count * sotto_lwe_answer_bytes(shape.count, shape.answer_bits));
  const Bytes mask_seed = seed_of(seed);
  sotto_job* job = nullptr;
  CHECK(sotto_lwe_answers_submit(machine.context, machine.keys, lwe.data(), &shape, seed ? mask_seed.data() : nullptr, answers.data(), answers.size(), &job) == SOTTO_OK);
  CHECK(sotto_job_wait(job) == SOTTO_OK && sotto_job_progress(job) == 65536);
  sotto_job_destroy(job);
  return answers;
}

std::vector<double> decrypted(Machine& machine, const Bytes& answers, const sotto_lwe_answers_shape& shape, uint64_t scale) {
  Lwe positions;
  for (uint32_t i = 0; i < shape.count; i++) positions.push_back(sotto::lwe_answer_position(shape.count, i));
  const sotto_decrypt_shape how = {shape.record_count, scale, 1, shape.answer_bits, 0};
  std::vector<double> values(shape.record_count * shape.count);
  CHECK(sotto_decrypt(machine.context, machine.secret, answers.data(), answers.size(), &how, &shape.count, positions.data(), positions.size(), values.data()) == SOTTO_OK);
  return values;
}

}  // namespace

TEST("answers of lwe decrypt to their values, same bytes on every back end and thread count") {
  Machine& machine = *machines().back();
  for (uint32_t count : {1u, 3u, 10u}) {
    const uint32_t stride = count + 2;
    Lwe phases(stride + count);
    for (uint32_t i = 0; i < phases.size(); i++) phases[i] = uint32_t(int32_t(i) - 6) << 20;
    const Lwe lwe = lwe_of(machine, phases, count);
    const Bytes expected = answers_of(machine, lwe, shape_of(2, count, 26, stride, 1), 30);
    for (Machine* other : every_machine()) CHECK(answers_of(*other, lwe, shape_of(2, count, 26, stride, 2), 30) == expected);
    const auto values = decrypted(machine, expected, shape_of(2, count, 26, stride), q >> 12);
    for (uint32_t record = 0; record < 2; record++)
      for (uint32_t i = 0; i < count; i++) CHECK(values[record * count + i] == int32_t(record * stride + i) - 6);
    if (count == 3) CHECK(fingerprint(expected.data(), expected.size()) == 0x1d52f3e421cabe81u);
  }
}

TEST("answers without a seed differ each time and decrypt all the same") {
  Machine& machine = *machines().back();
  const Lwe lwe = lwe_of(machine, {5u << 24, 9u << 24}, 40);
  const auto shape = shape_of(1, 2, 26, 2);
  const Bytes first = answers_of(machine, lwe, shape, 0), second = answers_of(machine, lwe, shape, 0);
  CHECK(first != second);
  for (const Bytes* answers : {&first, &second}) CHECK((decrypted(machine, *answers, shape, q >> 8) == std::vector<double>{5, 9}));
}

TEST("the noise of answers follows its formula: the flood, the packing, both switches") {
  Machine& machine = *machines().back();
  constexpr uint32_t kCount = 1024, kBits = 30;
  const Lwe lwe = lwe_of(machine, Lwe(kCount, 0), 41);
  const auto shape = shape_of(1, kCount, kBits, kCount);
  double sum = 0;
  for (double value : decrypted(machine, answers_of(machine, lwe, shape, 42), shape, 1)) sum += value * value;
  const double switch_variance = 4.0 * N * (square(4096) / 12) * kKeyVariance + (square(4) / 12) * N * kSecretSquare;  // of one key switch, gadget 12, 4
  const double rounding = (1 + N * kSecretSquare) / 12;
  const double formula = exp2(2 * sotto::kFloodLog) / 3 + square(kCount) / 3 * switch_variance + rounding * square(double(q) / exp2(kBits)) + kKeyVariance * (1 + 2 * N * kSecretSquare) + rounding;
  printf("  answers of %u: log2 sigma %.2f measured, %.2f by the formula\n", kCount, log2(sum / kCount) / 2, log2(formula) / 2);
  CHECK(sum / kCount < 1.25 * formula && sum / kCount > 0.75 * formula);
}

TEST("words of the torus become residues by rounding") {
  Random random{43};
  for (uint32_t i = 0; i < 2000; i++) {
    const uint32_t x = i < 3 ? uint32_t(-int32_t(i)) : uint32_t(random.next());
    const long double exact = (long double)x * q / 0x1p32L;
    CHECK(sotto::torus_to_ring(x) < q && fabsl((long double)sotto::torus_to_ring(x) - exact) <= 0.5L);
  }
}

TEST("wrong shapes and sizes of answers and cancelled ones are refused") {
  Machine& machine = *machines().back();
  const Lwe lwe(600 * kLweWords);
  Bytes answers(600 * sotto_lwe_answer_bytes(1, 26));
  sotto_job* job = nullptr;
  const auto submit = [&](const sotto_lwe_answers_shape& shape, size_t size) { return sotto_lwe_answers_submit(machine.context, machine.keys, lwe.data(), &shape, nullptr, answers.data(), size, &job); };
  CHECK(submit(shape_of(1, 0, 26, 1), 0) == SOTTO_INVALID_ARGUMENT);
  CHECK(submit(shape_of(1, N + 1, 26, 1), 0) == SOTTO_INVALID_ARGUMENT);
  CHECK(submit(shape_of(1, 1, 38, 1), 0) == SOTTO_INVALID_ARGUMENT);
  CHECK(submit(shape_of(1, 1, 26, 1), answers.size()) == SOTTO_MALFORMED);
  CHECK(!job);
  CHECK(submit(shape_of(600, 1, 26, 1), answers.size()) == SOTTO_OK);
  sotto_job_cancel(job);
  CHECK(sotto_job_wait(job) == SOTTO_CANCELLED);
  sotto_job_destroy(job);
}
