// The AVX-512 VNNI matrix product. A word of B is four unsigned bytes; vpdpbusd multiplies four bytes of B by four signed bytes of A and adds the products
// to a 32-bit sum, which wraps: each byte position has its own sums, exact modulo 2^32, joined by shifts at the end.
//
// Floor: 64 products of bytes an instruction, one a cycle on Zen 4: 16 multiply-adds of words a cycle, 59 G/s at 3.7 GHz. A tile of 6 rows and 16 columns
// takes 24 instructions a step of four, and 10 loads beside them; it keeps 24 sums, four vectors of B and one of A in the 32 registers.
#if defined(__x86_64__)

// GCC 12's own header reads an uninitialised "don't care" operand in unmasked 512-bit intrinsics and then warns of it where it is inlined.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>

#include "backend/cpu/matmul_blocking.hpp"

namespace sotto {
namespace {

using namespace matmul;

#define SOTTO_MATMUL __attribute__((target("avx512f,avx512vnni")))
#define SOTTO_MATMUL_INLINE inline __attribute__((always_inline, target("avx512f,avx512vnni")))

constexpr size_t group = 4, limbs = 4, slice_steps = 64;
using Left = LeftLayout<int8_t, group>;
using Right = RightLayout<group>;

/// Exchanges the bits of high that are in `mask` with those of low `shift` places above.
SOTTO_MATMUL_INLINE void exchange(__m512i& low, __m512i& high, uint32_t shift, uint32_t mask) {
  const __m512i differ = _mm512_and_si512(_mm512_xor_si512(_mm512_srli_epi32(low, shift), high), _mm512_set1_epi32(int32_t(mask)));
  high = _mm512_xor_si512(high, differ);
  low = _mm512_xor_si512(low, _mm512_slli_epi32(differ, shift));
}

/// A step: the lowest bytes of the 16 columns, four rows of a column side by side, then the next bytes: each column's 4 x 4 bytes transposed.
SOTTO_MATMUL void pack(const uint32_t (*words)[matmul_column_tile], void* step) {
  __m512i rows[group];
  for (size_t i = 0; i < group; i++) rows[i] = _mm512_loadu_si512(words[i]);
  exchange(rows[0], rows[1], 8, 0x00ff00ff);
  exchange(rows[2], rows[3], 8, 0x00ff00ff);
  exchange(rows[0], rows[2], 16, 0x0000ffff);
  exchange(rows[1], rows[3], 16, 0x0000ffff);
  for (size_t limb = 0; limb < limbs; limb++) _mm512_store_si512(static_cast<uint8_t*>(step) + limb * sizeof(__m512i), rows[limb]);
}

SOTTO_MATMUL_INLINE __m512i broadcast_four(const int8_t* x) {
  int32_t four;
  memcpy(&four, x, sizeof four);
  return _mm512_set1_epi32(four);
}

/// sum + the products of four bytes. An instruction by name: from the intrinsic, GCC 12 copies every sum through memory in every step.
SOTTO_MATMUL_INLINE void add_products(__m512i& sum, __m512i bytes, __m512i four) {
  __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(bytes), "v"(four));
}

SOTTO_MATMUL_INLINE __m512i joined(const __m512i* sums) {
  const __m512i low = _mm512_add_epi32(sums[0], _mm512_slli_epi32(sums[1], 8)), high = _mm512_add_epi32(sums[2], _mm512_slli_epi32(sums[3], 8));
  return _mm512_add_epi32(low, _mm512_slli_epi32(high, 16));
}

template <size_t rows>
SOTTO_MATMUL void run_rows(const Tile& tile) {
  __m512i sums[rows][limbs];
#pragma GCC unroll 6
  for (size_t i = 0; i < rows; i++) {
#pragma GCC unroll 6
    for (size_t limb = 0; limb < limbs; limb++) sums[i][limb] = _mm512_setzero_si512();
    _mm_prefetch(reinterpret_cast<const char*>(tile.out + i * tile.out_stride), _MM_HINT_T0);
  }
  const int8_t* a = static_cast<const int8_t*>(tile.left);
  const uint8_t* b = static_cast<const uint8_t*>(tile.right);
  for (size_t step = 0; step < tile.steps; step++, a += Left::step_values, b += Right::step_bytes) {
    __m512i bytes[limbs];
#pragma GCC unroll 6
    for (size_t limb = 0; limb < limbs; limb++) bytes[limb] = _mm512_load_si512(b + limb * sizeof(__m512i));
#pragma GCC unroll 6
    for (size_t i = 0; i < rows; i++) {
      const __m512i four = broadcast_four(a + i * group);
#pragma GCC unroll 6
      for (size_t limb = 0; limb < limbs; limb++) add_products(sums[i][limb], bytes[limb], four);
    }
  }
  const __mmask16 mask = __mmask16(0xffff >> (matmul_column_tile - tile.columns));
#pragma GCC unroll 6
  for (size_t i = 0; i < rows; i++) {
    uint32_t* out = tile.out + i * tile.out_stride;
    __m512i sum = joined(sums[i]);
    if (tile.accumulate) sum = _mm512_add_epi32(sum, _mm512_maskz_loadu_epi32(mask, out));
    _mm512_mask_storeu_epi32(out, mask, sum);
  }
}

void run_tile(const Tile& tile) {
  static constexpr void (*by_rows[])(const Tile&) = {run_rows<1>, run_rows<2>, run_rows<3>, run_rows<4>, run_rows<5>, run_rows<6>};
  by_rows[tile.rows - 1](tile);
}

}  // namespace

const MatmulKernels& avx512vnni_matmul_kernels() {
  static const MatmulKernels kernels = {"avx512vnni", Left::bytes, Left::prepare, Right::bytes, Right::prepare<pack>, multiply<Left, Right, group, slice_steps, run_tile>};
  return kernels;
}

}  // namespace sotto

#endif
