#include "crypto/lwe_layer.hpp"

#include <string.h>

#include <algorithm>
#include <new>

#include "backend/cuda/device_job.hpp"
#include "core/status.hpp"

namespace sotto {
namespace {

/// Words of the gathered rows of a panel at most, where depth leaves more than a tile of columns: they and their prepared form stay in the second-level cache.
constexpr size_t kPanelWords = size_t(1) << 16;
/// Columns of a panel at most: one product still has work for many cores.
constexpr size_t kPanelColumns = 272;
/// Multiply-adds of an item at least, if the job has enough of them: many times what handing out an item costs.
constexpr uint64_t kItemWork = uint64_t(1) << 20;

constexpr size_t divide_up(size_t x, size_t y) { return (x + y - 1) / y; }

/// How the columns of an lwe are cut: into panels of equal width, a multiple of the column tile.
struct Panels {
  size_t width, count;

  static Panels of(const sotto_layer& layer) {
    if (layer.is_sum()) return {kLweWords, 1};
    const size_t most = std::clamp(kPanelWords / layer.shape.depth, matmul_column_tile, kPanelColumns);
    const size_t width = divide_up(divide_up(kLweWords, divide_up(kLweWords, most)), matmul_column_tile) * matmul_column_tile;
    return {width, divide_up(kLweWords, width)};
  }
};

/// sum += weight * x. Factors of pooling and of residual sums are mostly 1 or -1.
void add_weighted(int8_t weight, const uint32_t* x, uint32_t* sum) {
  if (weight == 1) {
    for (size_t i = 0; i < kLweWords; i++) sum[i] += x[i];
  } else if (weight == -1) {
    for (size_t i = 0; i < kLweWords; i++) sum[i] -= x[i];
  } else if (weight != 0) {
    const uint32_t factor = uint32_t(int32_t(weight));
    for (size_t i = 0; i < kLweWords; i++) sum[i] += factor * x[i];
  }
}

// A step is one panel of one group of one patch of one data row; an item is a run of steps. Order: (row, panel, patch, group), as the patches of a convolution
// share most of their inputs, and a panel of these fits the caches.
class LayerJob final : public Job {
 public:
  LayerJob(const sotto_layer& layer, const uint32_t* inputs, const sotto_layer_range& range, uint32_t* outputs, uint32_t workers)
      : layer_(layer), inputs_(inputs), range_(range), outputs_(outputs), panels_(Panels::of(layer)) {
    step_count_ = range.row_count * range.patch_count * layer.shape.group_count * panels_.count;
    const uint64_t step_work = uint64_t(layer.shape.depth) * layer.shape.rows_per_group * panels_.width;
    steps_per_item_ = std::clamp<uint64_t>(kItemWork / step_work, 1, std::max<uint64_t>(1, step_count_ / (4 * uint64_t(workers))));
  }
  uint64_t item_count() const { return (step_count_ + steps_per_item_ - 1) / steps_per_item_; }

  int32_t run(uint64_t item, Workspace& workspace) override {
    const uint64_t first = item * steps_per_item_, end = std::min(first + steps_per_item_, step_count_);
    if (layer_.is_sum()) {
      for (uint64_t step = first; step < end; step++) add_rows(unit_of(step));
      return SOTTO_OK;
    }
    const size_t right_words = divide_up(layer_.kernels->right_bytes(layer_.shape.depth, panels_.width), 64) * 8;
    uint64_t* right = workspace.words(right_words + divide_up(layer_.shape.depth * panels_.width, 2));
    if (!right) return SOTTO_OUT_OF_MEMORY;
    const uint64_t row_units = uint64_t(range_.patch_count) * layer_.shape.group_count;
    for (uint64_t step = first; step < end; step++) {
      const uint64_t row = step / (row_units * panels_.count), panel = step / row_units % panels_.count;
      multiply(unit_of(row * row_units + step % row_units), panel * panels_.width, right, reinterpret_cast<uint32_t*>(right + right_words));
    }
    return SOTTO_OK;
  }

 private:
  /// One group of one patch of one data row.
  struct Unit {
    uint32_t group;
    const uint32_t* indices;  // depth of them
    const uint32_t* inputs;   // what they count from
    uint32_t* out;            // rows_per_group lwe
  };

