// Integer linear maps on lwe: out[p][g R + r] = offset[g R + r] + sum_d W[g][r][d] in[index[p][g][d]] mod 2^32 (crypto/lwe_layer.hpp).
//
// A run uploads each lwe that its patches name once, in the order of their indices, and numbers them anew. A unit is one group of one patch of one data row: its inputs are gathered as
// a right factor and multiplied, many units a launch. Groups of one row are summed directly.
// Memory map: registers only; the product is that of matmul.cu. Device memory of a run: inputs 256 MB, outputs 64 MB, right factors 16 MB, which stay in the
// second-level cache from one launch to the next, unless one patch has more.
// Floor on H100 of a unit of depth D and R rows: gathered 2 * 4 * 2,112 D bytes, 5 D ns at 3.35 TB/s, half of it in the second-level cache; product 2,049 D R / 117,000 ns; on the way
// to and from the host 8,196 bytes an lwe at 25 GB/s, 0.33 us. A convolution of 64 channels, 3 x 3, D = 576, R = 64: gathered 2.9 us, product 0.6 us, 64 results to the host 21 us:
// the copies decide, and a layer takes 0.33 us a result, predicted 0.45 us with the host's own copies on the other lane.
#include <string.h>

#include <algorithm>

#include "backend/cuda/matmul.cuh"
#include "backend/cuda/operations.cuh"

namespace sotto::cuda {
namespace {

constexpr uint32_t kLayerThreads = 256, kUnitsMax = 65535;
/// Bytes of inputs, of outputs and of right factors that a run has at once, about, unless a single item needs more.
constexpr size_t kInputBytes = size_t(256) << 20, kOutputBytes = size_t(64) << 20, kRightBytes = size_t(16) << 20;

/// Units [first_unit, ..) of a run, numbered as its outputs are: data row, patch, group.
struct UnitMap {
  const uint32_t* indices;  // patch, group, depth, counted in uploaded lwe of a data row; kPadding: none
  const uint32_t* inputs;
  uint32_t row_lwe;  // uploaded lwe of a data row
  uint32_t groups, depth;
  uint64_t first_item;  // of the run: data row * patches + patch
  uint64_t first_row;
  uint32_t patches, first_patch;  // of the range; the first one in `indices`
  uint64_t first_unit;

  struct Unit {
    const uint32_t *indices, *inputs;
    uint32_t group;
  };
  __device__ Unit unit(uint64_t at) const {
    const uint64_t number = first_unit + at, item = first_item + number / groups;
    const uint32_t group = uint32_t(number % groups), patch = uint32_t(item % patches) - first_patch;
    return {indices + (size_t(patch) * groups + group) * depth, inputs + (item / patches - first_row) * row_lwe * kLweWords, group};
  }
};

/// The quads of unit blockIdx.y.
__global__ __launch_bounds__(kLayerThreads) void gather_inputs(const UnitMap map, const RightFactor right) {
  const size_t at = size_t(blockIdx.x) * kLayerThreads + threadIdx.x;
  const uint32_t group = uint32_t(at / right.stride()), column = uint32_t(at % right.stride());
  if (group >= right.groups()) return;
  const UnitMap::Unit unit = map.unit(blockIdx.y);
  uint32_t x[kQuadDepth];
#pragma unroll
  for (uint32_t i = 0; i < kQuadDepth; i++) {
    const uint32_t d = group * kQuadDepth + i, index = d < right.depth && column < right.columns ? unit.indices[d] : kPadding;
    x[i] = index == kPadding ? 0 : unit.inputs[size_t(index) * kLweWords + column];
  }
  right.quads[blockIdx.y * right.quad_count() + at] = quad_of(x[0], x[1], x[2], x[3]);
}

/// Bodies of out, blockIdx.x lwe of `channels` each.
__global__ __launch_bounds__(kLayerThreads) void add_offsets(uint32_t* out, const uint32_t* offsets, uint64_t lwe_count, uint32_t channels) {
  const uint64_t lwe = uint64_t(blockIdx.x) * kLayerThreads + threadIdx.x;
  if (lwe < lwe_count) out[lwe * kLweWords + kDegree] += offsets[lwe % channels];
}

/// Units of one row: blockIdx.y.
__global__ __launch_bounds__(kLayerThreads) void sum_inputs(const UnitMap map, const int8_t* weights, const uint32_t* offsets, uint32_t* out) {
  const uint32_t column = blockIdx.x * kLayerThreads + threadIdx.x;
  if (column >= kLweWords) return;
  const UnitMap::Unit unit = map.unit(blockIdx.y);
  uint32_t sum = column == kDegree ? offsets[unit.group] : 0;
  for (uint32_t d = 0; d < map.depth; d++) {
    const uint32_t index = unit.indices[d];
    if (index != kPadding) sum += uint32_t(int32_t(weights[size_t(unit.group) * map.depth + d])) * unit.inputs[size_t(index) * kLweWords + column];
  }
  out[(map.first_unit + blockIdx.y) * kLweWords + column] = sum;
}

/// How a layer lies on a device: weights in rows of left_stride(), or of `depth` for sums, then offsets.
struct ResidentLayer {
  size_t stride, offsets, bytes;

