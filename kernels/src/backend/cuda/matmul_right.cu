// Right factors from columns in the caller's memory: the switching keys, once.
//
// Memory map: registers only. Floor on H100: 8 bytes a word; 55 MB of key, 33 us, behind 2.2 ms of copies to the device.
#include "backend/cuda/matmul_right.cuh"

#include <algorithm>

namespace sotto::cuda {
namespace {

constexpr uint32_t kArrangeThreads = 128;

/// Column first + blockIdx.y of `right` from column blockIdx.y of `words`; zeros where there is none.
__global__ __launch_bounds__(kArrangeThreads) void arrange_columns(const uint32_t* words, uint32_t first, const RightFactor right) {
  const uint32_t group = blockIdx.x * kArrangeThreads + threadIdx.x, column = first + blockIdx.y;
  if (group >= right.groups()) return;
  uint32_t x[kQuadDepth];
#pragma unroll
  for (uint32_t i = 0; i < kQuadDepth; i++) {
    const uint32_t depth = group * kQuadDepth + i;
    x[i] = depth < right.depth && column < right.columns ? words[size_t(blockIdx.y) * right.depth + depth] : 0;
  }
  right.quads[size_t(group) * right.stride() + column] = quad_of(x[0], x[1], x[2], x[3]);
}

}  // namespace

int32_t upload_right_columns(Lane& lane, const uint32_t* columns, const RightFactor& right) {
  const uint32_t chunk = std::clamp<uint32_t>((1u << 20) / right.depth, 1, kColumnPadding);  // 4 MiB
  uint32_t* staged = nullptr;
  if (const int32_t status = lane.reserve([&](Slices& slices) { staged = slices.take<uint32_t>(size_t(chunk) * right.depth); })) return status;
  for (uint32_t first = 0; first < right.stride(); first += chunk) {
    const uint32_t count = std::min(chunk, right.stride() - first), given = first < right.columns ? std::min(count, right.columns - first) : 0;
    if (const int32_t status = lane.upload(staged, columns + size_t(first) * right.depth, size_t(given) * right.depth * sizeof(uint32_t))) return status;
    const dim3 grid(divide_up(right.groups(), kArrangeThreads), count);
    if (const int32_t status = lane.status(launch(arrange_columns, grid, kArrangeThreads, 0, lane.stream(), staged, first, right), "arranging a right factor")) return status;
  }
  return lane.wait();
}

}  // namespace sotto::cuda
