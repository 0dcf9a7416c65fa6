// The negacyclic transforms on AVX-512 IFMA: two levels at a time over memory, the last five levels on 32 coefficients inside registers.
#pragma once

#include "backend/cpu/ifma_arithmetic.hpp"
#include "poly/poly_kernels.hpp"

namespace sotto::ifma {

/// Coefficients that the register part works on, and the levels it does: blocks of 32, half lengths 16, 8, 4, 2, 1.
constexpr uint32_t tail_size = 32;
constexpr uint32_t tail_levels = 5;
/// Words of the expanded twiddles of 16 coefficients: three levels (half length 4, 2, 1) of a factor and its quotient.
constexpr uint32_t pair_words = 6 * lane_count;

/// Derived tables of one direction: pairs (w, quotient) of roots[1 .. N/8), then `pair_words` for each 16 coefficients in register order.
struct TransformTable {
  const uint64_t* pairs;
  const uint64_t* expanded;
};

SOTTO_IFMA_INLINE Factor broadcast_factor(const uint64_t* pairs, uint32_t index) { return {broadcast(pairs[2 * index]), broadcast(pairs[2 * index + 1])}; }
SOTTO_IFMA_INLINE Factor load_factor(const uint64_t* expanded) { return {load(expanded), load(expanded + lane_count)}; }

struct Four {
  Lanes x0, x1, x2, x3;
};
SOTTO_IFMA_INLINE Four load_four(const uint64_t* x, uint32_t stride) { return {load(x), load(x + stride), load(x + 2 * stride), load(x + 3 * stride)}; }
SOTTO_IFMA_INLINE void store_four(uint64_t* x, uint32_t stride, const Four& v) {
  store(x, v.x0);
  store(x + stride, v.x1);
  store(x + 2 * stride, v.x2);
  store(x + 3 * stride, v.x3);
}

/// Two Cooley-Tukey levels.
template <Narrow first_level, Narrow second_level>
SOTTO_IFMA_INLINE void forward_four(const Modulus& m, Four& v, const Factor& first, const Factor& low, const Factor& high) {
  forward_butterfly<first_level>(m, v.x0, v.x2, first);
  forward_butterfly<first_level>(m, v.x1, v.x3, first);
  forward_butterfly<second_level>(m, v.x0, v.x1, low);
  forward_butterfly<second_level>(m, v.x2, v.x3, high);
}

/// Two Gentleman-Sande levels.
template <bool canonical_input>
SOTTO_IFMA_INLINE void inverse_four(const Modulus& m, Four& v, const Factor& last, const Factor& low, const Factor& high) {
  inverse_butterfly<canonical_input>(m, v.x0, v.x1, low);
  inverse_butterfly<canonical_input>(m, v.x2, v.x3, high);
  inverse_butterfly<false>(m, v.x0, v.x2, last);
  inverse_butterfly<false>(m, v.x1, v.x3, last);
}

/// One pass over memory, two levels: `groups` groups of N / groups coefficients. In and out [0, 2^52) loose.
SOTTO_IFMA_INLINE void forward_pass(const Modulus& m, const uint64_t* pairs, uint64_t* x, uint32_t degree, uint32_t groups) {
  const uint32_t quarter = degree / groups / 4;
  for (uint32_t group = groups; group < 2 * groups; group++, x += 4 * quarter) {
    const Factor first = broadcast_factor(pairs, group), low = broadcast_factor(pairs, 2 * group), high = broadcast_factor(pairs, 2 * group + 1);
    for (uint32_t j = 0; j < quarter; j += lane_count) {
      Four v = load_four(x + j, quarter);
      forward_four<Narrow::by_table, Narrow::by_test>(m, v, first, low, high);
      store_four(x + j, quarter, v);
    }
  }
}

/// The same backwards. In and out [0, 2 q) loose.
SOTTO_IFMA_INLINE void inverse_pass(const Modulus& m, const uint64_t* pairs, uint64_t* x, uint32_t degree, uint32_t groups) {
  const uint32_t quarter = degree / groups / 4;
  for (uint32_t group = groups; group < 2 * groups; group++, x += 4 * quarter) {
    const Factor last = broadcast_factor(pairs, group), low = broadcast_factor(pairs, 2 * group), high = broadcast_factor(pairs, 2 * group + 1);
    for (uint32_t j = 0; j < quarter; j += lane_count) {
      Four v = load_four(x + j, quarter);
      inverse_four<false>(m, v, last, low, high);
      store_four(x + j, quarter, v);
    }
  }
}

/// The register part takes two blocks of 32 together: one block is a chain of five levels, about 80 cycles long, and the scheduler does not see far
/// enough to overlap it with the next.
constexpr uint32_t tail_vectors = 8;

/// Last three levels of each pair a = v[2 i] = a0..a7, b = v[2 i + 1] = b0..b7, level by level.
/// Out: a = a0 a2 b0 b2 a4 a6 b4 b6, b = a1 a3 b1 b3 a5 a7 b5 b7 ("register order"),
/// canonical or [0, 2^52) loose.
template <bool canonical_output>
SOTTO_IFMA_INLINE void forward_in_lanes(const Modulus& m, Lanes (&v)[tail_vectors], const uint64_t* expanded) {
  Lanes u[tail_vectors];
  for (uint32_t i = 0; i < tail_vectors; i += 2) {
    u[i] = _mm512_shuffle_i64x2(v[i], v[i + 1], 0x44);      // a0-3 b0-3
    u[i + 1] = _mm512_shuffle_i64x2(v[i], v[i + 1], 0xEE);  // a4-7 b4-7
    forward_butterfly<Narrow::by_test>(m, u[i], u[i + 1], load_factor(expanded + i / 2 * pair_words));
  }
  for (uint32_t i = 0; i < tail_vectors; i += 2) {
    v[i] = _mm512_shuffle_i64x2(u[i], u[i + 1], 0x88);      // a0 a1 b0 b1 a4 a5 b4 b5
    v[i + 1] = _mm512_shuffle_i64x2(u[i], u[i + 1], 0xDD);  // a2 a3 b2 b3 a6 a7 b6 b7
    forward_butterfly<Narrow::by_test>(m, v[i], v[i + 1], load_factor(expanded + i / 2 * pair_words + 2 * lane_count));
  }
  for (uint32_t i = 0; i < tail_vectors; i += 2) {
    const Lanes low = _mm512_unpacklo_epi64(v[i], v[i + 1]);
    v[i + 1] = _mm512_unpackhi_epi64(v[i], v[i + 1]);
    v[i] = low;
    const Factor w = load_factor(expanded + i / 2 * pair_words + 4 * lane_count);
    if (canonical_output) forward_butterfly_canonical(m, v[i], v[i + 1], w);
    else forward_butterfly<Narrow::by_test>(m, v[i], v[i + 1], w);
  }
}

/// First three inverse levels of each pair, register order -> natural order; input canonical, output [0, 2 q) loose.
SOTTO_IFMA_INLINE void inverse_in_lanes(const Modulus& m, Lanes (&v)[tail_vectors], const uint64_t* expanded) {
  const Lanes low = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), high = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
  Lanes u[tail_vectors];
  for (uint32_t i = 0; i < tail_vectors; i += 2) {
    inverse_butterfly<true>(m, v[i], v[i + 1], load_factor(expanded + i / 2 * pair_words + 4 * lane_count));
    u[i] = _mm512_unpacklo_epi64(v[i], v[i + 1]);      // a0 a1 b0 b1 a4 a5 b4 b5
    u[i + 1] = _mm512_unpackhi_epi64(v[i], v[i + 1]);  // a2 a3 b2 b3 a6 a7 b6 b7
  }
  for (uint32_t i = 0; i < tail_vectors; i += 2) {
    inverse_butterfly<false>(m, u[i], u[i + 1], load_factor(expanded + i / 2 * pair_words + 2 * lane_count));
    v[i] = _mm512_permutex2var_epi64(u[i], low, u[i + 1]);       // a0-3 b0-3
    v[i + 1] = _mm512_permutex2var_epi64(u[i], high, u[i + 1]);  // a4-7 b4-7
  }
  for (uint32_t i = 0; i < tail_vectors; i += 2) {
    inverse_butterfly<false>(m, v[i], v[i + 1], load_factor(expanded + i / 2 * pair_words));
    const Lanes first = _mm512_shuffle_i64x2(v[i], v[i + 1], 0x44);
    v[i + 1] = _mm512_shuffle_i64x2(v[i], v[i + 1], 0xEE);
    v[i] = first;
  }
}

