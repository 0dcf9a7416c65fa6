// What calls on tokens refuse: a second use of a secret, wrong shapes and sizes; cancellation.
#include <string.h>

#include <string>

#include "harness.hpp"
#include "token_support.hpp"

using namespace support;

namespace {

std::string last_error() {
  char text[256];
  sotto_last_error(text, sizeof text);
  return text;
}

}  // namespace

TEST("a secret of tokens encrypts once and is refused afterwards, with any masks") {
  Machine& machine = *machines().back();
  const auto secret = token_secret(machine, 1024, 1);
  auto shape = token_shape(1024, 4);
  const std::vector<int32_t> messages(12, 3);
  Bytes bodies = encrypt_tokens(machine, secret.get(), messages, shape, nullptr), before = bodies;
  for (const uint8_t mask_seed : {90, 91}) {
    sotto_job* job = nullptr;
    shape.first_mask += 1000;
    CHECK(sotto_tokens_encrypt_submit(machine.context, secret.get(), seed_of(mask_seed).data(), messages.data(), 3, &shape, nullptr, bodies.data(), bodies.size(), &job) == SOTTO_INVALID_ARGUMENT);
    CHECK(!job && bodies == before && last_error().find("encrypts once") != std::string::npos);
  }
}

TEST("a refused encryption leaves the secret fresh, a cancelled one does not") {
  Machine& machine = *machines().back();
  const auto secret = token_secret(machine, 2048, 1);
  const auto shape = token_shape(2048, 64);
  const std::vector<int32_t> messages(4000 * 64, 3);
  Bytes bodies(4000 * sotto::packed_bytes(64, 26));
  sotto_job* job = nullptr;
  CHECK(sotto_tokens_encrypt_submit(machine.context, secret.get(), seed_of(1).data(), messages.data(), 4000, &shape, nullptr, bodies.data(), bodies.size() - 1, &job) == SOTTO_MALFORMED);
  CHECK(sotto_tokens_encrypt_submit(machine.context, secret.get(), seed_of(1).data(), messages.data(), 4000, &shape, nullptr, bodies.data(), bodies.size(), &job) == SOTTO_OK);
  sotto_job_cancel(job);
  CHECK(finish(job) == SOTTO_CANCELLED);
  job = nullptr;
  CHECK(sotto_tokens_encrypt_submit(machine.context, secret.get(), seed_of(1).data(), messages.data(), 4000, &shape, nullptr, bodies.data(), bodies.size(), &job) == SOTTO_INVALID_ARGUMENT && !job);
}

TEST("secrets, noise and seeds of the system differ from one request to the next") {
  Machine& machine = *machines().back();
  const auto shape = token_shape(1024, 16, 32);
  const std::vector<int32_t> zeros(16, 0);
  Bytes all[3];
  for (auto& bodies : all) {
    sotto_token_secret* secret = nullptr;
    CHECK(sotto_token_secret_generate(machine.context, 1024, nullptr, &secret) == SOTTO_OK);
    bodies = encrypt_tokens(machine, secret, zeros, shape, nullptr);
    sotto_token_secret_destroy(secret);
  }
  CHECK(all[0] != all[1] && all[1] != all[2] && all[0] != all[2]);
}

TEST("wrong shapes of tokens are refused by name") {
  Machine& machine = *machines().back();
  const auto refused = [&](auto change, const char* word) {
    auto shape = token_shape(1024, 4);
    change(shape);
    const auto secret = token_secret(machine, 1024, 1);
    const std::vector<int32_t> messages(3 * 4096);
    Bytes bodies(1 << 16);
    sotto_job* job = nullptr;
    CHECK(sotto_tokens_encrypt_submit(machine.context, secret.get(), seed_of(1).data(), messages.data(), 3, &shape, nullptr, bodies.data(), bodies.size(), &job) == SOTTO_INVALID_ARGUMENT && !job);
    if (last_error().find(word) == std::string::npos) harness::report_failure(__FILE__, __LINE__, last_error());
  };
  refused([](auto& s) { s.set = 512; }, "set 512");
  refused([](auto& s) { s.set = 2048; }, "secret is one of set 1024");
  refused([](auto& s) { s.token_count = 0; }, "token_count 0");
  refused([](auto& s) { s.token_count = 1025; }, "token_count 1025");
  refused([](auto& s) { s.body_bits = 33; }, "body_bits 33");
  refused([](auto& s) { s.mask_bits = 7; }, "mask_bits 7");
  refused([](auto& s) { s.answer_bits = 0; }, "answer_bits 0");
  sotto_token_secret* secret = nullptr;
  CHECK(sotto_token_secret_generate(machine.context, 4096, nullptr, &secret) == SOTTO_INVALID_ARGUMENT && !secret);
  sotto_token_secret_destroy(nullptr);
}

