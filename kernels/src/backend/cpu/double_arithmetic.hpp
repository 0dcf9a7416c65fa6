// Exact arithmetic modulo q < 2^50 on four doubles, AVX2 + FMA.
//
// A lane holds an integer of magnitude below 8 q < 2^53, exactly. Bounds below are in units of q; "reduced" means magnitude at most 1/2 (and a rounding
// error of the quotient, below 2^-48).
#pragma once

#include <immintrin.h>
#include <stdint.h>

namespace sotto::avx2 {

#define SOTTO_AVX2 __attribute__((target("avx2,fma")))
#define SOTTO_AVX2_INLINE static inline __attribute__((always_inline, target("avx2,fma")))

using Lanes = __m256d;
using Words = __m256i;
constexpr uint32_t lane_count = 4;

/// A multiplier, |w| <= q / 2, and the double nearest to w / q.
struct Factor {
  Lanes value, quotient;
};

struct Modulus {
  Lanes q, inverse /* nearest to 1 / q */;
};

SOTTO_AVX2_INLINE Lanes broadcast(double x) { return _mm256_set1_pd(x); }
SOTTO_AVX2_INLINE Words broadcast_word(uint64_t x) { return _mm256_set1_epi64x(int64_t(x)); }
SOTTO_AVX2_INLINE Modulus make_modulus(uint64_t q) { return {broadcast(double(q)), broadcast(1.0 / double(q))}; }
SOTTO_AVX2_INLINE Lanes round_nearest(Lanes x) { return _mm256_round_pd(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

SOTTO_AVX2_INLINE Lanes load(const double* x) { return _mm256_load_pd(x); }
SOTTO_AVX2_INLINE void store(double* x, Lanes v) { _mm256_store_pd(x, v); }
SOTTO_AVX2_INLINE Words load_words(const uint64_t* x) { return _mm256_load_si256(reinterpret_cast<const __m256i*>(x)); }
SOTTO_AVX2_INLINE void store_words(uint64_t* x, Words v) { _mm256_store_si256(reinterpret_cast<__m256i*>(x), v); }

/// Integers below 2^52 to doubles and back: 2^52 + x has x as its mantissa.
SOTTO_AVX2_INLINE Lanes to_double(Words x) {
  const Lanes magic = broadcast(0x1p52);
  return _mm256_sub_pd(_mm256_or_pd(_mm256_castsi256_pd(x), magic), magic);
}
SOTTO_AVX2_INLINE Words to_words(Lanes x) {
  const Lanes magic = broadcast(0x1p52);
  return _mm256_castpd_si256(_mm256_xor_pd(_mm256_add_pd(x, magic), magic));
}

/// (-q, q) -> [0, q).
SOTTO_AVX2_INLINE Lanes lift(const Modulus& m, Lanes x) {
  return _mm256_add_pd(x, _mm256_and_pd(_mm256_cmp_pd(x, _mm256_setzero_pd(), _CMP_LT_OQ), m.q));
}
/// [0, q) -> [-q/2, q/2], the same residue.
SOTTO_AVX2_INLINE Lanes centre(const Modulus& m, Lanes x) {
  return _mm256_sub_pd(x, _mm256_and_pd(_mm256_cmp_pd(x, _mm256_mul_pd(m.q, broadcast(0.5)), _CMP_GT_OQ), m.q));
}

/// Magnitude below 8 -> reduced. b = round(x / q) is off by at most 1/2 + 2^-48, and x - b q is a small integer, so one fma gives it exactly.
SOTTO_AVX2_INLINE Lanes reduce(const Modulus& m, Lanes x) { return _mm256_fnmadd_pd(round_nearest(_mm256_mul_pd(x, m.inverse)), m.q, x); }
SOTTO_AVX2_INLINE Words canonical(const Modulus& m, Lanes x) { return to_words(lift(m, reduce(m, x))); }

/// a w mod q for |a| < 8 q, |w| <= q / 2, by error-free product (Dekker 1971 with fma; van der Hoeven, Lecerf & Quintin 2016, section 3):
/// h + l = a w exactly, b near a w / q, h - b q is exact since it is a multiple of ulp(h) below 2^53 in magnitude, r = (h - b q) + l = a w - b q.
/// The quotient's error is at most 1/2 + |a| / 2^53, so |r| <= (1/2 + |a| / 8 q) q.
SOTTO_AVX2_INLINE Lanes multiply(const Modulus& m, Lanes a, const Factor& w) {
  const Lanes high = _mm256_mul_pd(a, w.value);
  const Lanes low = _mm256_fmsub_pd(a, w.value, high);
  const Lanes quotient = round_nearest(_mm256_mul_pd(a, w.quotient));
  return _mm256_add_pd(_mm256_fnmadd_pd(quotient, m.q, high), low);
}
/// The same with the quotient of w computed here: error at most 1/2 + 2 |a| / 2^53 for |w| <= q / 2, so |r| <= (1/2 + |a| / 4 q) q;
/// for |a|, |w| < q the quotient is below q and |r| <= (1/2 + 1/2) q, less than q.
SOTTO_AVX2_INLINE Lanes multiply_plain(const Modulus& m, Lanes a, Lanes w) { return multiply(m, a, {w, _mm256_mul_pd(w, m.inverse)}); }

/// Cooley-Tukey: (x, y) -> (x + w y, x - w y). Magnitudes A -> 9/8 A + 1/2; from 1 or less: at most 1.63, 2.33, 3.12, 4.01, 5.01, 6.14, 7.41 after 1 .. 7 levels.
SOTTO_AVX2_INLINE void forward_butterfly(const Modulus& m, Lanes& x, Lanes& y, const Factor& w) {
  const Lanes t = multiply(m, y, w);
  y = _mm256_sub_pd(x, t);
  x = _mm256_add_pd(x, t);
}
constexpr uint32_t levels_unreduced_max = 7;

/// Gentleman-Sande: (x, y) -> (x + y, (x - y) w). Magnitudes A -> 2 A and 1/2 + A / 4.
SOTTO_AVX2_INLINE void inverse_butterfly(const Modulus& m, Lanes& x, Lanes& y, const Factor& w) {
  const Lanes difference = _mm256_sub_pd(x, y);
  x = _mm256_add_pd(x, y);
  y = multiply(m, difference, w);
}

}  // namespace sotto::avx2
