// Integer products on a device: the matrix unit and its tiles against the definition, layers and tokens against the reference.
#include <array>

#include "device_support.hpp"
#include "lwe_layer_support.hpp"
#include "token_support.hpp"

using namespace support;
using namespace sotto;

namespace {

Machine& device() { return *device_machines()[0]; }  // both arithmetics have the same products

/// An answer of the machine to random records.
Bytes token_answer(Machine& machine, const Weights& weights, const Weights* low, uint32_t direction, uint32_t parts, const sotto_token_shape& shape) {
  const auto matrix = token_matrix(machine, weights, low);
  Random random{shape.token_count};
  Bytes bodies((direction ? weights.rows : weights.columns) * packed_bytes(shape.token_count, shape.body_bits));
  for (auto& byte : bodies) byte = uint8_t(random.next());
  return multiply_tokens(machine, matrix.get(), direction, parts, bodies, direction ? weights.columns : weights.rows, shape);
}

void check_tokens(const Weights& weights, const Weights* low, uint32_t direction, uint32_t parts, const sotto_token_shape& shape) {
  if (token_answer(device(), weights, low, direction, parts, shape) != token_answer(reference(), weights, low, direction, parts, shape))
    harness::report_failure(__FILE__, __LINE__, "tokens differ at " + std::to_string(weights.rows) + " x " + std::to_string(weights.columns) + ", parts " + std::to_string(parts));
}

void check_layer_on_device(const LayerData& data, uint64_t rows, uint64_t stride, uint32_t first_patch, uint32_t patches, uint32_t threads = 0) {
  const Lwe inputs = random_lwe((rows - 1) * stride + data.shape.input_count, rows + data.shape.depth);
  const auto range = range_of(rows, stride, first_patch, patches, threads);
  if (apply_layer(device(), data, inputs, range) != apply_layer(reference(), data, inputs, range))
    harness::report_failure(__FILE__, __LINE__, "a layer of depth " + std::to_string(data.shape.depth) + " differs");
}

}  // namespace

TEST("products on a device are exact at the edges of every tile") {
  for (const auto& [rows, columns, depth] : std::vector<std::array<uint32_t, 3>>{
           {1, 1, 1}, {15, 7, 31}, {16, 8, 32}, {17, 9, 33}, {31, 63, 63}, {32, 64, 64}, {33, 65, 65}, {65, 16, 96}, {127, 17, 97}, {128, 64, 128}, {129, 65, 129}, {2, 130, 400}}) {
    const DeviceProduct product(rows, columns, depth);
    int32_t status = SOTTO_SYSTEM;
    if (product.by_device(device(), &status) != product.by_definition() || status != SOTTO_OK)
      harness::report_failure(__FILE__, __LINE__, std::to_string(rows) + " x " + std::to_string(depth) + " x " + std::to_string(columns) + " differs");
  }
}

TEST("products on a device go on from what is there, and in batches that share left factors") {
  int32_t status = SOTTO_SYSTEM;
  const DeviceProduct one(33, 10, 40);
  CHECK(one.by_device(device(), &status, 2) == one.by_definition(2) && status == SOTTO_OK);
  const DeviceProduct many(5, 70, 20, 5, 2);
  CHECK(many.by_device(device(), &status) == many.by_definition() && status == SOTTO_OK);
}

TEST("layers on a device are the reference's: dense, convolutions with groups, padding and ranges, sums") {
  check_layer_on_device(LayerData(13, 1, 1, 7, 13), 1, 13, 0, 1);
  check_layer_on_device(LayerData(17, 5, 3, 4, 9), 2, 19, 1, 3, 1);
  check_layer_on_device(LayerData(17, 5, 3, 4, 9), 1, 19, 1, 3);  // over two lanes
  check_layer_on_device(LayerData(9, 2, 1, 40, 70), 2, 9, 0, 2);
  check_layer_on_device(LayerData(9, 4, 6, 1, 4), 2, 9, 0, 4);
  check_layer_on_device(LayerData(6, 1, 2, 2, 3), 3, 2, 0, 1);  // rows overlap
  check_layer_on_device(LayerData(6, 1, 2, 1, 3), 3, 0, 0, 1);  // or are the same
  LayerData nothing(4, 2, 1, 2, 3);
  for (auto& index : nothing.indices) index = kPadding;
  check_layer_on_device(nothing, 1, 4, 0, 2);
}

TEST("layers on a device go in several launches when their inputs need more room: whole turns of the groups, or parts of one") {
  check_layer_on_device(LayerData(5, 32, 2, 2, 3), 1, 5, 0, 32);
  check_layer_on_device(LayerData(5, 1, 33, 2, 3), 1, 5, 0, 1);
}

TEST("a device with no room for a layer or a matrix says so, and goes on") {
  const LayerData data(4, 2, 1, 2, 3);
  const Lwe inputs = random_lwe(4, 1);
  for (uint64_t allocation : {1u, 2u}) {
    Machine machine("cuda-shim-integers");
    const auto layer = data.create(machine);
    const sotto_layer_range range = range_of(1, 4, 0, 2, 1), none = range_of(0, 4, 0, 2);
    Lwe out(4 * kLweWords, 0);
    const auto submit = [&](const sotto_layer_range& asked) {
      sotto_job* job = nullptr;
      CHECK(sotto_layer_submit(machine.context, layer.get(), inputs.data(), 4, &asked, out.data(), asked.row_count * 4, &job) == SOTTO_OK);
      return finish(job);
    };
    shim::fail_allocation(allocation);
    CHECK(submit(range) == SOTTO_OUT_OF_MEMORY && out == Lwe(4 * kLweWords, 0));
    shim::fail_launch(allocation);
    CHECK(submit(range) == SOTTO_DEVICE_FAILED && out == Lwe(4 * kLweWords, 0));
    CHECK(submit(none) == SOTTO_OK && submit(range) == SOTTO_OK && out == apply_layer(reference(), data, inputs, range));
  }
}

TEST("tokens on a device are the reference's: fresh, cached and masks alone, both directions, one limb and two") {
  const Weights weights = Weights::random(37, 29, 3), low = Weights::random(37, 29, 4);
  for (const uint32_t direction : {0u, 1u}) {
    check_tokens(weights, nullptr, direction, 3, token_shape(1024, 301));
    check_tokens(weights, &low, direction, 1, token_shape(1024, 65, 32, 32, 32));
  }
  check_tokens(Weights::random(5, 70, 6), nullptr, 0, 3, token_shape(2048, 1030));
  check_tokens(Weights::random(37, 29, 7), &low, 0, 2, token_shape(1024, 1));
  for (uint32_t bits = 8; bits <= 32; bits++) check_tokens(Weights::identity(2), nullptr, bits % 2, 1, token_shape(1024, 5 + bits % 7, bits, 22, 40 - bits));
}

TEST("what a device keeps of a layer or a matrix goes with its handle") {
  cuda::ResidentCache& cache = device_of(device()).gpu(0).residents();
  const sotto_token_shape shape = token_shape(1024, 3);
  const auto kept = [&](const Weights& weights) {
    token_answer(device(), weights, nullptr, 0, 1, shape);
    return cache.bytes();
  };
  const uint64_t small = kept(Weights::identity(2)), large = kept(Weights::random(60, 60, 1));
  CHECK(large >= 60 * 64 && kept(Weights::identity(2)) == small);
}