  explicit ResidentLayer(const sotto_layer& layer) {
    stride = layer.is_sum() ? layer.shape.depth : left_stride(layer.shape.depth);
    offsets = (layer.channel_count() * stride + 255) / 256 * 256;
    bytes = offsets + layer.channel_count() * sizeof(uint32_t);
  }
};

int32_t upload_layer(Lane& lane, const sotto_layer& layer, const ResidentLayer& map, unsigned char* memory) {
  const auto& shape = layer.shape;
  int8_t* weights = reinterpret_cast<int8_t*>(memory);
  if (layer.is_sum()) {
    if (const int32_t status = lane.upload(weights, layer.weights.data(), layer.weights.size())) return status;
  } else {
    for (size_t group = 0; group < shape.group_count; group++) {
      int8_t* rows = weights + group * shape.rows_per_group * map.stride;
      if (const int32_t status = upload_left(lane, layer.left.data() + group * layer.group_bytes(), shape.rows_per_group, shape.depth, rows)) return status;
    }
  }
  if (const int32_t status = lane.upload(memory + map.offsets, layer.offsets.data(), layer.offsets.size() * sizeof(uint32_t))) return status;
  return lane.wait();
}

/// The lwe that patches name: which, and the patches' indices into them.
struct UsedInputs {
  Buffer<uint32_t> lwe, indices;
  uint32_t count = 0;

