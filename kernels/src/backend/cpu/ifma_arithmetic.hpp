// Arithmetic modulo q on eight 64-bit lanes with the 52-bit multiply-add of AVX-512 IFMA.
//
// Precondition everywhere: 2^50 - 2^44 < q < 2^50, so that 4 q < 2^52 and floor(x / 2^50) is the quotient of x by q up to a small excess.
// e stands for 2^51 - 2 q >= 0.
// A "loose" lane holds a value v in [0, 2^52) as v + 2^52 k for any integer k: vpmadd52 reads bits 0..51 only, so the upper bits need no mask.
#pragma once

// GCC 12's own header reads an uninitialised "don't care" operand in every unmasked 512-bit intrinsic and then warns of it where it is inlined.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>
#include <stdint.h>

namespace sotto::ifma {

#define SOTTO_IFMA __attribute__((target("avx512f,avx512dq,avx512vl,avx512ifma")))
#define SOTTO_IFMA_INLINE static inline __attribute__((always_inline, target("avx512f,avx512dq,avx512vl,avx512ifma")))

using Lanes = __m512i;
constexpr uint32_t lane_count = 8;
constexpr uint64_t low52 = (uint64_t(1) << 52) - 1;

/// A multiplier w < q with its Shoup quotient floor(w 2^52 / q).
struct Factor {
  Lanes value, quotient;
};

struct Modulus {
  Lanes q, twice_q, minus_q /* 2^52 - q */, bit51, low52, multiples /* lane k: -floor(k / 2) q */;
};

SOTTO_IFMA_INLINE Lanes load(const uint64_t* x) { return _mm512_load_si512(x); }
SOTTO_IFMA_INLINE void store(uint64_t* x, Lanes v) { _mm512_store_si512(x, v); }
SOTTO_IFMA_INLINE Lanes broadcast(uint64_t x) { return _mm512_set1_epi64(int64_t(x)); }
SOTTO_IFMA_INLINE Lanes zero() { return _mm512_setzero_si512(); }
/// sum + floor(x y / 2^52) and sum + (x y mod 2^52), on the low 52 bits of x and y.
SOTTO_IFMA_INLINE Lanes add_high(Lanes sum, Lanes x, Lanes y) { return _mm512_madd52hi_epu64(sum, x, y); }
SOTTO_IFMA_INLINE Lanes add_low(Lanes sum, Lanes x, Lanes y) { return _mm512_madd52lo_epu64(sum, x, y); }
SOTTO_IFMA_INLINE Lanes add(Lanes x, Lanes y) { return _mm512_add_epi64(x, y); }
SOTTO_IFMA_INLINE Lanes sub(Lanes x, Lanes y) { return _mm512_sub_epi64(x, y); }

SOTTO_IFMA_INLINE Modulus make_modulus(uint64_t q) {
  return {broadcast(q), broadcast(2 * q), broadcast((uint64_t(1) << 52) - q), broadcast(uint64_t(1) << 51), broadcast(low52),
          _mm512_setr_epi64(0, 0, -int64_t(q), -int64_t(q), -2 * int64_t(q), -2 * int64_t(q), -3 * int64_t(q), -3 * int64_t(q))};
}

/// x in [0, 2 b) -> x mod b in [0, b) by one conditional subtraction: the wrapped difference is larger than x exactly when x < b.
SOTTO_IFMA_INLINE Lanes subtract_once(Lanes x, Lanes b) { return _mm512_min_epu64(x, sub(x, b)); }

/// y in [0, 2^52) loose -> y w mod q in [0, 2 q) loose (Harvey 2014, section 3: r = y w - floor(y w' / 2^52) q < q (1 + y / 2^52)).
SOTTO_IFMA_INLINE Lanes multiply_shoup(const Modulus& m, Lanes y, const Factor& w) {
  const Lanes quotient = add_high(zero(), y, w.quotient);
  return add_low(add_low(zero(), y, w.value), quotient, m.minus_q);
}

/// [0, 2^52) loose -> [0, 2^51 + e) loose: where bit 51 is set, 2 q is taken off, which leaves [e, 2^51 + e).
SOTTO_IFMA_INLINE Lanes halve_range(const Modulus& m, Lanes x) {
  return _mm512_mask_sub_epi64(x, _mm512_test_epi64_mask(x, m.bit51), x, m.twice_q);
}

/// [0, 2^52) loose -> [0, 2^50 + 3 (2^50 - q)) loose: subtracts floor(x / 2^50) q, looked up by bits 49..51.
SOTTO_IFMA_INLINE Lanes reduce(const Modulus& m, Lanes x) { return add(x, _mm512_permutexvar_epi64(_mm512_srli_epi64(x, 49), m.multiples)); }

/// [0, 2^52) loose -> canonical.
SOTTO_IFMA_INLINE Lanes canonical(const Modulus& m, Lanes x) { return subtract_once(_mm512_and_si512(reduce(m, x), m.low52), m.q); }

/// [0, 2 q) loose -> canonical.
SOTTO_IFMA_INLINE Lanes canonical_small(const Modulus& m, Lanes x) { return subtract_once(_mm512_and_si512(x, m.low52), m.q); }

/// x + y and x - y of canonical values, canonical. The wrapped difference is larger than its sum with q exactly when x < y.
SOTTO_IFMA_INLINE Lanes add_canonical(const Modulus& m, Lanes x, Lanes y) { return subtract_once(add(x, y), m.q); }
SOTTO_IFMA_INLINE Lanes subtract_canonical(const Modulus& m, Lanes x, Lanes y) {
  const Lanes difference = sub(x, y);
  return _mm512_min_epu64(difference, add(difference, m.q));
}

/// How a butterfly brings x below 2^51 + e: not at all (it is), by a compare (ports 0 and 1) or by a table (ports 1 and 2).
enum class Narrow { already, by_test, by_table };

template <Narrow narrow>
SOTTO_IFMA_INLINE Lanes narrowed(const Modulus& m, Lanes x) {
  if constexpr (narrow == Narrow::by_test) return halve_range(m, x);
  if constexpr (narrow == Narrow::by_table) return reduce(m, x);
  return x;
}

/// Cooley-Tukey: (x, y) -> (x + w y, x - w y). In: x, y in [0, 2^52) loose; out the same.
/// Proof: x' = narrowed(x) < 2^51 + e and t < 2 q, hence x' + t and x' - t + 2 q lie in [0, 2^51 + e + 2 q) = [0, 2^52).
template <Narrow narrow>
SOTTO_IFMA_INLINE void forward_butterfly(const Modulus& m, Lanes& x, Lanes& y, const Factor& w) {
  const Lanes t = multiply_shoup(m, y, w);
  x = narrowed<narrow>(m, x);
  y = sub(add(x, m.twice_q), t);
  x = add(x, t);
}

/// The last Cooley-Tukey level, to canonical values: both sides are made canonical before the sum and the difference, which costs less than after.
SOTTO_IFMA_INLINE void forward_butterfly_canonical(const Modulus& m, Lanes& x, Lanes& y, const Factor& w) {
  const Lanes t = canonical_small(m, multiply_shoup(m, y, w)), u = canonical(m, x);
  x = add_canonical(m, u, t);
  y = subtract_canonical(m, u, t);
}

/// Gentleman-Sande: (x, y) -> (x + y, (x - y) w). In and out: [0, 2 q) loose.
/// Proof: x + y < 4 q < 2^52 and reduce leaves less than 2^50 + 3 * 2^44 < 2 q; 0 < x - y + 2 q < 4 q.
/// `canonical_input`: x, y < q, so that x + y < 2 q already.
template <bool canonical_input>
SOTTO_IFMA_INLINE void inverse_butterfly(const Modulus& m, Lanes& x, Lanes& y, const Factor& w) {
  const Lanes difference = sub(add(x, m.twice_q), y), sum = add(x, y);
  x = canonical_input ? sum : reduce(m, sum);
  y = multiply_shoup(m, difference, w);
}

/// x y mod q, loose and below 3 q (+ `addend` < q), for canonical x and y (Barrett 1986 with quotient digits of 50 bits).
/// h = floor(x y / 2^50), u = h + floor(h f / 2^52), f = floor(2^102 / q) - 2^52: 0 <= x y / q - u < 2^50 / q + 1/4 + 1 < 3.
SOTTO_IFMA_INLINE Lanes multiply_barrett(const Modulus& m, Lanes barrett_fraction, Lanes addend, Lanes x, Lanes y) {
  const Lanes h = add_high(zero(), _mm512_slli_epi64(x, 2), y);
  const Lanes quotient = add_high(h, h, barrett_fraction);
  return add_low(add_low(addend, x, y), quotient, m.minus_q);
}

/// Montgomery reduction (Montgomery 1985) of low + 2^52 high, low < 2^58, high < 50 q + 50 -> canonical (low + 2^52 high) / 2^52 mod q.
/// r = high + floor((low + k q) / 2^52) < 52 q with k = -low / q mod 2^52; then c = floor(r / 2^50) <= 52 and r - c q < 2^50 + 52 * 2^44 < 2 q.
SOTTO_IFMA_INLINE Lanes reduce_montgomery(const Modulus& m, Lanes minus_q_inverse, Lanes low, Lanes high) {
  const Lanes k = add_low(zero(), low, minus_q_inverse);
  const Lanes carry = _mm512_srli_epi64(add_low(low, k, m.q), 52);
  const Lanes r = add(add_high(high, k, m.q), carry);
  return canonical_small(m, add_low(r, _mm512_srli_epi64(r, 50), m.minus_q));
}

}  // namespace sotto::ifma
