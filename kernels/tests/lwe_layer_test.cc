// Linear maps on lwe, and the lwe of uploads: every back end against the definition, decrypted results, refusals.
#include <math.h>

#include <algorithm>
#include <memory>

#include "harness.hpp"
#include "lwe_layer_support.hpp"

using namespace support;
using sotto::kLweWords;
using sotto::kPadding;

namespace {

/// The definition.
Lwe defined(const LayerData& data, const Lwe& inputs, const sotto_layer_range& range) {
  const auto& s = data.shape;
  Lwe out;
  for (uint64_t row = 0; row < range.row_count; row++)
    for (uint32_t patch = range.first_patch; patch < range.first_patch + range.patch_count; patch++)
      for (uint32_t channel = 0; channel < data.channels(); channel++) {
        Lwe sum(kLweWords, 0);
        sum[N] = data.offsets[channel];
        for (uint32_t d = 0; d < s.depth; d++) {
          const uint32_t index = data.indices[(patch * s.group_count + channel / s.rows_per_group) * s.depth + d];
          if (index == kPadding) continue;
          const uint32_t weight = uint32_t(int32_t(data.weights[channel * s.depth + d]));
          for (size_t j = 0; j < kLweWords; j++) sum[j] += weight * inputs[(row * range.row_stride + index) * kLweWords + j];
        }
        out.insert(out.end(), sum.begin(), sum.end());
      }
  return out;
}

void check_layer(const LayerData& data, uint64_t rows, uint64_t stride, uint32_t first_patch, uint32_t patches) {
  const Lwe inputs = random_lwe((rows - 1) * stride + data.shape.input_count, rows + data.shape.depth);
  const Lwe expected = defined(data, inputs, range_of(rows, stride, first_patch, patches));
  for (Machine* machine : machines())
    for (uint32_t threads : {1u, 2u})
      if (apply_layer(*machine, data, inputs, range_of(rows, stride, first_patch, patches, threads)) != expected)
        harness::report_failure(__FILE__, __LINE__, "a layer of depth " + std::to_string(data.shape.depth) + " differs on " + machine->name);
}

/// lwe of phases with random masks.
Lwe lwe_of(Machine& machine, const std::vector<uint32_t>& phases, uint64_t seed) {
  Lwe lwe = random_lwe(phases.size(), seed), given(phases.size());
  CHECK(sotto_lwe_phase_u32(machine.context, machine.secret, lwe.data(), phases.size(), given.data()) == SOTTO_OK);
  for (size_t i = 0; i < phases.size(); i++) lwe[i * kLweWords + N] += phases[i] - given[i];
  return lwe;
}

Lwe phases_of(Machine& machine, const Lwe& lwe) {
  Lwe phases(lwe.size() / kLweWords);
  CHECK(sotto_lwe_phase_u32(machine.context, machine.secret, lwe.data(), phases.size(), phases.data()) == SOTTO_OK);
  return phases;
}

Lwe inputs_of(Machine& machine, const Bytes& records, const sotto_inputs_shape& shape, size_t total) {
  Lwe lwe(total * kLweWords, 7);
  sotto_job* job = nullptr;
  CHECK(sotto_inputs_submit(machine.context, records.data(), records.size(), &shape, lwe.data(), total, &job) == SOTTO_OK);
  CHECK(sotto_job_wait(job) == SOTTO_OK);
  sotto_job_destroy(job);
  return lwe;
}

}  // namespace

TEST("a dense layer on lwe is the same on every back end, also with indices in a row") {
  check_layer(LayerData(13, 1, 1, 7, 13), 1, 13, 0, 1);
  LayerData data(21, 1, 1, 11, 20);
  for (uint32_t d = 0; d < 20; d++) data.indices[d] = 1 + d;
  check_layer(data, 2, 25, 0, 1);
}
TEST("a convolution on lwe with padding, groups, a stride of rows and a range of patches is the same on every back end") { check_layer(LayerData(17, 5, 3, 4, 9), 2, 19, 1, 3); }
TEST("sums of a few lwe are the same on every back end, whatever the weights") {
  check_layer(LayerData(9, 4, 6, 1, 4), 2, 9, 0, 4);
  LayerData ones(8, 2, 8, 1, 2);
  for (size_t i = 0; i < ones.weights.size(); i++) ones.weights[i] = i % 3 ? 1 : -1;
  check_layer(ones, 1, 8, 0, 2);
}
TEST("a long layer is cut into narrow panels and stays exact") {
  check_layer(LayerData(40, 1, 1, 2, 4500), 1, 40, 0, 1);
  check_layer(LayerData(5, 1, 1, 3, 1), 1, 5, 0, 1);
}
TEST("rows of a layer may overlap or be one and the same") {
  check_layer(LayerData(6, 1, 2, 2, 3), 3, 2, 0, 1);
  check_layer(LayerData(6, 1, 2, 1, 3), 3, 0, 0, 1);
}

