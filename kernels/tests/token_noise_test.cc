// Errors of products on tokens against their formulas, and scales at which nothing can overflow.
#include <math.h>

#include <algorithm>

#include "crypto/token_scaling.hpp"
#include "harness.hpp"
#include "token_support.hpp"

using namespace support;

namespace {

double tuniform_variance(uint32_t bound_log) { return (ldexp(1, int(2 * bound_log + 1)) + 1) / 6; }
/// Of rounding to `bits` of 32.
double rounding_variance(uint32_t bits) { return bits == 32 ? 0 : ldexp(1, int(2 * (32 - bits))) / 12; }

double mean_square(const std::vector<int32_t>& phases, const std::vector<int64_t>& expected) {
  double sum = 0;
  for (size_t i = 0; i < phases.size(); i++) sum += double(phases[i] - expected[i]) * double(phases[i] - expected[i]);
  return sum / double(phases.size());
}

void check_variance(const Weights& weights, const sotto_token_shape& shape, double formula) {
  Machine& machine = *machines().back();
  const auto secret = token_secret(machine, shape.set, 61);
  const auto matrix = token_matrix(machine, weights);
  const auto messages = random_messages(weights.columns * shape.token_count, 1 << 14, 62);
  const Bytes bodies = encrypt_tokens(machine, secret.get(), messages, shape, seed_of(63).data());
  const Bytes answer = multiply_tokens(machine, matrix.get(), 0, 3, bodies, weights.rows, shape);
  const double measured = mean_square(decrypt_tokens(machine, secret.get(), answer, weights.rows, shape), clear_products(weights, messages, shape.token_count));
  if (measured < 0.75 * formula || measured > 1.25 * formula)
    harness::report_failure(__FILE__, __LINE__, "variance " + std::to_string(measured) + " where the formula gives " + std::to_string(formula));
}

double mean_square_norm(const Weights& weights) {
  double sum = 0;
  for (const int8_t w : weights.values) sum += double(w) * w;
  return sum / double(weights.rows);
}

struct Quantised {
  std::vector<double> scales;
  std::vector<int32_t> messages;

  Quantised(Machine& machine, const std::vector<float>& activations, const sotto_token_shape& shape, double row_norm) : scales(shape.token_count), messages(activations.size()) {
    const sotto_token_scaling scaling = {row_norm, activations.size() / shape.token_count};
    sotto_job* job = nullptr;
    CHECK(sotto_tokens_quantise_submit(machine.context, activations.data(), activations.size(), &shape, &scaling, scales.data(), messages.data(), messages.size(), &job) == SOTTO_OK);
    CHECK(finish(job) == SOTTO_OK);
  }
};

}  // namespace

TEST("fresh noise of tokens has the variance of its distribution and stays within its bound") {
  for (const auto* set : {&sotto::params::tokens_1024_q32, &sotto::params::tokens_2048_q32}) {
    sotto::RandomSource random(seed_of(5).data());
    std::vector<uint32_t> words(N, 0);
    double sum = 0, square = 0;
    int32_t largest = 0;
    for (int round = 0; round < 20; round++) {
      std::fill(words.begin(), words.end(), 0);
      CHECK(sotto::add_token_noise(*set, random, words.data(), N));
      for (const uint32_t word : words) {
        sum += int32_t(word), square += double(int32_t(word)) * int32_t(word);
        largest = std::max(largest, abs(int32_t(word)));
      }
    }
    const double count = 20.0 * N, variance = tuniform_variance(set->noise_bound_log);
    CHECK(fabs(square / count / variance - 1) < 0.05 && fabs(sum / count) < 5 * sqrt(variance / count) && largest == 1 << set->noise_bound_log);
  }
}

TEST("errors of outputs are noise, rounding of uploads and rounding of answers, each by its formula") {
  const Weights weights = Weights::random(24, 40, 64), one = Weights::identity(40);
  for (const uint32_t set : {1024u, 2048u}) {
    const double noise = tuniform_variance(set == 1024 ? 9 : 3), norm = mean_square_norm(weights);
    check_variance(weights, token_shape(set, 100, 32, 32, 32), norm * noise);
    check_variance(weights, token_shape(set, 100, 20, 32, 32), norm * (noise + rounding_variance(20)));
    check_variance(one, token_shape(set, 100, 32, 32, 14), noise + rounding_variance(14));
    check_variance(one, token_shape(set, 100, 32, 18, 32), noise + rounding_variance(18) * set * 2 / 3);
    check_variance(weights, token_shape(set, 100), norm * (noise + rounding_variance(26)) + rounding_variance(17) + rounding_variance(22) * set * 2 / 3);
  }
}

