// Every fallible call refuses what it cannot do with a status and a message, and leaves its outputs alone.
#include "crypto/evaluation_keys.hpp"
#include "harness.hpp"
#include "support.hpp"

using namespace support;

namespace {
std::string last_error() {
  char text[256];
  sotto_last_error(text, sizeof text);
  return text;
}
}  // namespace

TEST("an unknown back end is refused by name and the context stays untouched") {
  sotto_context_options options = {};
  strcpy(options.backend, "quantum");
  sotto_context* context = reinterpret_cast<sotto_context*>(1);
  CHECK(sotto_context_create(&options, &context) == SOTTO_UNSUPPORTED);
  CHECK(context == reinterpret_cast<sotto_context*>(1));
  CHECK(last_error().find("quantum") != std::string::npos);
  memset(options.backend, 'x', sizeof options.backend);
  CHECK(sotto_context_create(&options, &context) == SOTTO_INVALID_ARGUMENT);
  CHECK(sotto_context_create(nullptr, &context) == SOTTO_INVALID_ARGUMENT);
}

TEST("wrong sizes are malformed and say what is needed") {
  Machine& machine = *machines().back();
  sotto_evaluation_keys* keys = nullptr;
  CHECK(sotto_evaluation_keys_load(machine.context, machine.key_payload.data(), machine.key_payload.size() - 1, &keys) == SOTTO_MALFORMED);
  CHECK(keys == nullptr && last_error() == "evaluation keys has 576031 bytes, 576032 are needed");
  Bytes secret(N, 0);
  sotto_secret_key* key = nullptr;
  CHECK(sotto_secret_key_import(machine.context, secret.data(), N - 1, &key) == SOTTO_MALFORMED);
  secret[5] = 3;
  CHECK(sotto_secret_key_import(machine.context, secret.data(), N, &key) == SOTTO_MALFORMED && !key);
}

TEST("values that are not canonical are refused, not reduced") {
  Machine& machine = *machines().back();
  Words in(2 * N, 0), out(2 * N, 7);
  in[3] = q;
  CHECK(sotto_ntt(machine.context, 0, in.data(), 1) == SOTTO_INVALID_ARGUMENT);
  CHECK(sotto_automorphism(machine.context, machine.keys, 1, in.data(), 1, out.data()) == SOTTO_INVALID_ARGUMENT);
  CHECK(sotto_automorphism(machine.context, machine.keys, 12, in.data(), 1, out.data()) == SOTTO_INVALID_ARGUMENT);
  CHECK(out == Words(2 * N, 7));
}

TEST("a leaf matrix with any bad index is refused") {
  Machine& machine = *machines().back();
  const sotto_leaf_matrix_shape good = {65537, 4, 1, 1, 2, 2, q / 65537};
  const uint32_t tree_offsets[] = {0, 2}, row_offsets[] = {0, 1, 2}, columns[] = {0, 3}, labels[] = {5, 65536};
  const int8_t weights[] = {1, -1};
  const int32_t constants[] = {0, 1};
  const auto create = [&](const sotto_leaf_matrix_shape& shape, const uint32_t* trees, const uint32_t* rows, const uint32_t* cols, const int32_t* cons, const uint32_t* labs) {
    sotto_leaf_matrix* matrix = nullptr;
    const int32_t status = sotto_leaf_matrix_create(machine.context, &shape, trees, rows, cols, weights, cons, labs, &matrix);
    CHECK((status == SOTTO_OK) == (matrix != nullptr));
    sotto_leaf_matrix_destroy(matrix);
    return status;
  };
  CHECK(create(good, tree_offsets, row_offsets, columns, constants, labels) == SOTTO_OK);
  const uint32_t bad_trees[] = {0, 3}, bad_rows[] = {0, 5, 2}, bad_columns[] = {0, 4}, bad_labels[] = {5, 65537};
  const int32_t bad_constants[] = {0, 65537};
  CHECK(create(good, bad_trees, row_offsets, columns, constants, labels) == SOTTO_INVALID_ARGUMENT);
  CHECK(create(good, tree_offsets, bad_rows, columns, constants, labels) == SOTTO_INVALID_ARGUMENT);
  CHECK(create(good, tree_offsets, row_offsets, bad_columns, constants, labels) == SOTTO_INVALID_ARGUMENT);
  CHECK(create(good, tree_offsets, row_offsets, columns, bad_constants, labels) == SOTTO_INVALID_ARGUMENT);
  CHECK(create(good, tree_offsets, row_offsets, columns, constants, bad_labels) == SOTTO_INVALID_ARGUMENT);
  sotto_leaf_matrix_shape shape = good;
  shape.delta = q;
  CHECK(create(shape, tree_offsets, row_offsets, columns, constants, labels) == SOTTO_INVALID_ARGUMENT);
  shape = good, shape.leaf_count = 0;
  CHECK(create(shape, tree_offsets, row_offsets, columns, constants, labels) == SOTTO_INVALID_ARGUMENT);
}