  bool find(const sotto_layer& layer, uint32_t first_patch, uint32_t patch_count) {
    const size_t patch_indices = size_t(layer.shape.group_count) * layer.shape.depth, index_count = patch_count * patch_indices;
    const uint32_t* named = layer.indices.data() + first_patch * patch_indices;
    Buffer<uint32_t> places(layer.shape.input_count);
    if (!places.ok() || !lwe.allocate(layer.shape.input_count) || !indices.allocate(index_count)) return false;
    memset(places.data(), 0, places.size() * sizeof(uint32_t));
    for (size_t i = 0; i < index_count; i++)
      if (named[i] != kPadding) places[named[i]] = 1;
    for (uint32_t input = 0; input < layer.shape.input_count; input++)
      if (places[input]) places[input] = count, lwe[count++] = input;
    for (size_t i = 0; i < index_count; i++) indices[i] = named[i] == kPadding ? kPadding : places[named[i]];
    return true;
  }
};

uint64_t patches_per_run(const Device&, const LayerBatch& batch) {
  constexpr size_t kLweBytes = kLweWords * sizeof(uint32_t);
  const auto& shape = batch.layer->shape;
  const uint64_t inputs = kInputBytes / kLweBytes, rows = inputs / shape.input_count, patch_inputs = std::min<uint64_t>(shape.input_count, uint64_t(shape.group_count) * shape.depth);
  const uint64_t by_inputs = rows ? rows * batch.range.patch_count : inputs / patch_inputs, by_outputs = kOutputBytes / (batch.layer->channel_count() * kLweBytes);
  return std::max<uint64_t>(1, std::min(by_inputs, by_outputs));
}

int32_t run_layer(Device& device, const LayerBatch& batch, uint64_t first, uint64_t count) {
  const sotto_layer& layer = *batch.layer;
  const auto& shape = layer.shape;
  const uint32_t range_patches = batch.range.patch_count;
  const uint64_t first_row = first / range_patches, row_count = (first + count - 1) / range_patches - first_row + 1;
  // A run inside a data row has its own patches, a longer one all of them.
  const uint32_t first_patch = row_count == 1 ? uint32_t(first % range_patches) : 0, patch_count = row_count == 1 ? uint32_t(count) : range_patches;
  UsedInputs used;
  if (!used.find(layer, batch.range.first_patch + first_patch, patch_count)) return out_of_memory("the inputs of a layer");
  const uint64_t unit_count = count * shape.group_count, channels = layer.channel_count(), out_words = count * channels * kLweWords;
  RightFactor right = {nullptr, uint32_t(shape.depth), uint32_t(kLweWords)};
  const uint64_t units_at_once = std::clamp<uint64_t>(layer.is_sum() ? kUnitsMax : kRightBytes / (right.quad_count() * sizeof(uint4)), 1, std::min<uint64_t>(unit_count, kUnitsMax));

  LaneUse lane(device);
  if (const int32_t status = lane.ready()) return status;
  const ResidentLayer map(layer);
  ResidentUse resident(*lane);
  if (const int32_t status = resident.acquire(layer.id, Part::whole, map.bytes, [&](unsigned char* memory) { return upload_layer(*lane, layer, map, memory); })) return status;
  uint32_t *inputs = nullptr, *indices = nullptr, *out = nullptr;
  const int32_t reserved = lane->reserve([&](Slices& slices) {
    inputs = slices.take<uint32_t>(row_count * used.count * kLweWords);
    indices = slices.take<uint32_t>(used.indices.size());
    out = slices.take<uint32_t>(out_words);
    if (!layer.is_sum()) right.quads = slices.take<uint4>(units_at_once * right.quad_count());
  });
  if (reserved) return reserved;
  const auto source = [&](uint64_t at) { return batch.inputs + ((first_row + at / used.count) * batch.range.row_stride + used.lwe[at % used.count]) * kLweWords; };
  if (const int32_t status = lane->upload_rows(inputs, row_count * used.count, kLweWords * sizeof(uint32_t), source)) return status;
  if (const int32_t status = lane->upload(indices, used.indices.data(), used.indices.size() * sizeof(uint32_t))) return status;

  const int8_t* weights = resident.as<int8_t>();
  const uint32_t* offsets = reinterpret_cast<const uint32_t*>(resident.as<unsigned char>() + map.offsets);
  UnitMap units = {indices, inputs, used.count, shape.group_count, uint32_t(shape.depth), first, first_row, range_patches, first_patch, 0};
  // Whole turns of the groups or parts of one: products of a launch have weights that follow each other.
  const uint64_t step = units_at_once < shape.group_count ? units_at_once : units_at_once / shape.group_count * shape.group_count;
  for (uint64_t unit = 0; unit < unit_count;) {
    units.first_unit = unit;
    const uint64_t group = unit % shape.group_count;
    const uint32_t at_once = uint32_t(std::min({step, unit_count - unit, group ? shape.group_count - group : step}));
    const dim3 sums(divide_up(kLweWords, kLayerThreads), at_once), quads(divide_up(right.quad_count(), kLayerThreads), at_once);
    if (layer.is_sum()) {
      if (const int32_t status = lane->status(launch(sum_inputs, sums, kLayerThreads, 0, lane->stream(), units, weights, offsets, out), "a sum of lwe")) return status;
    } else {
      if (const int32_t status = lane->status(launch(gather_inputs, quads, kLayerThreads, 0, lane->stream(), units, right), "gathering lwe")) return status;
      const size_t rows = shape.rows_per_group;
      const MatmulArguments product = {weights + group * rows * map.stride, map.stride, right, out + unit * rows * kLweWords, kLweWords, uint32_t(rows), -1,
                                       at_once,  shape.group_count, rows * map.stride, rows * kLweWords};
      if (const int32_t status = matmul_i8_u32(*lane, product)) return status;
    }
    unit += at_once;
  }
  if (!layer.is_sum()) {
    const uint64_t lwe_count = count * channels;
    if (const int32_t status = lane->status(launch(add_offsets, divide_up(lwe_count, kLayerThreads), kLayerThreads, 0, lane->stream(), out, offsets, lwe_count, uint32_t(channels)), "adding offsets"))
      return status;
  }
  return lane->download(batch.outputs + first * channels * kLweWords, out, out_words * sizeof(uint32_t));
}

}  // namespace

void add_layer(DeviceOperations& operations) { operations.layer = {run_layer, patches_per_run}; }

}  // namespace sotto::cuda
