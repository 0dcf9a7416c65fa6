#include "device_ring_support.hpp"

#include "crypto/leaf_matrix.hpp"
#include "crypto/lwe_answers.hpp"
#include "harness.hpp"
#include "training_support.hpp"

namespace support {
namespace {

constexpr uint32_t p = 65537, kBits = 26;
constexpr uint64_t kDelta = q / p;

Words with_status(Words words, int32_t status) {
  words.push_back(uint64_t(status));
  return words;
}
Words words_of(const Bytes& bytes, int32_t status) { return with_status(Words(bytes.begin(), bytes.end()), status); }

std::vector<int32_t> small_row(std::vector<int32_t> values) {
  values.resize(N);
  return values;
}

int32_t wait_for(sotto_job* job) {
  const int32_t status = sotto_job_wait(job);
  sotto_job_destroy(job);
  return status;
}

/// One tree of three leaves over more than N / 2 columns: one output a product, six products, so that the pack has levels of merges and doubles.
std::function<Words()> trees(Machine& machine) {
  constexpr uint32_t kColumns = N / 2 + 1;
  const sotto_leaf_matrix_shape shape = {p, kColumns, 1, 1, 3, 4, kDelta};
  const std::vector<uint32_t> trees = {0, 3}, rows = {0, 1, 2, 4}, columns = {0, 5, 1, kColumns - 1};
  const std::vector<int8_t> weights = {1, -1, 1, 1};
  const std::vector<int32_t> constants = {0, 1, 0};
  const std::vector<uint32_t> labels = {4, 5, 6};
  sotto_leaf_matrix* created = nullptr;
  CHECK(sotto_leaf_matrix_create(machine.context, &shape, trees.data(), rows.data(), columns.data(), weights.data(), constants.data(), labels.data(), &created) == SOTTO_OK);
  const std::shared_ptr<sotto_leaf_matrix> matrix(created, sotto_leaf_matrix_destroy);
  const Bytes row = encrypt(machine, small_row({1, 0, 1}), N, kDelta, 40, 5);
  return [=, &machine] {
    const Bytes seed = seed_of(7);
    Bytes answers(sotto::AnswerLayout(6, kColumns).record_bytes(kBits));
    const sotto_evaluate_shape batch = {1, 40, kBits, 0, 0};
    sotto_job* job = nullptr;
    CHECK(sotto_leaves_submit(machine.context, matrix.get(), machine.keys, row.data(), row.size(), &batch, seed.data(), answers.data(), answers.size(), &job) == SOTTO_OK);
    const int32_t status = wait_for(job);
    return words_of(answers, status);
  };
}

std::function<Words()> answers(Machine& machine) {
  Random random{8};
  std::vector<uint32_t> lwe(2 * sotto::kLweWords);
  for (uint32_t& word : lwe) word = uint32_t(random.next());
  return [=, &machine] {
    const Bytes seed = seed_of(9);
    sotto_lwe_answers_shape shape = {};
    shape.record_count = 1, shape.row_stride = 2, shape.count = 2, shape.answer_bits = kBits;
    Bytes out(sotto::lwe_answer_bytes(2, kBits));
    sotto_job* job = nullptr;
    CHECK(sotto_lwe_answers_submit(machine.context, machine.keys, lwe.data(), &shape, seed.data(), out.data(), out.size(), &job) == SOTTO_OK);
    const int32_t status = wait_for(job);
    return words_of(out, status);
  };
}

std::function<Words()> scores(Machine& machine) {
  const std::vector<int32_t> weights = {5, -7, 900};
  sotto_weight_matrix* created = nullptr;
  CHECK(sotto_weight_matrix_create(machine.context, weights.data(), 1, 3, &created) == SOTTO_OK);
  const std::shared_ptr<sotto_weight_matrix> matrix(created, sotto_weight_matrix_destroy);
  const Bytes row = encrypt(machine, small_row({1, 2, 3}), N, 1, 50, 6);
  return [=, &machine] {
    Bytes out((N + N / 4) * 36 / 8);
    const sotto_evaluate_shape shape = {1, 50, 36, 0, 0};
    sotto_job* job = nullptr;
    CHECK(sotto_linear_submit(machine.context, matrix.get(), row.data(), row.size(), &shape, out.data(), out.size(), &job) == SOTTO_OK);
    const int32_t status = wait_for(job);
    return words_of(out, status);
  };
}

}  // namespace

std::vector<std::function<Words()>> ring_operations(Machine& machine) {
  const Rgsw rgsw = load_rgsw(machine, kSeeded, rgsw_record(machine, kSeeded, random_integers(N, 100, 1), 43));
  const TrainingKeys keys = load_training_keys(machine, training_payload(machine));
  const Words in = random_polynomials(2, 30);
  Words lwe = random_polynomials(2, 31);
  lwe.resize(sotto::kRingLweWords);
  return {
      trees(machine), answers(machine), scores(machine),
      [=, &machine] {
        Words out(2 * N);
        const int32_t status = sotto_external_product(machine.context, rgsw.get(), in.data(), 1, out.data());
        return with_status(out, status);
      },
      [=, &machine] {
        Words out(2 * N);
        const int32_t status = sotto_training_automorphism(machine.context, keys.get(), 3, in.data(), 1, out.data());
        return with_status(out, status);
      },
      [=, &machine] {
        Words out(2 * N);
        const int32_t status = sotto_trace_pack(machine.context, keys.get(), lwe.data(), 1, 1, out.data());
        return with_status(out, status);
      },
  };
}

}  // namespace support