/// Register order -> natural order of 16 coefficients.
SOTTO_IFMA_INLINE void to_natural_order(Lanes& a, Lanes& b) {
  const Lanes first = _mm512_setr_epi64(0, 8, 1, 9, 4, 12, 5, 13), second = _mm512_setr_epi64(2, 10, 3, 11, 6, 14, 7, 15);
  const Lanes x = _mm512_permutex2var_epi64(a, first, b);
  b = _mm512_permutex2var_epi64(a, second, b);
  a = x;
}

/// Natural order -> register order of 16 coefficients.
SOTTO_IFMA_INLINE void to_register_order(Lanes& a, Lanes& b) {
  const Lanes even = _mm512_setr_epi64(0, 2, 8, 10, 4, 6, 12, 14), odd = _mm512_setr_epi64(1, 3, 9, 11, 5, 7, 13, 15);
  const Lanes x = _mm512_permutex2var_epi64(a, even, b);
  b = _mm512_permutex2var_epi64(a, odd, b);
  a = x;
}

/// The last five levels of blocks `block` and `block` + 1 (64 coefficients at x); out in register order, canonical or [0, 2^52) loose.
template <bool canonical_output>
SOTTO_IFMA_INLINE void forward_tail(const Modulus& m, const TransformTable& table, const uint64_t* x, uint32_t degree, uint32_t block, Lanes (&v)[tail_vectors]) {
  const uint32_t group = degree / tail_size + block;
  for (uint32_t i = 0; i < tail_vectors; i++) v[i] = load(x + i * lane_count);
  for (uint32_t i = 0; i < 2; i++) {
    const Factor w = broadcast_factor(table.pairs, group + i);
    forward_butterfly<Narrow::by_table>(m, v[4 * i], v[4 * i + 2], w);
    forward_butterfly<Narrow::by_table>(m, v[4 * i + 1], v[4 * i + 3], w);
  }
  for (uint32_t i = 0; i < 4; i++) forward_butterfly<Narrow::by_table>(m, v[2 * i], v[2 * i + 1], broadcast_factor(table.pairs, 2 * group + i));
  forward_in_lanes<canonical_output>(m, v, table.expanded + 2 * size_t(block) * pair_words);
}

