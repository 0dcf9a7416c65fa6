// A block of a blind rotation on AVX-512 IFMA: digits stay in register order and loose, products are summed over the rows of a key and reduced once,
// multiplied by X^e - 1, summed over the keys of the block and reduced once more.
//
// Floor of one block of 3 keys and 2 rows: for each eight coefficients 3 * (8 + 4 + 3) multiply-adds and 3 * 2 + 2 Montgomery reductions of 4, about 77 IFMA at one
// a cycle, 19,700 cycles for N = 2048, 5.3 us at 3.7 GHz; 12 polynomials of key, 196 kB, from the second-level cache at 32 bytes a cycle: 1.7 us.
#pragma once

#include "backend/cpu/ifma_gadget.hpp"

namespace sotto::ifma {

/// Longest block, and rows of one key, that the kernels are asked for.
constexpr uint32_t block_max = 8;

/// X^e - 1 at 16 transformed places from i, for any i: the odd exponents there are odd(i) + (2 N / 16) bit_reverse(k), k < 16, so the values are
/// psi^(e odd(i)) times 16 constants of e, held in register order.
struct Monomial {
  uint32_t exponent;
  Factor first, second;
};
SOTTO_IFMA_INLINE Monomial make_monomial(const RingTables& ring, const uint64_t* quotients, uint32_t exponent) {
  const uint32_t mask = 2 * ring.degree - 1;
  alignas(64) uint64_t values[16], shoup[16];
  for (uint32_t k = 0; k < 16; k++) {
    const uint32_t power = exponent * (ring.odd_exponents[k] - 1) & mask;
    values[k] = ring.powers[power];
    shoup[k] = quotients[power];
  }
  Monomial made = {exponent, {load(values), load(shoup)}, {load(values + lane_count), load(shoup + lane_count)}};
  to_register_order(made.first.value, made.second.value);
  to_register_order(made.first.quotient, made.second.quotient);
  return made;
}
/// In [q - 1, 3 q) loose.
SOTTO_IFMA_INLINE void monomial_minus_one(const RingTables& ring, const Modulus& m, const Monomial& monomial, uint32_t i, Lanes& a, Lanes& b) {
  const Lanes base = broadcast(ring.powers[monomial.exponent * ring.odd_exponents[i] & (2 * ring.degree - 1)]), minus_one = sub(m.q, broadcast(1));
  a = add(multiply_shoup(m, base, monomial.first), minus_one);
  b = add(multiply_shoup(m, base, monomial.second), minus_one);
}

/// sum_r digits_r key_r at eight places, times 2^52 (the key's form), not canonical: r of `reduce_montgomery` is below (rows + 1) q + 1, which is below 2^52 for
/// up to two rows; with more it is narrowed to [0, 2 q) loose.
template <uint32_t rows>
SOTTO_IFMA_INLINE Lanes row_sum(const Modulus& m, Lanes minus_q_inverse, size_t n, const uint64_t* digits, const uint64_t* key) {
  Sums sums = {zero(), zero()};
  for (uint32_t row = 0; row < rows; row++) accumulate(sums, load(digits + row * n), load(key + 2 * row * n));
  const Lanes k = add_low(zero(), sums.low, minus_q_inverse);
  const Lanes carry = _mm512_srli_epi64(add_low(sums.low, k, m.q), 52);
  const Lanes r = add(add_high(sums.high, k, m.q), carry);
  return rows <= 2 ? r : add_low(r, _mm512_srli_epi64(r, 50), m.minus_q);
}

/// 16 transformed places of one block. The sums of `block` products of values below 3 q stay far below what `reduce_montgomery` takes.
template <uint32_t rows>
SOTTO_IFMA_INLINE void block_pair(const RingTables& ring, const Modulus& m, Lanes minus_q_inverse, uint32_t block, const Monomial* monomials, uint32_t at, const uint64_t* digits,
                                  const uint64_t* key, uint64_t* out_a, uint64_t* out_b) {
  const size_t n = ring.degree;
  Sums a0 = {zero(), zero()}, a1 = a0, b0 = a0, b1 = a0;
  for (uint32_t i = 0; i < block; i++, key += 2 * rows * n) {
    Lanes first, second;
    monomial_minus_one(ring, m, monomials[i], at, first, second);
    accumulate(a0, row_sum<rows>(m, minus_q_inverse, n, digits + at, key + at), first);
    accumulate(a1, row_sum<rows>(m, minus_q_inverse, n, digits + at + lane_count, key + at + lane_count), second);
    accumulate(b0, row_sum<rows>(m, minus_q_inverse, n, digits + at, key + n + at), first);
    accumulate(b1, row_sum<rows>(m, minus_q_inverse, n, digits + at + lane_count, key + n + at + lane_count), second);
  }
  store_reduced(m, minus_q_inverse, a0, a1, out_a + at);
  store_reduced(m, minus_q_inverse, b0, b1, out_b + at);
}

}  // namespace sotto::ifma
