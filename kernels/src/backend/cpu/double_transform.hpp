// The negacyclic transforms on doubles: two levels at a time over memory, the last three on eight coefficients inside registers.
#pragma once

#include "backend/cpu/double_arithmetic.hpp"
#include "poly/poly_kernels.hpp"

namespace sotto::avx2 {

constexpr uint32_t tail_size = 8;
constexpr uint32_t tail_levels = 3;
/// The register part takes two blocks of eight together, since the three levels of one are a chain of some 60 cycles.
constexpr uint32_t tail_vectors = 4;

/// Derived tables of one direction, doubles: values[i] = roots[i] centred, quotients[i] = roots[i] / q, i < N; and the roots of the level of half length 2,
/// each twice (N / 2 words).
struct TransformTable {
  const double *values, *quotients, *twin_values, *twin_quotients;
};

SOTTO_AVX2_INLINE Factor factor_at(const TransformTable& table, uint32_t i) { return {broadcast(table.values[i]), broadcast(table.quotients[i])}; }

struct Four {
  Lanes x0, x1, x2, x3;
};
SOTTO_AVX2_INLINE Four load_four(const double* x, uint32_t stride) { return {load(x), load(x + stride), load(x + 2 * stride), load(x + 3 * stride)}; }
SOTTO_AVX2_INLINE void store_four(double* x, uint32_t stride, const Four& v) {
  store(x, v.x0);
  store(x + stride, v.x1);
  store(x + 2 * stride, v.x2);
  store(x + 3 * stride, v.x3);
}

SOTTO_AVX2_INLINE void forward_four(const Modulus& m, Four& v, const Factor& first, const Factor& low, const Factor& high) {
  forward_butterfly(m, v.x0, v.x2, first);
  forward_butterfly(m, v.x1, v.x3, first);
  forward_butterfly(m, v.x0, v.x1, low);
  forward_butterfly(m, v.x2, v.x3, high);
}

/// Two inverse levels. In and out below 2: sums s < 4; x0 = s0 + s1 < 8 is reduced; x1 is a sum of two products, at most 1 + A / 2 < 2;
/// x2 = (s0 - s1) w <= 1/2 + 8/8; x3 <= 1.
SOTTO_AVX2_INLINE void inverse_four(const Modulus& m, Four& v, const Factor& last, const Factor& low, const Factor& high) {
  inverse_butterfly(m, v.x0, v.x1, low);
  inverse_butterfly(m, v.x2, v.x3, high);
  inverse_butterfly(m, v.x0, v.x2, last);
  inverse_butterfly(m, v.x1, v.x3, last);
  v.x0 = reduce(m, v.x0);
}

/// One pass over memory, two levels, `groups` groups. `first_reduce`: reduce the inputs before.
template <bool first_reduce>
SOTTO_AVX2_INLINE void forward_pass(const Modulus& m, const TransformTable& table, double* x, uint32_t degree, uint32_t groups) {
  const uint32_t quarter = degree / groups / 4;
  for (uint32_t group = groups; group < 2 * groups; group++, x += 4 * quarter) {
    const Factor first = factor_at(table, group), low = factor_at(table, 2 * group), high = factor_at(table, 2 * group + 1);
    for (uint32_t j = 0; j < quarter; j += lane_count) {
      Four v = load_four(x + j, quarter);
      if (first_reduce) v = {reduce(m, v.x0), reduce(m, v.x1), reduce(m, v.x2), reduce(m, v.x3)};
      forward_four(m, v, first, low, high);
      store_four(x + j, quarter, v);
    }
  }
}

SOTTO_AVX2_INLINE void inverse_pass(const Modulus& m, const TransformTable& table, double* x, uint32_t degree, uint32_t groups) {
  const uint32_t quarter = degree / groups / 4;
  for (uint32_t group = groups; group < 2 * groups; group++, x += 4 * quarter) {
    const Factor last = factor_at(table, group), low = factor_at(table, 2 * group), high = factor_at(table, 2 * group + 1);
    for (uint32_t j = 0; j < quarter; j += lane_count) {
      Four v = load_four(x + j, quarter);
      inverse_four(m, v, last, low, high);
      store_four(x + j, quarter, v);
    }
  }
}

SOTTO_AVX2_INLINE void swap_halves(Lanes& a, Lanes& b) {
  const Lanes x = _mm256_permute2f128_pd(a, b, 0x20);
  b = _mm256_permute2f128_pd(a, b, 0x31);
  a = x;
}
SOTTO_AVX2_INLINE void swap_odd(Lanes& a, Lanes& b) {
  const Lanes x = _mm256_unpacklo_pd(a, b);
  b = _mm256_unpackhi_pd(a, b);
  a = x;
}

SOTTO_AVX2_INLINE Factor half_two_factor(const TransformTable& table, uint32_t block) {
  return {load(table.twin_values + 4 * block), load(table.twin_quotients + 4 * block)};
}
SOTTO_AVX2_INLINE Factor half_one_factor(const TransformTable& table, uint32_t degree, uint32_t block) {
  return {load(table.values + degree / 2 + 4 * block), load(table.quotients + degree / 2 + 4 * block)};
}

/// The last three levels of blocks `block` and `block` + 1, each v[2 i] = x0..3, v[2 i + 1] = x4..7; natural order again at the end.
SOTTO_AVX2_INLINE void forward_tail(const Modulus& m, const TransformTable& table, Lanes (&v)[tail_vectors], uint32_t degree, uint32_t block) {
  for (uint32_t i = 0; i < 2; i++) {
    forward_butterfly(m, v[2 * i], v[2 * i + 1], factor_at(table, degree / 8 + block + i));
    swap_halves(v[2 * i], v[2 * i + 1]);  // 0 1 4 5, 2 3 6 7
  }
  for (uint32_t i = 0; i < 2; i++) {
    forward_butterfly(m, v[2 * i], v[2 * i + 1], half_two_factor(table, block + i));
    swap_odd(v[2 * i], v[2 * i + 1]);  // 0 2 4 6, 1 3 5 7
  }
  for (uint32_t i = 0; i < 2; i++) forward_butterfly(m, v[2 * i], v[2 * i + 1], half_one_factor(table, degree, block + i));
  for (uint32_t i = 0; i < 2; i++) {
    swap_odd(v[2 * i], v[2 * i + 1]);
    swap_halves(v[2 * i], v[2 * i + 1]);
  }
}

/// The first three inverse levels of two blocks of canonical coefficients: sums stay below 8 (1, 2, 4, 8 times q - 1 at most) and are reduced at the end;
/// products are at most 1/2 + 4/8 = 1, their sums at most 4.
SOTTO_AVX2_INLINE void inverse_tail(const Modulus& m, const TransformTable& table, Lanes (&v)[tail_vectors], uint32_t degree, uint32_t block) {
  for (uint32_t i = 0; i < 2; i++) {
    swap_halves(v[2 * i], v[2 * i + 1]);
    swap_odd(v[2 * i], v[2 * i + 1]);
  }
  for (uint32_t i = 0; i < 2; i++) {
    inverse_butterfly(m, v[2 * i], v[2 * i + 1], half_one_factor(table, degree, block + i));
    swap_odd(v[2 * i], v[2 * i + 1]);
  }
  for (uint32_t i = 0; i < 2; i++) {
    inverse_butterfly(m, v[2 * i], v[2 * i + 1], half_two_factor(table, block + i));
    swap_halves(v[2 * i], v[2 * i + 1]);
  }
  for (uint32_t i = 0; i < 2; i++) {
    inverse_butterfly(m, v[2 * i], v[2 * i + 1], factor_at(table, degree / 8 + block + i));
    v[2 * i] = reduce(m, v[2 * i]);
  }
}

/// The levels left to memory passes are log2(N) - 3; when that is odd, one level goes alone.
inline bool one_level_alone(const RingTables& ring) { return (ring.log_degree - tail_levels) & 1; }

/// The levels between the first pass and the last three; reduces once, so that no value passes the bound of `levels_unreduced_max` levels.
SOTTO_AVX2_INLINE void forward_middle(const Modulus& m, const TransformTable& table, double* x, const RingTables& ring) {
  uint32_t levels = one_level_alone(ring) ? 1 : 2;
  for (uint32_t groups = 1u << levels; groups < ring.degree / tail_size; groups *= 4) {
    if (levels + 2 > levels_unreduced_max - 1) {
      forward_pass<true>(m, table, x, ring.degree, groups);
      levels = 2;
    } else {
      forward_pass<false>(m, table, x, ring.degree, groups);
      levels += 2;
    }
  }
}

SOTTO_AVX2_INLINE void inverse_middle(const Modulus& m, const TransformTable& table, double* x, const RingTables& ring) {
  const uint32_t first = one_level_alone(ring) ? 2 : 4;
  for (uint32_t groups = ring.degree / tail_size / 4; groups >= first; groups /= 4) inverse_pass(m, table, x, ring.degree, groups);
}

/// Last inverse level with the factor 1/N, to canonical words. In below 4 (sums and differences below 8).
SOTTO_AVX2_INLINE void inverse_last(const Modulus& m, Lanes x, Lanes y, const Factor& scale, const Factor& scaled_root, uint64_t* low, uint64_t* high) {
  store_words(low, canonical(m, multiply(m, _mm256_add_pd(x, y), scale)));
  store_words(high, canonical(m, multiply(m, _mm256_sub_pd(x, y), scaled_root)));
}

}  // namespace sotto::avx2
