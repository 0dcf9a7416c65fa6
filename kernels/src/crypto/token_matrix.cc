#include "crypto/token_matrix.hpp"

#include <algorithm>
#include <utility>

#include "backend/cuda/device_job.hpp"

namespace sotto {
namespace {

/// Rows that one item prepares.
constexpr size_t kRows = 16 * matmul_row_tile;

int32_t prepare_forward(Context& context, const int8_t* weights, const MatmulKernels& kernels, const sotto_token_matrix::Side& side, Buffer<uint8_t>& left) {
  return parallel_for(context.pool, (side.row_count + kRows - 1) / kRows, [&](uint64_t item, Workspace&) {
    const size_t first = item * kRows, count = std::min(kRows, side.row_count - first);
    kernels.prepare_left(weights + first * side.depth, side.depth, count, side.depth, left.data() + kernels.left_bytes(first, side.depth));
    return SOTTO_OK;
  });
}

/// Rows of W^T are columns of W, gathered first.
int32_t prepare_backward(Context& context, const int8_t* weights, const MatmulKernels& kernels, const sotto_token_matrix::Side& side, Buffer<uint8_t>& left) {
  return parallel_for(context.pool, (side.row_count + kRows - 1) / kRows, [&](uint64_t item, Workspace& workspace) {
    const size_t first = item * kRows, count = std::min(kRows, side.row_count - first);
    int8_t* gathered = reinterpret_cast<int8_t*>(workspace.words((count * side.depth + 7) / 8));
    if (!gathered) return SOTTO_OUT_OF_MEMORY;
    for (size_t l = 0; l < side.depth; l++)
      for (size_t i = 0; i < count; i++) gathered[i * side.depth + l] = weights[l * side.row_count + first + i];
    kernels.prepare_left(gathered, side.depth, count, side.depth, left.data() + kernels.left_bytes(first, side.depth));
    return SOTTO_OK;
  });
}

}  // namespace

int32_t fill_token_matrix(Context& context, const int8_t* weights, const int8_t* low, size_t rows, size_t columns, uint32_t sides, sotto_token_matrix& matrix) {
  matrix.kernels = on_device(context, &DeviceOperations::token_product) ? &ref_matmul_kernels() : select_matmul_kernels(context.ring.kernels().name);
  for (const uint32_t direction : {kForward, kBackward}) {
    if (!(sides >> direction & 1)) continue;
    auto& side = matrix.sides[direction];
    side.row_count = direction == kForward ? rows : columns;
    side.depth = direction == kForward ? columns : rows;
    const auto prepare = direction == kForward ? prepare_forward : prepare_backward;
    for (const auto& [limb, left] : {std::pair{weights, &side.left}, std::pair{low, &side.low}}) {
      if (!limb) continue;
      if (!left->allocate(matrix.kernels->left_bytes(side.row_count, side.depth))) return SOTTO_OUT_OF_MEMORY;
      if (const int32_t status = prepare(context, limb, *matrix.kernels, side, *left)) return status;
    }
  }
  return SOTTO_OK;
}

}  // namespace sotto