TEST("wrong matrices, directions, parts and sizes of products are refused") {
  Machine& machine = *machines().back();
  const std::vector<int8_t> weights(6, 1);
  sotto_token_matrix* matrix = nullptr;
  CHECK(sotto_token_matrix_create(machine.context, weights.data(), nullptr, 0, 3, 3, &matrix) == SOTTO_INVALID_ARGUMENT);
  CHECK(sotto_token_matrix_create(machine.context, weights.data(), nullptr, 2, 3, 0, &matrix) == SOTTO_INVALID_ARGUMENT);
  CHECK(sotto_token_matrix_create(machine.context, weights.data(), nullptr, 2, 3, 4, &matrix) == SOTTO_INVALID_ARGUMENT && !matrix);
  CHECK(sotto_token_matrix_create(machine.context, weights.data(), nullptr, 2, 3, 1, &matrix) == SOTTO_OK);
  const TokenMatrix owned(matrix);
  const auto shape = token_shape(1024, 8);
  Bytes bodies(3 * 26), answers(2 * (1024 * 22 / 8 + 17));
  const Bytes seed = seed_of(1);
  sotto_job* job = nullptr;
  const auto submit = [&](uint32_t direction, uint32_t parts, size_t bodies_size, size_t answers_size) {
    return sotto_tokens_product_submit(machine.context, matrix, direction, parts, seed.data(), bodies.data(), bodies_size, &shape, answers.data(), answers_size, &job);
  };
  CHECK(submit(1, 3, 3 * 26, answers.size()) == SOTTO_INVALID_ARGUMENT && last_error().find("not prepared") != std::string::npos);
  CHECK(submit(2, 3, 3 * 26, answers.size()) == SOTTO_INVALID_ARGUMENT);
  CHECK(submit(0, 0, 3 * 26, answers.size()) == SOTTO_INVALID_ARGUMENT);
  CHECK(submit(0, 4, 3 * 26, answers.size()) == SOTTO_INVALID_ARGUMENT);
  CHECK(submit(0, 3, 3 * 26 - 1, answers.size()) == SOTTO_MALFORMED);
  CHECK(submit(0, 3, 3 * 26, answers.size() + 1) == SOTTO_MALFORMED);
  CHECK(submit(0, 2, 3 * 26, answers.size() - 34) == SOTTO_MALFORMED);
  CHECK(sotto_tokens_product_submit(machine.context, matrix, 0, 3, nullptr, bodies.data(), 3 * 26, &shape, answers.data(), answers.size(), &job) == SOTTO_INVALID_ARGUMENT);
  CHECK(sotto_tokens_product_submit(machine.context, matrix, 0, 1, seed.data(), nullptr, 3 * 26, &shape, answers.data(), 34, &job) == SOTTO_INVALID_ARGUMENT && !job);
  CHECK(sotto_token_matrix_bytes(nullptr) == 0);
}

TEST("a matrix too large for the modulus and row norms that are no norms are refused before anything is scaled") {
  Machine& machine = *machines().back();
  const auto shape = token_shape(1024, 1);
  const std::vector<float> activations(4, 1);
  std::vector<int32_t> messages(4);
  double scale = 0;
  sotto_job* job = nullptr;
  const auto submit = [&](double row_norm, size_t count) {
    const sotto_token_scaling scaling = {row_norm, 4};
    return sotto_tokens_quantise_submit(machine.context, activations.data(), count, &shape, &scaling, &scale, messages.data(), messages.size(), &job);
  };
  CHECK(submit(2e6, 4) == SOTTO_INVALID_ARGUMENT && last_error().find("too large") != std::string::npos);
  CHECK(submit(-1, 4) == SOTTO_INVALID_ARGUMENT && submit(0.0 / 0.0, 4) == SOTTO_INVALID_ARGUMENT);
  CHECK(submit(100, 5) == SOTTO_MALFORMED && !job && scale == 0);
}

TEST("sizes of answers that are decrypted are checked") {
  Machine& machine = *machines().back();
  const auto secret = token_secret(machine, 1024, 1);
  const auto shape = token_shape(1024, 8);
  const Bytes masks(2 * 2816), bodies(2 * 17);
  std::vector<int32_t> phases(16);
  std::vector<float> values(16), ones(2, 1);
  std::vector<double> scales(8, 1);
  sotto_job* job = nullptr;
  const auto submit = [&](size_t masks_size, size_t bodies_size, size_t rows) {
    return sotto_tokens_decrypt_submit(machine.context, secret.get(), masks.data(), masks_size, bodies.data(), bodies_size, rows, &shape, phases.data(), &job);
  };
  CHECK(submit(2 * 2816 - 1, 34, 2) == SOTTO_MALFORMED && submit(2 * 2816, 33, 2) == SOTTO_MALFORMED && submit(2 * 2816, 34, 1) == SOTTO_MALFORMED);
  CHECK(submit(2 * 2816, 34, 0) == SOTTO_INVALID_ARGUMENT);
  CHECK(sotto_tokens_dequantise_submit(machine.context, phases.data(), 2, &shape, scales.data(), ones.data(), values.data(), 15, &job) == SOTTO_MALFORMED && !job);
}

TEST("a cancelled product of tokens says so, and the pool goes on") {
  Machine& machine = *machines().back();
  const Weights weights = Weights::random(1200, 600, 1);
  const auto matrix = token_matrix(machine, weights);
  const auto shape = token_shape(2048, 2048);
  Bytes bodies(600 * 2048 * 26 / 8, 1), answers(1200 * (2048 * 22 / 8 + 2048 * 17 / 8));
  sotto_job* job = nullptr;
  CHECK(sotto_tokens_product_submit(machine.context, matrix.get(), 0, 3, seed_of(1).data(), bodies.data(), bodies.size(), &shape, answers.data(), answers.size(), &job) == SOTTO_OK);
  CHECK(sotto_job_progress(job) < 65536);
  sotto_job_cancel(job);
  CHECK(finish(job) == SOTTO_CANCELLED);
  multiply_tokens(machine, matrix.get(), 0, 1, Bytes(600 * sotto::packed_bytes(1, 26)), 1200, token_shape(2048, 1));
}
