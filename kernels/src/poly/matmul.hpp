// The integer matrix product C = A B modulo 2^32 of small signed A and 32-bit B: the table of functions that a back end fills in.
//
// A is m x k, int8, row-major; B is k x n, uint32, row-major; C is m x n, uint32, row-major. Every dimension and value is allowed (0 too); all back ends
// give identical bytes. Both factors are first laid out for the back end ("prepared"): once, for as many products as the caller likes; prepared bytes mean
// nothing to another back end. Prepared buffers are the caller's, 64-byte aligned; A, B and C need no alignment beyond their type's, and padding between
// rows is neither read nor written. Nothing allocates, throws or keeps state, and no scratch is needed.
//
// Threads. A call runs on its own thread. A caller splits a product, or a preparation, at multiples of the tiles below; parts may run at the same time.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace sotto {

/// Ranges of rows of A and C start at multiples of the row tile, ranges of columns of B and C at multiples of the column tile; they may end anywhere.
constexpr size_t matmul_row_tile = 6, matmul_column_tile = 16;

/// One part of a product: rows [first_row, first_row + row_count) and columns [first_column, first_column + column_count) of C.
struct MatmulTask {
  const void* left;   // the whole of A, prepared
  const void* right;  // the whole of B, prepared
  size_t depth;       // k
  size_t first_row, row_count;
  size_t first_column, column_count;
  uint32_t* out;      // element (0, 0) of C; only the part is written; does not overlap the factors
  size_t out_stride;  // words from one row of C to the next
};

struct MatmulKernels {
  const char* name;

  /// Bytes of a prepared A of this many rows. Also where row `rows`, a multiple of the row tile, starts in a longer one, so that parts can be prepared apart.
  size_t (*left_bytes)(size_t rows, size_t depth);
  /// Prepares rows x depth values, `stride` values from row to row, into left_bytes(rows, depth) bytes.
  void (*prepare_left)(const int8_t* a, size_t stride, size_t rows, size_t depth, void* left);

  /// Bytes of a prepared B of this many columns. Also where column `columns`, a multiple of the column tile, starts in a wider one.
  size_t (*right_bytes)(size_t depth, size_t columns);
  /// Prepares depth x columns words, `stride` words from row to row, into right_bytes(depth, columns) bytes.
  void (*prepare_right)(const uint32_t* b, size_t stride, size_t depth, size_t columns, void* right);

  /// Writes C = A B mod 2^32 in the task's part.
  void (*multiply)(const MatmulTask&);
};

const MatmulKernels& ref_matmul_kernels();
const MatmulKernels& portable_matmul_kernels();
#if defined(__x86_64__)
const MatmulKernels& avx2_matmul_kernels();        // 16-bit multiply-add of pairs
const MatmulKernels& avx512vnni_matmul_kernels();  // 8-bit multiply-add of fours, AVX-512 F and VNNI
#endif

/// The table that goes with the ring's back end of that name ("ref", "portable", "avx2", "avx512ifma"; null or empty: the fastest), or null if that one is
/// unknown or does not run here. With "avx512ifma" it is the VNNI table, or the AVX2 one on a processor without VNNI: `name` of the table says which.
const MatmulKernels* select_matmul_kernels(const char* name);

}  // namespace sotto
