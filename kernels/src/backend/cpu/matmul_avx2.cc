// The AVX2 matrix product. A word of B is low + 2^16 high with both halves signed 16-bit numbers (high modulo 2^16), A is widened to 16 bits: then vpmaddwd,
// the sum of two products of 16-bit numbers, is exact, and so are the sums of sums modulo 2^32. (vpmaddubsw on bytes saturates.)
//
// Floor: 8 multiply-adds of words an instruction, two a cycle on Zen 4: 16 a cycle, 59 G/s at 3.7 GHz; the additions go to the other two ports. A tile of
// 6 rows and 8 columns keeps 12 sums, 2 vectors of B, one of A and a product in the sixteen registers.
#if defined(__x86_64__)

#include <immintrin.h>

#include "backend/cpu/matmul_blocking.hpp"

namespace sotto {
namespace {

using namespace matmul;

#define SOTTO_MATMUL __attribute__((target("avx2")))
#define SOTTO_MATMUL_INLINE inline __attribute__((always_inline, target("avx2")))

constexpr size_t group = 2, slice_steps = 128, lane_count = 8;
using Left = LeftLayout<int16_t, group>;
using Right = RightLayout<group>;

/// A step: the low halves of columns 0 to 7, their high halves, then those of columns 8 to 15; a lane holds both rows of one column.
SOTTO_MATMUL void pack(const uint32_t (*words)[matmul_column_tile], void* step) {
  uint32_t* out = static_cast<uint32_t*>(step);
  for (size_t half = 0; half < 2; half++, out += 2 * lane_count)
    for (size_t j = 0; j < lane_count; j++) {
      const uint32_t first = words[0][half * lane_count + j], second = words[1][half * lane_count + j];
      out[j] = (first & 0xffff) | second << 16;
      out[lane_count + j] = (first + 0x8000) >> 16 | ((second + 0x8000) & 0xffff0000);  // the half that is left of x - low
    }
}

SOTTO_MATMUL_INLINE __m256i load(const void* x) { return _mm256_load_si256(static_cast<const __m256i*>(x)); }

SOTTO_MATMUL_INLINE __m256i broadcast_pair(const int16_t* x) {
  int32_t pair;
  memcpy(&pair, x, sizeof pair);
  return _mm256_set1_epi32(pair);
}

/// sum + the sums of two products. Instructions by name: from the intrinsics, GCC 12 keeps half of the sums in memory.
SOTTO_MATMUL_INLINE void add_products(__m256i& sum, __m256i halves, __m256i pair) {
  __m256i product;
  __asm__("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0" : "+x"(sum), "=&x"(product) : "x"(halves), "x"(pair));
}

SOTTO_MATMUL_INLINE void write_row(const Tile& tile, size_t row, size_t first, __m256i sum) {
  uint32_t* out = tile.out + row * tile.out_stride + first;
  const int left = int(tile.columns - first);
  const __m256i mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(left), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  if (tile.accumulate) sum = _mm256_add_epi32(sum, _mm256_maskload_epi32(reinterpret_cast<const int*>(out), mask));
  _mm256_maskstore_epi32(reinterpret_cast<int*>(out), mask, sum);
}

/// Columns [first, first + 8) of a tile.
template <size_t rows>
SOTTO_MATMUL void run_columns(const Tile& tile, size_t first) {
  __m256i low[rows], high[rows];
#pragma GCC unroll 6
  for (size_t i = 0; i < rows; i++) low[i] = high[i] = _mm256_setzero_si256();
  const int16_t* a = static_cast<const int16_t*>(tile.left);
  const uint8_t* b = static_cast<const uint8_t*>(tile.right) + first * 2 * sizeof(uint32_t);
  for (size_t step = 0; step < tile.steps; step++, a += Left::step_values, b += Right::step_bytes) {
    const __m256i b_low = load(b), b_high = load(b + sizeof(__m256i));
#pragma GCC unroll 6
    for (size_t i = 0; i < rows; i++) {
      const __m256i pair = broadcast_pair(a + i * group);
      add_products(low[i], b_low, pair);
      add_products(high[i], b_high, pair);
    }
  }
#pragma GCC unroll 6
  for (size_t i = 0; i < rows; i++) write_row(tile, i, first, _mm256_add_epi32(low[i], _mm256_slli_epi32(high[i], 16)));
}

template <size_t rows>
void run_rows(const Tile& tile) {
  for (size_t first = 0; first < tile.columns; first += lane_count) run_columns<rows>(tile, first);
}

void run_tile(const Tile& tile) {
  static constexpr void (*by_rows[])(const Tile&) = {run_rows<1>, run_rows<2>, run_rows<3>, run_rows<4>, run_rows<5>, run_rows<6>};
  by_rows[tile.rows - 1](tile);
}

}  // namespace

const MatmulKernels& avx2_matmul_kernels() {
  static const MatmulKernels kernels = {"avx2", Left::bytes, Left::prepare, Right::bytes, Right::prepare<pack>, multiply<Left, Right, group, slice_steps, run_tile>};
  return kernels;
}

}  // namespace sotto

#endif
