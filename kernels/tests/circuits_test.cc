// The two circuits of the server, on every back end, against their meaning in clear.
#include <set>

#include "crypto/leaf_matrix.hpp"
#include "crypto/matrix_product.hpp"
#include "harness.hpp"
#include "support.hpp"

using namespace support;

namespace {

constexpr uint32_t p = 65537;
constexpr uint64_t kDelta = q / p;

/// Trees of `leaves` leaves each over `columns` bits: leaf l of a tree is reached when bit pattern says so (one literal a column group).
struct Forest {
  sotto_leaf_matrix_shape shape;
  std::vector<uint32_t> tree_offsets{0}, row_offsets{0}, columns, labels;
  std::vector<int8_t> weights;
  std::vector<int32_t> constants;

  Forest(uint32_t trees, uint32_t leaves_a_tree, uint32_t column_count, uint32_t label_count, uint64_t seed) {
    Random random{seed};
    for (uint32_t tree = 0; tree < trees; tree++) {
      for (uint32_t leaf = 0; leaf < leaves_a_tree; leaf++) {
        const uint32_t literals = 1 + uint32_t(random.below(6));
        int32_t constant = 0;
        std::set<uint32_t> chosen;
        while (chosen.size() < literals) chosen.insert(uint32_t(random.below(column_count)));
        for (uint32_t column : chosen) {
          const bool positive = random.below(2);
          columns.push_back(column);
          weights.push_back(positive ? 1 : -1);
          constant += positive ? 0 : 1;
        }
        row_offsets.push_back(uint32_t(columns.size()));
        constants.push_back(constant);
        for (uint32_t label = 0; label < label_count; label++) labels.push_back(uint32_t(random.below(p)));
      }
      tree_offsets.push_back(uint32_t(constants.size()));
    }
    shape = {p, column_count, label_count, trees, uint32_t(constants.size()), uint32_t(columns.size()), kDelta};
  }
  int64_t cost(uint32_t leaf, const int32_t* bits) const {
    int64_t sum = constants[leaf];
    for (uint32_t i = row_offsets[leaf]; i < row_offsets[leaf + 1]; i++) sum += weights[i] * bits[columns[i]];
    return sum;
  }
};

Bytes evaluate(Machine& machine, const Forest& forest, const Bytes& rows, uint64_t row_count, uint32_t chunks) {
  sotto_leaf_matrix* matrix = nullptr;
  CHECK(sotto_leaf_matrix_create(machine.context, &forest.shape, forest.tree_offsets.data(), forest.row_offsets.data(), forest.columns.data(), forest.weights.data(), forest.constants.data(),
                                 forest.labels.data(), &matrix) == SOTTO_OK);
  const sotto::AnswerLayout layout(matrix->output_count(), forest.shape.column_count);
  Bytes answers(row_count * layout.record_bytes(26));
  CHECK(rows.size() == row_count * chunks * seeded_bytes(40));
  const sotto_evaluate_shape shape = {row_count, 40, 26, 0, 0};
  sotto_job* job = nullptr;
  const Bytes seed = seed_of(77);
  CHECK(sotto_leaves_submit(machine.context, matrix, machine.keys, rows.data(), rows.size(), &shape, seed.data(), answers.data(), answers.size(), &job) == SOTTO_OK);
  CHECK(sotto_job_wait(job) == SOTTO_OK);
  CHECK(sotto_job_progress(job) == 65536);
  sotto_job_destroy(job);
  sotto_leaf_matrix_destroy(matrix);
  return answers;
}

/// Decrypts and compares, tree by tree, the multiset of (cost is zero, labels where it is) with the clear forest.
void check_answers(Machine& machine, const Forest& forest, const std::vector<int32_t>& bits, uint32_t stride, const Bytes& answers, uint64_t row_count) {
  const uint64_t outputs = uint64_t(forest.shape.leaf_count) * (1 + forest.shape.label_count);
  const sotto::AnswerLayout layout(outputs, forest.shape.column_count);
  std::vector<uint32_t> useful, positions;
  for (uint64_t group = 0; group < layout.groups; group++) {
    useful.push_back(uint32_t(layout.group_outputs(group)));
    for (uint64_t o = 0; o < layout.group_outputs(group); o++) positions.push_back(layout.position(group, o));
  }
  const sotto_decrypt_shape shape = {row_count, kDelta, uint32_t(layout.groups), 26, 0};
  std::vector<double> values(row_count * outputs);
  CHECK(sotto_decrypt(machine.context, machine.secret, answers.data(), answers.size(), &shape, useful.data(), positions.data(), positions.size(), values.data()) == SOTTO_OK);
  const uint32_t label_count = forest.shape.label_count;
  for (uint64_t row = 0; row < row_count; row++)
    for (uint32_t tree = 0; tree < forest.shape.tree_count; tree++) {
      std::multiset<std::vector<int64_t>> got, expected;
      for (uint32_t leaf = forest.tree_offsets[tree]; leaf < forest.tree_offsets[tree + 1]; leaf++) {
        const double* at = values.data() + row * outputs + uint64_t(leaf) * (1 + label_count);
        std::vector<int64_t> found, wanted;
        if (int64_t(at[0]) % p == 0)
          for (uint32_t i = 1; i <= label_count; i++) found.push_back((int64_t(at[i]) % p + p) % p);
        if (forest.cost(leaf, bits.data() + row * stride) == 0)
          for (uint32_t i = 0; i < label_count; i++) wanted.push_back(forest.labels[leaf * label_count + i]);
        got.insert(found), expected.insert(wanted);
      }
      CHECK(got == expected);
    }
}

void check_forest(uint32_t trees, uint32_t leaves, uint32_t columns, uint32_t label_count, uint64_t row_count, const std::vector<Machine*>& others) {
  const Forest forest(trees, leaves, columns, label_count, trees * 1000 + columns);
  const uint32_t chunks = (columns + N - 1) / N, stride = chunks * N;
  std::vector<int32_t> bits(row_count * stride);
  Random random{columns};
  for (uint64_t row = 0; row < row_count; row++)
    for (uint32_t column = 0; column < columns; column++) bits[row * stride + column] = int32_t(random.below(2));
  Bytes expected;
  std::vector<Machine*> compared = {machines().back()};
  compared.insert(compared.end(), others.begin(), others.end());
  for (Machine* one : compared) {
    Machine& machine = *one;
    const Bytes rows = encrypt(machine, bits, N, kDelta, 40, 5);
    const Bytes answers = evaluate(machine, forest, rows, row_count, chunks);
    if (one == compared[0]) {
      expected = answers;
      check_answers(machine, forest, bits, stride, answers, row_count);
    } else if (answers != expected) {
      harness::report_failure(__FILE__, __LINE__, "answers differ on " + machine.name);
    }
  }
}

}  // namespace

