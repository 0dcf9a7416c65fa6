#include "lwe_layer_support.hpp"

#include "harness.hpp"

namespace support {

using sotto::kLweWords;
using sotto::kPadding;

LayerData::LayerData(uint32_t inputs, uint32_t patches, uint32_t groups, uint32_t rows, uint32_t depth) : weights(groups * rows * depth), indices(patches * groups * depth), offsets(groups * rows) {
  shape.input_count = inputs, shape.patch_count = patches, shape.group_count = groups, shape.rows_per_group = rows, shape.depth = depth;
  Random random{inputs * 1000 + depth};
  const int8_t extremes[] = {-128, 127, 0, 1, -1};
  for (auto& weight : weights) weight = random.below(3) ? int8_t(random.next()) : extremes[random.below(5)];
  for (auto& index : indices) index = random.below(5) ? uint32_t(random.below(inputs)) : kPadding;
  for (auto& offset : offsets) offset = uint32_t(random.next());
}

std::unique_ptr<sotto_layer, LayerDeleter> LayerData::create(Machine& machine) const {
  sotto_layer* layer = nullptr;
  CHECK(sotto_layer_create(machine.context, &shape, weights.data(), indices.data(), offsets.data(), &layer) == SOTTO_OK);
  CHECK(sotto_layer_bytes(layer) >= (weights.size() + 4 * indices.size()));
  return std::unique_ptr<sotto_layer, LayerDeleter>(layer);
}

Lwe random_lwe(size_t count, uint64_t seed) {
  Random random{seed};
  Lwe words(count * kLweWords);
  for (auto& word : words) word = uint32_t(random.next());
  return words;
}

Lwe apply_layer(Machine& machine, const LayerData& data, const Lwe& inputs, const sotto_layer_range& range) {
  const auto layer = data.create(machine);
  Lwe out(range.row_count * range.patch_count * data.channels() * kLweWords, 0xdeadbeef);
  sotto_job* job = nullptr;
  CHECK(sotto_layer_submit(machine.context, layer.get(), inputs.data(), inputs.size() / kLweWords, &range, out.data(), out.size() / kLweWords, &job) == SOTTO_OK);
  CHECK(sotto_job_wait(job) == SOTTO_OK && sotto_job_progress(job) == 65536);
  sotto_job_destroy(job);
  return out;
}

}  // namespace support