TEST("phases of a layer are the layer of the phases, exactly") {
  Machine& machine = *machines().back();
  const LayerData data(12, 3, 2, 3, 5);
  std::vector<uint32_t> phases(12);
  for (uint32_t i = 0; i < 12; i++) phases[i] = (i * 40503u) << 12;
  const Lwe result = phases_of(machine, apply_layer(machine, data, lwe_of(machine, phases, 8), range_of(1, 12, 0, 3)));
  for (uint32_t patch = 0; patch < 3; patch++)
    for (uint32_t channel = 0; channel < 6; channel++) {
      uint32_t sum = data.offsets[channel];
      for (uint32_t d = 0; d < 5; d++) {
        const uint32_t index = data.indices[(patch * 2 + channel / 3) * 5 + d];
        if (index != kPadding) sum += uint32_t(int32_t(data.weights[channel * 5 + d])) * phases[index];
      }
      CHECK(result[patch * 6 + channel] == sum);
    }
}

TEST("encrypted values go through inputs and a layer to their clear sums, within the noise") {
  Machine& machine = *machines().back();
  std::vector<int32_t> messages(2 * N, 0);
  for (uint32_t i = 0; i < 2 * N; i++) messages[i] = int32_t(i % 15) - 7;
  const Bytes records = encrypt(machine, messages, N, q >> 12, 40, 17);
  const uint32_t count = N + 3;
  const Lwe lwe = inputs_of(machine, records, {1, 2, 40, count, 0, count}, count);
  LayerData data(count, 1, 1, 4, 64);
  for (uint32_t d = 0; d < 64; d++) data.indices[d] = count - 64 + d;
  const Lwe phases = phases_of(machine, apply_layer(machine, data, lwe, range_of(1, count, 0, 1)));
  for (uint32_t r = 0; r < 4; r++) {
    int64_t sum = 0;
    double norm = 0;
    for (uint32_t d = 0; d < 64; d++) {
      const double weight = data.weights[r * 64 + d];
      sum += int64_t(weight) * messages[count - 64 + d];
      norm += weight * weight;
    }
    const int32_t error = int32_t(phases[r] - data.offsets[r] - (uint32_t(sum) << 20));
    CHECK(fabs(error) < 8 * sqrt(norm * (1 + 2.0 * N / 3) / 12) + 16384);  // rounding of mask and body to 32 bits; the scale's own rounding
  }
}

TEST("inputs are the extracted coefficients of the expanded records, same bytes on every back end and thread count") {
  Machine& first = reference();
  std::vector<int32_t> messages(4 * N, 3);
  const Bytes records = encrypt(first, messages, N, q >> 8, 40, 9);
  const uint32_t count = N + 5, stride = count + 1;
  const Lwe expected = inputs_of(first, records, {2, 2, 40, count, 1, stride}, stride + count);
  for (Machine* machine : machines()) CHECK(inputs_of(*machine, records, {2, 2, 40, count, 2, stride}, stride + count) == expected);
  CHECK(fingerprint(expected.data(), expected.size() * 4) == 0x966c043f14d5f644u);
  Words ciphertexts(4 * 2 * N);
  CHECK(sotto_expand(first.context, records.data(), records.size(), 40, ciphertexts.data(), 4) == SOTTO_OK);
  for (uint32_t i : {0u, 1u, N - 1, N, N + 4}) {
    Lwe lwe(kLweWords);
    const uint32_t position = i % N;
    CHECK(sotto_extract_u32(first.context, ciphertexts.data() + (2 + i / N) * 2 * N, &position, 1, lwe.data()) == SOTTO_OK);
    CHECK(std::equal(lwe.begin(), lwe.end(), expected.begin() + (stride + i) * kLweWords));
  }
  for (uint32_t j = 0; j < kLweWords; j++) CHECK(expected[count * kLweWords + j] == 7);  // between rows
}

TEST("a layer of pinned random values has a pinned fingerprint") {
  const LayerData data(10, 2, 2, 3, 4);
  const Lwe out = apply_layer(*machines().back(), data, random_lwe(10, 1), range_of(1, 10, 0, 2));
  CHECK(fingerprint(out.data(), out.size() * 4) == 0xc56c629ed3715edeu);
}