TEST("blinded leaves decrypt to the reached leaves and their labels, same bytes on every back end") { check_forest(7, 8, 104, 1, 3, every_machine()); }
TEST("one product without packing serves a single small tree") { check_forest(1, 12, 20, 2, 4, every_machine()); }
TEST("a row of more columns than one ciphertext holds is spread over several") { check_forest(2, 6, 2 * N + 100, 3, 1, every_machine()); }
TEST("more outputs than one ciphertext holds come back in several") { check_forest(60, 25, 104, 1, 1, device_machines()); }
TEST("a model of one column has one block of one coefficient") { check_forest(3, 1, 1 + 5, 1, 2, every_machine()); }

TEST("linear scores of many rows decrypt to the exact integers, same bytes on every back end") {
  constexpr uint32_t kColumns = 31, kScores = 3, kBlock = 32, kRows = N / kBlock;
  Random random{91};
  std::vector<int32_t> weights(kScores * kColumns), messages(2 * N);
  for (auto& weight : weights) weight = int32_t(random.below(1 << 21)) - (1 << 20);
  for (uint32_t i = 0; i < 2 * N; i++) messages[i] = i % kBlock < kColumns ? int32_t(random.below(1 << 23)) - (1 << 22) : 0;
  Bytes expected;
  for (Machine* machine : every_machine()) {
    sotto_weight_matrix* matrix = nullptr;
    CHECK(sotto_weight_matrix_create(machine->context, weights.data(), kScores, kColumns, &matrix) == SOTTO_OK);
    const Bytes rows = encrypt(*machine, messages, N, 1, 50, 6);
    Bytes answers(2 * kScores * (N * 36 / 8 + kRows * 36 / 8));
    const sotto_evaluate_shape shape = {2, 50, 36, 0, 0};
    sotto_job* job = nullptr;
    CHECK(sotto_linear_submit(machine->context, matrix, rows.data(), rows.size(), &shape, answers.data(), answers.size(), &job) == SOTTO_OK);
    CHECK(sotto_job_wait(job) == SOTTO_OK);
    sotto_job_destroy(job);
    sotto_weight_matrix_destroy(matrix);
    if (expected.empty()) expected = answers;
    CHECK(answers == expected);
  }
  Machine& machine = *machines().back();
  std::vector<uint32_t> useful(kScores, kRows), positions;
  for (uint32_t score = 0; score < kScores; score++)
    for (uint32_t row = 0; row < kRows; row++) positions.push_back(row * kBlock);
  const sotto_decrypt_shape shape = {2, 1, kScores, 36, 0};
  std::vector<double> values(2 * kScores * kRows);
  CHECK(sotto_decrypt(machine.context, machine.secret, expected.data(), expected.size(), &shape, useful.data(), positions.data(), positions.size(), values.data()) == SOTTO_OK);
  for (uint32_t ciphertext = 0; ciphertext < 2; ciphertext++)
    for (uint32_t score = 0; score < kScores; score++)
      for (uint32_t row = 0; row < kRows; row++) {
        int64_t sum = 0;
        for (uint32_t f = 0; f < kColumns; f++) sum += int64_t(weights[score * kColumns + f]) * messages[ciphertext * N + row * kBlock + f];
        const double error = values[(ciphertext * kScores + score) * kRows + row] - double(sum);
        CHECK(error < 0x1p30 && error > -0x1p30);  // noise 2^20 * 4.64 * sqrt(31) is 2^24.7; ten standard deviations and the answer's rounding
      }
}