TEST("a cancelled job ends early, says so, and leaves the pool usable") {
  Machine& machine = *machines().back();
  std::vector<int32_t> weights(8, 1);
  sotto_weight_matrix* matrix = nullptr;
  CHECK(sotto_weight_matrix_create(machine.context, weights.data(), 1, 8, &matrix) == SOTTO_OK);
  constexpr uint64_t kCount = 4000;
  Bytes rows(kCount * seeded_bytes(50), 1), answers(kCount * (N * 36 / 8 + 256 * 36 / 8));
  const sotto_evaluate_shape shape = {kCount, 50, 36, 0, 0};
  sotto_job* job = nullptr;
  CHECK(sotto_linear_submit(machine.context, matrix, rows.data(), rows.size(), &shape, answers.data(), answers.size(), &job) == SOTTO_OK);
  sotto_job_cancel(job);
  CHECK(sotto_job_wait(job) == SOTTO_CANCELLED);
  CHECK(last_error() == "cancelled");
  sotto_job_destroy(job);
  const sotto_evaluate_shape one = {1, 50, 36, 0, 0};
  CHECK(sotto_linear_submit(machine.context, matrix, rows.data(), seeded_bytes(50), &one, answers.data(), N * 36 / 8 + 256 * 36 / 8, &job) == SOTTO_OK);
  CHECK(sotto_job_wait(job) == SOTTO_OK);
  sotto_job_destroy(job);
  sotto_weight_matrix_destroy(matrix);
}

TEST("any bytes are decoded to canonical ciphertexts, keys and answers (20,000 random records)") {
  Machine& machine = *machines().back();
  Random random{123};
  Words ciphertext(2 * N);
  std::vector<double> values(4);
  const uint32_t useful = 4, positions[] = {0, 1, 1024, N - 1};
  for (int i = 0; i < 20000; i++) {
    const uint32_t bits = 24 + uint32_t(random.below(30));
    Bytes record(random.below(8) ? seeded_bytes(bits) : random.below(20000));
    const uint8_t fill = uint8_t(random.next());
    for (auto& byte : record) byte = i % 3 ? uint8_t(random.next()) : fill;
    if (sotto_expand(machine.context, record.data(), record.size(), bits, ciphertext.data(), 1) == SOTTO_OK)
      for (uint64_t coefficient : ciphertext) CHECK(coefficient < q);
    const sotto_decrypt_shape shape = {random.below(3), 1 + random.below(1000), 1, bits - 16, 0};
    values.resize(4 * 3);
    sotto_decrypt(machine.context, machine.secret, record.data(), record.size(), &shape, &useful, positions, 4, values.data());
    if (i % 500 == 0) {
      Bytes payload(random.below(2) ? machine.key_payload.size() : random.below(machine.key_payload.size()), fill);
      sotto_evaluation_keys* keys = nullptr;
      if (sotto_evaluation_keys_load(machine.context, payload.data(), payload.size(), &keys) == SOTTO_OK) sotto_evaluation_keys_destroy(keys);
    }
  }
}
