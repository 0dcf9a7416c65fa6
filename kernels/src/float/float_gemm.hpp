// The float matrix product, for any vector length: included by one file a back end after it has set its target and defined SOTTO_FLOAT_BYTES (of a vector) and
// SOTTO_FLOAT_ROWS (of a register tile). Everything is in an unnamed namespace, so that no back end's code is used by another.
//
// A register tile is tile_rows x 2 vectors of C (or 1 vector, for narrow C). B is laid out in panels of one tile's columns. A is read where it lies, one
// broadcast an element (laying it out was no faster); only rows that fill no tile are laid out, with zeros behind them.
#pragma once

#include <math.h>
#include <string.h>

#include <initializer_list>

#include "float/float_kernels.hpp"

namespace sotto {
namespace {

typedef float Vector __attribute__((vector_size(SOTTO_FLOAT_BYTES), may_alias, aligned(4)));
typedef int32_t IntVector __attribute__((vector_size(SOTTO_FLOAT_BYTES), may_alias, aligned(4)));
#define SOTTO_FLOAT_INLINE inline __attribute__((always_inline))

constexpr size_t lanes = SOTTO_FLOAT_BYTES / 4, tile_rows = SOTTO_FLOAT_ROWS;

SOTTO_FLOAT_INLINE Vector load(const float* x) { return *reinterpret_cast<const Vector*>(x); }
SOTTO_FLOAT_INLINE void store(float* x, Vector v) { *reinterpret_cast<Vector*>(x) = v; }
SOTTO_FLOAT_INLINE Vector broadcast(float x) { return x - Vector{}; }

/// How a tile leaves the registers: c = alpha sum + beta c.
struct TileOut {
  float* c;
  size_t stride;
  float alpha, beta;
};

SOTTO_FLOAT_INLINE void write_row(const TileOut& out, float* c, const Vector* sums, size_t vectors) {
  for (size_t v = 0; v < vectors; v++) {
    const Vector scaled = out.alpha * sums[v];
    store(c + v * lanes, out.beta == 0 ? scaled : scaled + out.beta * load(c + v * lanes));
  }
}

/// One whole tile: element (i, k) of A at a[i * row_step + k * depth_step], B a panel of `vectors` vectors a depth.
template <size_t rows, size_t vectors>
void multiply_tile(const float* a, size_t row_step, size_t depth_step, const float* panel, size_t depth, const TileOut& out) {
  Vector sums[rows][vectors] = {};
  for (size_t k = 0; k < depth; k++, a += depth_step, panel += vectors * lanes) {
    Vector b[vectors];
#pragma GCC unroll 2
    for (size_t v = 0; v < vectors; v++) b[v] = load(panel + v * lanes);
#pragma GCC unroll 16
    for (size_t i = 0; i < rows; i++) {
      const Vector left = broadcast(a[i * row_step]);
#pragma GCC unroll 2
      for (size_t v = 0; v < vectors; v++) sums[i][v] += left * b[v];
    }
  }
#pragma GCC unroll 16
  for (size_t i = 0; i < rows; i++) write_row(out, out.c + i * out.stride, sums[i], vectors);
}

/// A block of op(B), depth x columns, as panels; missing columns are zero.
void pack_right(const GemmTask& t, size_t first_depth, size_t depth, size_t first_column, size_t columns, size_t panel_columns, float* out) {
  for (size_t j = 0; j < columns; j += panel_columns) {
    const size_t width = columns - j < panel_columns ? columns - j : panel_columns;
    if (width < panel_columns) memset(out, 0, depth * panel_columns * sizeof(float));
    if (t.b_transposed) {
      for (size_t c = 0; c < width; c++) {
        const float* row = t.b + (first_column + j + c) * t.b_stride + first_depth;
        for (size_t k = 0; k < depth; k++) out[k * panel_columns + c] = row[k];
      }
    } else {
      for (size_t k = 0; k < depth; k++) memcpy(out + k * panel_columns, t.b + (first_depth + k) * t.b_stride + first_column + j, width * sizeof(float));
    }
    out += depth * panel_columns;
  }
}

/// Rows of op(A) that fill no tile: depth x tile_rows, missing rows are zero.
void pack_left(const GemmTask& t, size_t first_row, size_t rows, size_t first_depth, size_t depth, float* out) {
  memset(out, 0, depth * tile_rows * sizeof(float));
  for (size_t k = 0; k < depth; k++)
    for (size_t i = 0; i < rows; i++)
      out[k * tile_rows + i] = t.a_transposed ? t.a[(first_depth + k) * t.a_stride + first_row + i] : t.a[(first_row + i) * t.a_stride + first_depth + k];
}

/// A tile that may lack rows or columns: whole ones go straight to C, others through `spare`.
template <size_t vectors>
void finish_tile(const float* a, size_t row_step, size_t depth_step, const float* panel, size_t depth, const TileOut& out, size_t rows, size_t columns, float* spare) {
  constexpr size_t width = vectors * lanes;
  if (rows == tile_rows && columns == width) return multiply_tile<tile_rows, vectors>(a, row_step, depth_step, panel, depth, out);
  multiply_tile<tile_rows, vectors>(a, row_step, depth_step, panel, depth, {spare, width, out.alpha, 0});
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < columns; j++) {
      float* c = out.c + i * out.stride + j;
      *c = out.beta == 0 ? spare[i * width + j] : spare[i * width + j] + out.beta * *c;
    }
}

/// The part of a product between one block of B and all rows of A.
template <size_t vectors>
void multiply_block(const GemmTask& t, size_t first_depth, size_t depth, size_t first_column, size_t columns, float beta, float* workspace) {
  constexpr size_t width = vectors * lanes;
  float *right = workspace, *left = right + gemm_depth_block * gemm_column_block, *spare = left + gemm_depth_block * gemm_tile_rows_max;
  const size_t row_step = t.a_transposed ? 1 : t.a_stride, depth_step = t.a_transposed ? t.a_stride : 1, whole = t.rows / tile_rows * tile_rows;
  pack_right(t, first_depth, depth, first_column, columns, width, right);
  if (whole < t.rows) pack_left(t, whole, t.rows - whole, first_depth, depth, left);
  for (size_t i0 = 0; i0 < t.rows; i0 += gemm_row_block) {
    const size_t end = t.rows - i0 < gemm_row_block ? t.rows : i0 + gemm_row_block;
    for (size_t j = 0; j < columns; j += width) {
      const size_t tile_columns = columns - j < width ? columns - j : width;
      const float* panel = right + j * depth;
      for (size_t i = i0; i < end; i += tile_rows) {
        const TileOut out = {t.c + i * t.c_stride + first_column + j, t.c_stride, t.alpha, beta};
        if (i < whole) finish_tile<vectors>(t.a + i * row_step + first_depth * depth_step, row_step, depth_step, panel, depth, out, tile_rows, tile_columns, spare);
        else finish_tile<vectors>(left, 1, tile_rows, panel, depth, out, t.rows - whole, tile_columns, spare);
      }
    }
  }
}

void scale_rows(const GemmTask& t) {
  for (size_t i = 0; i < t.rows; i++)
    for (size_t j = 0; j < t.columns; j++) t.c[i * t.c_stride + j] = t.beta == 0 ? 0 : t.beta * t.c[i * t.c_stride + j];
}

void gemm(const GemmTask& t, float* workspace) {
  static_assert(2 * lanes * tile_rows <= gemm_tile_floats_max && tile_rows <= gemm_tile_rows_max && gemm_row_block % tile_rows == 0 && gemm_column_block % (2 * lanes) == 0);
  if (t.depth == 0) return scale_rows(t);
  for (size_t j = 0; j < t.columns; j += gemm_column_block) {
    const size_t columns = t.columns - j < gemm_column_block ? t.columns - j : gemm_column_block;
    for (size_t k = 0; k < t.depth; k += gemm_depth_block) {
      const size_t depth = t.depth - k < gemm_depth_block ? t.depth - k : gemm_depth_block;
      const float beta = k == 0 ? t.beta : 1;
      if (columns <= lanes) multiply_block<1>(t, k, depth, j, columns, beta, workspace);
      else multiply_block<2>(t, k, depth, j, columns, beta, workspace);
    }
  }
}

}  // namespace
}  // namespace sotto
