// The parts of the gadget product on AVX-512 IFMA: digits, and sums over the levels that are reduced once.
#pragma once

#include "backend/cpu/ifma_transform.hpp"

namespace sotto::ifma {

/// base_log * level_count <= 50.
constexpr uint32_t level_count_max = 50;

/// What turns canonical coefficients into digits. v = centred x + rounding + sum_k (B/2) B^k 2^t >= 0 makes every digit a plain bit field of v,
/// raised by B/2: u_j = (v >> shift_j) mod B. The digit modulo q is kept as u_j + (q - B/2), in [q - 2^49, q + 2^49], below 2^51.
struct Digits {
  Lanes offset, half_modulus, bias;
};
SOTTO_IFMA_INLINE Digits make_digits(uint64_t q, Gadget gadget) {
  const uint32_t dropped = 50 - gadget.base_log * gadget.level_count;
  const uint64_t half = uint64_t(1) << (gadget.base_log - 1);
  uint64_t offset = dropped ? uint64_t(1) << (dropped - 1) : 0;
  for (uint32_t k = 0; k < gadget.level_count; k++) offset += half << (dropped + gadget.base_log * k);
  return {broadcast(offset), broadcast(q / 2), broadcast(q - half)};
}
SOTTO_IFMA_INLINE Lanes raised(const Modulus& m, const Digits& digits, Lanes x) {
  const Lanes v = add(x, digits.offset);
  return _mm512_mask_sub_epi64(v, _mm512_cmpgt_epu64_mask(x, digits.half_modulus), v, m.q);
}
SOTTO_IFMA_INLINE Lanes digit(const Digits& digits, Lanes v, __m128i shift, Lanes mask) {
  return add(_mm512_and_si512(_mm512_srl_epi64(v, shift), mask), digits.bias);
}

/// The digits of one level, from v, through the first level or levels of their transform. (All levels in one pass would write to more lines of
/// one cache set than it has.)
SOTTO_IFMA_INLINE void begin_level(const RingTables& ring, const Modulus& m, const TransformTable& table, const Digits& digits, Gadget gadget, uint32_t level,
                                   const uint64_t* v, uint64_t* to) {
  const uint32_t half = ring.degree / 2, quarter = ring.degree / 4;
  const __m128i shift = _mm_cvtsi32_si128(int(50 - gadget.base_log * (level + 1)));
  const Lanes mask = broadcast(level ? (uint64_t(1) << gadget.base_log) - 1 : ~uint64_t(0));  // the top digit may be B/2 itself
  if (one_level_alone(ring))
    for (uint32_t j = 0; j < half; j += lane_count) {
      Lanes x = digit(digits, load(v + j), shift, mask), y = digit(digits, load(v + j + half), shift, mask);
      forward_first_one(m, table, x, y);
      store(to + j, x);
      store(to + j + half, y);
    }
  else
    for (uint32_t j = 0; j < quarter; j += lane_count) {
      Four x = load_four(v + j, quarter);
      x = {digit(digits, x.x0, shift, mask), digit(digits, x.x1, shift, mask), digit(digits, x.x2, shift, mask), digit(digits, x.x3, shift, mask)};
      forward_first_two(m, table, x);
      store_four(to + j, quarter, x);
    }
}

/// Sums over the levels of value * key, as low and high halves: low < 50 * 2^52, high < 50 q.
struct Sums {
  Lanes low, high;
};
SOTTO_IFMA_INLINE void accumulate(Sums& sums, Lanes value, Lanes key) {
  sums.low = add_low(sums.low, value, key);
  sums.high = add_high(sums.high, value, key);
}
SOTTO_IFMA_INLINE void store_reduced(const Modulus& m, Lanes minus_q_inverse, const Sums& first, const Sums& second, uint64_t* out) {
  Lanes x = reduce_montgomery(m, minus_q_inverse, first.low, first.high), y = reduce_montgomery(m, minus_q_inverse, second.low, second.high);
  to_natural_order(x, y);
  store(out, x);
  store(out + lane_count, y);
}

/// 16 coefficients of both outputs: all levels are summed in registers and reduced once.
SOTTO_IFMA_INLINE void accumulate_pair(const Modulus& m, Lanes minus_q_inverse, size_t n, uint32_t level_count, const uint64_t* values, const uint64_t* key, uint64_t* out_a,
                                       uint64_t* out_b) {
  Sums a0 = {zero(), zero()}, a1 = a0, b0 = a0, b1 = a0;
  for (uint32_t level = 0; level < level_count; level++, values += 2 * tail_size, key += 2 * n) {
    const Lanes v0 = load(values), v1 = load(values + lane_count);
    accumulate(a0, v0, load(key));
    accumulate(a1, v1, load(key + lane_count));
    accumulate(b0, v0, load(key + n));
    accumulate(b1, v1, load(key + n + lane_count));
  }
  store_reduced(m, minus_q_inverse, a0, a1, out_a);
  store_reduced(m, minus_q_inverse, b0, b1, out_b);
}

}  // namespace sotto::ifma