TEST("wrong layers are refused by name") {
  Machine& machine = *machines().back();
  const auto refused = [&](const LayerData& data, const char* word) {
    sotto_layer* layer = nullptr;
    char text[256];
    CHECK(sotto_layer_create(machine.context, &data.shape, data.weights.data(), data.indices.data(), data.offsets.data(), &layer) == SOTTO_INVALID_ARGUMENT && !layer);
    sotto_last_error(text, sizeof text);
    CHECK(strstr(text, word));
  };
  const LayerData good(4, 1, 1, 2, 3);
  LayerData bad = good;
  bad.indices[1] = 4, refused(bad, "index 4 at 1");
  bad = good, bad.shape.depth = 0, refused(bad, "depth");
  bad = good, bad.shape.group_count = bad.shape.rows_per_group = UINT32_MAX, refused(bad, "weights");
  bad = good, bad.shape.group_count = bad.shape.rows_per_group = 1 << 15, bad.shape.depth = UINT32_MAX, refused(bad, "weights");
  bad = good, bad.shape.patch_count = UINT32_MAX, refused(bad, "indices");
  bad = good, bad.shape.input_count = 0, refused(bad, "input_count");
  CHECK(sotto_layer_bytes(nullptr) == 0);
  sotto_layer_destroy(nullptr);
}

TEST("wrong ranges and sizes of a layer and of inputs are refused") {
  Machine& machine = *machines().back();
  const LayerData data(4, 2, 1, 2, 3);
  const auto layer = data.create(machine);
  Lwe in(8 * kLweWords), out(4 * kLweWords);
  sotto_job* job = nullptr;
  const auto submit = [&](size_t inputs, const sotto_layer_range& range, size_t outputs) { return sotto_layer_submit(machine.context, layer.get(), in.data(), inputs, &range, out.data(), outputs, &job); };
  CHECK(submit(3, range_of(1, 4, 0, 2), 4) == SOTTO_MALFORMED);
  CHECK(submit(7, range_of(2, 4, 0, 1), 4) == SOTTO_MALFORMED);
  CHECK(submit(8, range_of(1, 4, 0, 2), 3) == SOTTO_MALFORMED);
  CHECK(submit(8, range_of(1, 4, 1, 2), 4) == SOTTO_INVALID_ARGUMENT);
  CHECK(submit(8, range_of(1, 4, UINT32_MAX, 2), 4) == SOTTO_INVALID_ARGUMENT);
  CHECK(submit(8, range_of(uint64_t(1) << 32, 0, 0, 2), 4) == SOTTO_INVALID_ARGUMENT);
  Bytes records(seeded_bytes(40));
  const auto expand = [&](const sotto_inputs_shape& shape, size_t size, size_t total) { return sotto_inputs_submit(machine.context, records.data(), size, &shape, out.data(), total, &job); };
  CHECK(expand({1, 1, 40, 4, 0, 4}, records.size() - 1, 4) == SOTTO_MALFORMED);
  CHECK(expand({1, 1, 40, 4, 0, 4}, records.size(), 3) == SOTTO_MALFORMED);
  CHECK(expand({1, 1, 23, 4, 0, 4}, records.size(), 4) == SOTTO_INVALID_ARGUMENT);
  CHECK(expand({1, 1, 40, N + 1, 0, N + 1}, records.size(), 4) == SOTTO_INVALID_ARGUMENT);
  CHECK(expand({1, 1, 40, 4, 0, 3}, records.size(), 4) == SOTTO_INVALID_ARGUMENT);
  CHECK(!job);
}

TEST("a layer of no rows is done at once, and a cancelled one says so") {
  Machine& machine = *machines().back();
  const LayerData data(2, 1, 200, 3, 64);
  const auto layer = data.create(machine);
  const Lwe in(2 * kLweWords, 1);
  Lwe out(600 * kLweWords);
  sotto_job* job = nullptr;
  const sotto_layer_range none = range_of(0, 2, 0, 1), one = range_of(1, 2, 0, 1);
  CHECK(sotto_layer_submit(machine.context, layer.get(), in.data(), 0, &none, out.data(), 0, &job) == SOTTO_OK && sotto_job_wait(job) == SOTTO_OK);
  sotto_job_destroy(job);
  CHECK(sotto_layer_submit(machine.context, layer.get(), in.data(), 2, &one, out.data(), 600, &job) == SOTTO_OK);
  sotto_job_cancel(job);
  CHECK(sotto_job_wait(job) == SOTTO_CANCELLED);
  sotto_job_destroy(job);
}