  Unit unit_of(uint64_t unit) const {
    const auto& shape = layer_.shape;
    const uint64_t group = unit % shape.group_count, patch = unit / shape.group_count % range_.patch_count, row = unit / shape.group_count / range_.patch_count;
    const size_t at = size_t(range_.first_patch + patch) * shape.group_count + group;
    return {uint32_t(group), layer_.indices.data() + at * shape.depth, inputs_ + row * range_.row_stride * kLweWords, outputs_ + unit * shape.rows_per_group * kLweWords};
  }

  void add_rows(const Unit& unit) const {
    const size_t depth = layer_.shape.depth;
    const int8_t* weights = layer_.weights.data() + unit.group * depth;
    memset(unit.out, 0, kLweWords * sizeof(uint32_t));
    for (size_t d = 0; d < depth; d++)
      if (unit.indices[d] != kPadding) add_weighted(weights[d], unit.inputs + unit.indices[d] * kLweWords, unit.out);
    unit.out[kDegree] += layer_.offsets[unit.group];
  }

  void multiply(const Unit& unit, size_t column, void* right, uint32_t* gathered) const {
    const size_t depth = layer_.shape.depth, rows = layer_.shape.rows_per_group, width = std::min(panels_.width, kLweWords - column);
    if (consecutive(unit.indices)) {
      layer_.kernels->prepare_right(unit.inputs + unit.indices[0] * kLweWords + column, kLweWords, depth, width, right);
    } else {
      gather(unit, column, width, gathered);
      layer_.kernels->prepare_right(gathered, width, depth, width, right);
    }
    layer_.kernels->multiply({layer_.left.data() + unit.group * layer_.group_bytes(), right, depth, 0, rows, 0, width, unit.out + column, kLweWords});
    if (column + width < kLweWords) return;
    for (size_t r = 0; r < rows; r++) unit.out[r * kLweWords + kDegree] += layer_.offsets[unit.group * rows + r];
  }

  /// Whether the inputs are lwe that follow each other.
  bool consecutive(const uint32_t* indices) const {
    for (uint32_t d = 0; d < layer_.shape.depth; d++)
      if (indices[d] == kPadding || indices[d] != indices[0] + d) return false;
    return true;
  }

  void gather(const Unit& unit, size_t column, size_t width, uint32_t* gathered) const {
    for (size_t d = 0; d < layer_.shape.depth; d++, gathered += width) {
      if (unit.indices[d] == kPadding) memset(gathered, 0, width * sizeof(uint32_t));
      else memcpy(gathered, unit.inputs + unit.indices[d] * kLweWords + column, width * sizeof(uint32_t));
    }
  }

  const sotto_layer& layer_;
  const uint32_t* inputs_;
  const sotto_layer_range range_;
  uint32_t* outputs_;
  const Panels panels_;
  uint64_t step_count_, steps_per_item_;
};

}  // namespace

bool fill_layer(const Context& context, const sotto_layer_shape& shape, const int8_t* weights, const uint32_t* indices, const uint32_t* offsets, sotto_layer& layer) {
  layer.shape = shape;
  layer.kernels = on_device(context, &DeviceOperations::layer) ? &ref_matmul_kernels() : select_matmul_kernels(context.ring.kernels().name);
  const size_t depth = shape.depth, group_weights = size_t(shape.rows_per_group) * depth;
  if (!layer.indices.copy_from(indices, size_t(shape.patch_count) * shape.group_count * depth) || !layer.offsets.copy_from(offsets, layer.channel_count())) return false;
  if (layer.is_sum()) return layer.weights.copy_from(weights, shape.group_count * depth);
  if (!layer.left.allocate(shape.group_count * layer.group_bytes())) return false;
  for (size_t group = 0; group < shape.group_count; group++)
    layer.kernels->prepare_left(weights + group * group_weights, depth, shape.rows_per_group, depth, layer.left.data() + group * layer.group_bytes());
  return true;
}

int32_t submit_layer(Context& context, const sotto_layer& layer, const uint32_t* inputs, const sotto_layer_range& range, uint32_t* outputs, Job** job) {
  if (const auto* operation = on_device(context, &DeviceOperations::layer))
    return submit_on_device(context, *operation, LayerBatch{&layer, inputs, range, outputs}, range.row_count * range.patch_count, range.thread_count, job);
  auto* created = new (std::nothrow) LayerJob(layer, inputs, range, outputs, context.pool.thread_count());
  if (!created) return out_of_memory("a job");
  context.pool.submit(*created, created->item_count(), range.thread_count);
  *job = created;
  return SOTTO_OK;
}

}  // namespace sotto
