// The prepared layouts that the fast matrix products share, and the order in which they visit tiles.
//
// Depth is cut in steps of `group` values, padded with zeros. A, tile of rows by tile: for each step, 6 rows of `group` values. B, panel of 16 columns by
// panel: for each step, 16 * group words in the back end's own form. So a step of a tile and of a panel have fixed sizes, and any run of steps is contiguous.
//
// A panel is taken a slice of `slice_steps` steps at a time: the slice stays in the first-level cache while every tile of A passes over it, and the 16
// columns of C (one cache line a row) stay in the second level. A is read in one direction, at about a byte a cycle, from wherever it is.
#pragma once

#include <string.h>

#include "poly/matmul.hpp"

namespace sotto::matmul {

constexpr size_t round_up(size_t x, size_t multiple) { return (x + multiple - 1) / multiple * multiple; }
constexpr size_t smaller(size_t x, size_t y) { return x < y ? x : y; }

/// What a call of a tile function computes: out (+)= a tile of A times a slice of a panel of B.
struct Tile {
  const void* left;
  const void* right;
  size_t steps;
  size_t rows, columns;  // at most 6 and 16; the rest of the tile is not written
  bool accumulate;
  uint32_t* out;
  size_t out_stride;
};

/// Left values of type `Left`, `group` of them a step.
template <class Left, size_t group>
struct LeftLayout {
  static constexpr size_t step_values = matmul_row_tile * group, step_bytes = step_values * sizeof(Left);

  static size_t bytes(size_t rows, size_t depth) { return round_up(rows, matmul_row_tile) * round_up(depth, group) * sizeof(Left); }

  static void prepare(const int8_t* a, size_t stride, size_t rows, size_t depth, void* left) {
    memset(left, 0, bytes(rows, depth));
    const size_t tile_values = matmul_row_tile * round_up(depth, group);
    for (size_t i = 0; i < rows; i++) {
      Left* row = static_cast<Left*>(left) + i / matmul_row_tile * tile_values + i % matmul_row_tile * group;
      for (size_t l = 0; l < depth; l++) row[l / group * step_values + l % group] = a[i * stride + l];
    }
  }
};

/// A whole tile of columns, the usual case, is a copy of known size.
inline void copy_columns(const uint32_t* from, size_t count, uint32_t* to) {
  if (count == matmul_column_tile) memcpy(to, from, matmul_column_tile * sizeof(uint32_t));
  else memcpy(to, from, count * sizeof(uint32_t));
}

/// Panels of 16 columns; `pack(words, step)` turns group rows of 16 words into the 64 * group bytes of a step.
template <size_t group>
struct RightLayout {
  static constexpr size_t step_bytes = matmul_column_tile * group * sizeof(uint32_t);
  using Pack = void (*)(const uint32_t (*words)[matmul_column_tile], void* step);

  static size_t bytes(size_t depth, size_t columns) { return round_up(columns, matmul_column_tile) * round_up(depth, group) * sizeof(uint32_t); }

  template <Pack pack>
  static void prepare(const uint32_t* b, size_t stride, size_t depth, size_t columns, void* right) {
    const size_t panel_bytes = bytes(depth, matmul_column_tile);
    for (size_t l = 0; l < depth; l += group)
      for (size_t j = 0; j < columns; j += matmul_column_tile) {
        uint32_t words[group][matmul_column_tile] = {};
        for (size_t row = 0; row < smaller(group, depth - l); row++) copy_columns(b + (l + row) * stride + j, smaller(matmul_column_tile, columns - j), words[row]);
        pack(words, static_cast<uint8_t*>(right) + j / matmul_column_tile * panel_bytes + l / group * step_bytes);
      }
  }
};

/// Visits every tile of the task: panels, their slices, and the tiles of rows.
template <class LeftLayout, class RightLayout, size_t group, size_t slice_steps, void (*run)(const Tile&)>
void multiply(const MatmulTask& task) {
  const size_t steps = round_up(task.depth, group) / group, row_end = task.first_row + task.row_count, column_end = task.first_column + task.column_count;
  const uint8_t* left = static_cast<const uint8_t*>(task.left);
  for (size_t column = task.first_column; column < column_end; column += matmul_column_tile) {
    const uint8_t* panel = static_cast<const uint8_t*>(task.right) + RightLayout::bytes(task.depth, column);
    size_t step = 0;
    do {  // once at least: a product of depth 0 is zero
      const size_t count = smaller(slice_steps, steps - step);
      for (size_t row = task.first_row; row < row_end; row += matmul_row_tile)
        run({left + LeftLayout::bytes(row, task.depth) + step * LeftLayout::step_bytes, panel + step * RightLayout::step_bytes, count, smaller(matmul_row_tile, row_end - row),
             smaller(matmul_column_tile, column_end - column), step > 0, task.out + row * task.out_stride + column, task.out_stride});
      step += count;
    } while (step < steps);
  }
}

}  // namespace sotto::matmul
