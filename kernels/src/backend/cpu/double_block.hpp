// Blocks of a blind rotation on doubles: digits times keys, times X^e - 1, summed over the block, with one canonical reduction at the end.
//
// Floor of a block of three in setting 1, N = 2048: 512 vectors of 3 * 2 * 3 products and 3 of the monomials, each 4 multiplies (2 of them fused), two a
// cycle: 21504 cycles, 5.8 us at 3.7 GHz.
#pragma once

#include "backend/cpu/double_arithmetic.hpp"
#include "poly/poly_kernels.hpp"

namespace sotto::avx2 {

/// Longest block that the kernels are asked for, and the neighbouring places that share a power of psi.
constexpr uint32_t block_max = 8, place_count = 16, place_vectors = place_count / lane_count;

/// a w mod q with the quotient round(a w / q) from the rounded product: three roundings of it are off by 3 |a w| / (q 2^53), so with A = |a| / q and W = |w| / q
/// the result is at most (1/2 + 3/8 A W) q. Exact as `multiply` is, for A W < 8.
SOTTO_AVX2_INLINE Lanes multiply_rounded(const Modulus& m, Lanes a, Lanes w) {
  const Lanes high = _mm256_mul_pd(a, w);
  const Lanes low = _mm256_fmsub_pd(a, w, high);
  const Lanes quotient = round_nearest(_mm256_mul_pd(high, m.inverse));
  return _mm256_add_pd(_mm256_fnmadd_pd(quotient, m.q, high), low);
}

/// X^e - 1 at 16 transformed places from i, for any i: the odd exponents there are odd(i) + (2 N / 16) bit_reverse(k), k < 16, so the values are
/// psi^(e odd(i)) times 16 constants of e. `powers`: psi^k centred, k < 2 N.
struct Monomial {
  uint32_t exponent;
  Lanes constants[place_vectors];
};
SOTTO_AVX2_INLINE Monomial make_monomial(const RingTables& ring, const double* powers, uint32_t exponent) {
  alignas(32) double values[place_count];
  for (uint32_t k = 0; k < place_count; k++) values[k] = powers[exponent * (ring.odd_exponents[k] - 1) & (2 * ring.degree - 1)];
  Monomial made = {exponent, {}};
  for (uint32_t k = 0; k < place_vectors; k++) made.constants[k] = load(values + k * lane_count);
  return made;
}
SOTTO_AVX2_INLINE Lanes monomial_base(const RingTables& ring, const double* powers, const Monomial& monomial, uint32_t i) {
  return broadcast(powers[monomial.exponent * ring.odd_exponents[i] & (2 * ring.degree - 1)]);
}

/// sum_r digits_r key_r at four places: reduced digits and centred keys, so each product is at most 1/2 + 3/32 < 0.6, and the sum below 3.6.
template <uint32_t rows>
SOTTO_AVX2_INLINE Lanes row_sum(const Modulus& m, size_t n, const double* digits, const double* key) {
  Lanes sum = multiply_rounded(m, load(digits), load(key));
  for (uint32_t row = 1; row < rows; row++) sum = _mm256_add_pd(sum, multiply_rounded(m, load(digits + row * n), load(key + 2 * row * n)));
  return sum;
}

/// 16 transformed places of one block. X^e is below 0.6, its product with a row sum below 1.4, so that a reduced sum and four products stay below 8.
template <uint32_t rows>
SOTTO_AVX2_INLINE void block_places(const RingTables& ring, const Modulus& m, const double* powers, uint32_t block, const Monomial* monomials, uint32_t at, const double* digits, const double* key,
                                    uint64_t* out_a, uint64_t* out_b) {
  const size_t n = ring.degree;
  Lanes bases[block_max];
  for (uint32_t i = 0; i < block; i++) bases[i] = monomial_base(ring, powers, monomials[i], at);
  for (uint32_t k = 0; k < place_vectors; k++) {
    const uint32_t place = at + k * lane_count;
    const double* next = key + place;
    Lanes a = _mm256_setzero_pd(), b = a;
    for (uint32_t i = 0; i < block; i++, next += 2 * rows * n) {
      const Lanes factor = _mm256_sub_pd(multiply_rounded(m, bases[i], monomials[i].constants[k]), broadcast(1));
      a = _mm256_add_pd(a, multiply_rounded(m, row_sum<rows>(m, n, digits + place, next), factor));
      b = _mm256_add_pd(b, multiply_rounded(m, row_sum<rows>(m, n, digits + place, next + n), factor));
      if (i % 4 == 3) a = reduce(m, a), b = reduce(m, b);
    }
    store_words(out_a + place, canonical(m, a));
    store_words(out_b + place, canonical(m, b));
  }
}

}  // namespace sotto::avx2