TEST("activations along the longest row, the worst that there are, never overflow, and use the whole range") {
  Machine& machine = *machines().back();
  for (const uint32_t set : {1024u, 2048u})
    for (const size_t features : {1, 3, 97, 700}) {
      Weights weights = Weights::random(6, features, features);
      for (size_t j = 0; j < features; j++) weights.values[2 * features + j] = j % 2 ? 127 : -128;  // the longest
      for (size_t j = 0; j < features; j++) weights.values[3 * features + j] = int8_t(-weights.values[2 * features + j] - 1);
      const auto shape = token_shape(set, 8);
      std::vector<float> activations(8 * features);
      for (size_t t = 0; t < 8; t++)
        for (size_t j = 0; j < features; j++) activations[t * features + j] = float(ldexp(weights.values[2 * features + j], int(9 * t) - 40)) * (t % 2 ? -1 : 1);
      const Quantised quantised(machine, activations, shape, weights.row_norm());
      const auto exact = clear_products(weights, quantised.messages, 8);
      const auto secret = token_secret(machine, set, 6);
      const Bytes bodies = encrypt_tokens(machine, secret.get(), quantised.messages, shape, nullptr);
      const Bytes answer = multiply_tokens(machine, token_matrix(machine, weights).get(), 0, 3, bodies, 6, shape);
      const auto phases = decrypt_tokens(machine, secret.get(), answer, 6, shape);
      const double margin = ldexp(1, 31) - ldexp(1, 31 - 17) - set * ldexp(1, 31 - 22) - sqrt(double(features)) * weights.row_norm() * ((set == 1024 ? 512 : 8) + 32);
      for (size_t i = 0; i < phases.size(); i++) {
        CHECK(double(std::abs(exact[i])) <= margin);
        CHECK(std::abs(phases[i] - exact[i]) < ldexp(1, 28));  // a wrap would be an error of 2^32
      }
      for (size_t t = 0; t < 8; t++) CHECK(double(std::abs(exact[2 * 8 + t])) > 0.98 * (margin - sqrt(double(features)) * weights.row_norm() * 1.5));
    }
}

TEST("scales turn activations into messages and phases back into values, token by token") {
  Machine& machine = *machines().back();
  const auto shape = token_shape(2048, 37);
  const size_t features = 50;
  const Weights weights = Weights::random(19, features, 3);
  std::vector<float> activations(37 * features), row_scales(19), values(37 * 19);
  Random random{9};
  for (size_t t = 0; t < 37; t++)
    for (size_t j = 0; j < features; j++) activations[t * features + j] = t == 5 ? 0 : float(int64_t(random.below(2001)) - 1000) * float(ldexp(1, int(t) - 20));
  for (size_t k = 0; k < 19; k++) row_scales[k] = 0.01f * float(k + 1);
  const Quantised quantised(machine, activations, shape, weights.row_norm());
  CHECK(isinf(quantised.scales[5]));
  const auto secret = token_secret(machine, 2048, 6);
  const Bytes bodies = encrypt_tokens(machine, secret.get(), quantised.messages, shape, nullptr);
  const auto phases = decrypt_tokens(machine, secret.get(), multiply_tokens(machine, token_matrix(machine, weights).get(), 0, 3, bodies, 19, shape), 19, shape);
  sotto_job* job = nullptr;
  CHECK(sotto_tokens_dequantise_submit(machine.context, phases.data(), 19, &shape, quantised.scales.data(), row_scales.data(), values.data(), values.size(), &job) == SOTTO_OK);
  CHECK(finish(job) == SOTTO_OK);
  for (size_t t = 0; t < 37; t++)
    for (size_t k = 0; k < 19; k++) {
      double exact = 0, norm = 0;
      for (size_t j = 0; j < features; j++) {
        exact += double(weights.values[k * features + j]) * activations[t * features + j] * row_scales[k];
        norm += double(activations[t * features + j]) * activations[t * features + j];
      }
      CHECK(fabs(values[t * 19 + k] - exact) <= 1e-3 * sqrt(norm) * weights.row_norm() * row_scales[k]);  // exactly 0 for the token of zeros
    }
}

TEST("activations that are not finite give a scale that is not a number and no messages, and leave other tokens alone") {
  Machine& machine = *machines().back();
  const auto shape = token_shape(1024, 3);
  const Quantised quantised(machine, {1, 2, NAN, 4, 5, INFINITY}, shape, 10);
  CHECK(isfinite(quantised.scales[0]) && isnan(quantised.scales[1]) && isnan(quantised.scales[2]));
  CHECK(quantised.messages[0] > 0 && quantised.messages[1] == 0 && quantised.messages[2] == 0 && quantised.messages[3] > 0 && quantised.messages[4] == 0);
}