/// The first five inverse levels of blocks `block` and `block` + 1, in place; canonical -> [0, 2 q) loose.
SOTTO_IFMA_INLINE void inverse_tail(const Modulus& m, const TransformTable& table, uint64_t* x, uint32_t degree, uint32_t block) {
  const uint32_t group = degree / tail_size + block;
  Lanes v[tail_vectors];
  for (uint32_t i = 0; i < tail_vectors; i++) v[i] = load(x + i * lane_count);
  for (uint32_t i = 0; i < tail_vectors; i += 2) to_register_order(v[i], v[i + 1]);
  inverse_in_lanes(m, v, table.expanded + 2 * size_t(block) * pair_words);
  for (uint32_t i = 0; i < 4; i++) inverse_butterfly<false>(m, v[2 * i], v[2 * i + 1], broadcast_factor(table.pairs, 2 * group + i));
  for (uint32_t i = 0; i < 2; i++) {
    const Factor w = broadcast_factor(table.pairs, group + i);
    inverse_butterfly<false>(m, v[4 * i], v[4 * i + 2], w);
    inverse_butterfly<false>(m, v[4 * i + 1], v[4 * i + 3], w);
  }
  for (uint32_t i = 0; i < tail_vectors; i++) store(x + i * lane_count, v[i]);
}

/// The levels left to memory passes are log2(N) - 5; when that is odd, one level goes alone.
inline bool one_level_alone(const RingTables& ring) { return (ring.log_degree - tail_levels) & 1; }

/// The levels between the first pass and the last five.
SOTTO_IFMA_INLINE void forward_middle(const Modulus& m, const TransformTable& table, uint64_t* x, const RingTables& ring) {
  for (uint32_t groups = one_level_alone(ring) ? 2 : 4; groups < ring.degree / tail_size; groups *= 4) forward_pass(m, table.pairs, x, ring.degree, groups);
}

SOTTO_IFMA_INLINE void inverse_middle(const Modulus& m, const TransformTable& table, uint64_t* x, const RingTables& ring) {
  const uint32_t first = one_level_alone(ring) ? 2 : 4;
  for (uint32_t groups = ring.degree / tail_size / 4; groups >= first; groups /= 4) inverse_pass(m, table.pairs, x, ring.degree, groups);
}

/// First level alone, of two vectors whose values are below 2^51.
SOTTO_IFMA_INLINE void forward_first_one(const Modulus& m, const TransformTable& table, Lanes& x, Lanes& y) {
  forward_butterfly<Narrow::already>(m, x, y, broadcast_factor(table.pairs, 1));
}
/// First two levels, of four vectors whose values are below 2^51.
SOTTO_IFMA_INLINE void forward_first_two(const Modulus& m, const TransformTable& table, Four& v) {
  forward_four<Narrow::already, Narrow::by_table>(m, v, broadcast_factor(table.pairs, 1), broadcast_factor(table.pairs, 2), broadcast_factor(table.pairs, 3));
}

/// Last inverse level with the factor 1/N: (x, y) -> ((x + y) / N, (x - y) w / N), canonical. In: [0, 2 q) loose.
SOTTO_IFMA_INLINE void inverse_last(const Modulus& m, Lanes& x, Lanes& y, const Factor& scale, const Factor& scaled_root) {
  const Lanes difference = sub(add(x, m.twice_q), y);
  x = canonical_small(m, multiply_shoup(m, add(x, y), scale));
  y = canonical_small(m, multiply_shoup(m, difference, scaled_root));
}

}  // namespace sotto::ifma
