// The portable matrix product: 32-bit multiply-adds on two rows and sixteen columns at a time, in plain C++ that compilers turn into vectors.
#include "backend/cpu/matmul_blocking.hpp"

namespace sotto {
namespace {

using namespace matmul;

constexpr size_t group = 1, slice_steps = 256, rows_at_once = 2;
using Left = LeftLayout<int8_t, group>;
using Right = RightLayout<group>;

void pack(const uint32_t (*words)[matmul_column_tile], void* step) { memcpy(step, words, Right::step_bytes); }

/// Rows [row, row + 2) of a tile; the second may lie past its end, where A is zero.
void run_rows(const Tile& tile, size_t row) {
  uint32_t sums[rows_at_once][matmul_column_tile] = {};
  const int8_t* a = static_cast<const int8_t*>(tile.left) + row;
  const uint32_t* b = static_cast<const uint32_t*>(tile.right);
  for (size_t step = 0; step < tile.steps; step++, a += Left::step_values, b += matmul_column_tile)
    for (size_t i = 0; i < rows_at_once; i++) {
      const uint32_t factor = uint32_t(int32_t(a[i]));
      for (size_t j = 0; j < matmul_column_tile; j++) sums[i][j] += factor * b[j];
    }
  for (size_t i = 0; i < rows_at_once && row + i < tile.rows; i++) {
    uint32_t* out = tile.out + (row + i) * tile.out_stride;
    for (size_t j = 0; j < tile.columns; j++) out[j] = (tile.accumulate ? out[j] : 0) + sums[i][j];
  }
}

void run_tile(const Tile& tile) {
  for (size_t row = 0; row < tile.rows; row += rows_at_once) run_rows(tile, row);
}

}  // namespace

const MatmulKernels& portable_matmul_kernels() {
  static const MatmulKernels kernels = {"portable", Left::bytes, Left::prepare, Right::bytes, Right::prepare<pack>, multiply<Left, Right, group, slice_steps, run_tile>};
  return kernels;
}

}  // namespace sotto
