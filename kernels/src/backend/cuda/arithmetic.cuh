// Exact arithmetic modulo q < 2^50 on a device, twice: on 64-bit integers, which every GPU has, and on doubles, for GPUs with half as many double as single units
// (A100, H100). Both give the same canonical values; a kernel is a template over the field.
//
//   Word    a value between transforms and products, not canonical: see the bounds of each function, in units of q
//   Factor  a constant of a transform with its quotient
//   Key     one coefficient of a transformed key
//
// Cost of a butterfly on H100, instructions a thread: integers 10 multiply-adds of 32 bits and about 10 additions, doubles 8; 64 lanes a cycle of each kind.
#pragma once

#include "backend/cuda/runtime.cuh"
#include "crypto/context.hpp"

namespace sotto::cuda {

constexpr uint64_t kQ = kModulus;
static_assert(kQ < uint64_t(1) << 50 && kQ > uint64_t(1) << 49);

__extension__ using Product = unsigned __int128;

/// -q^-1 mod 2^64 by Newton's iteration, each step doubles the right bits.
constexpr uint64_t minus_inverse_of_modulus() {
  uint64_t inverse = kQ;  // right mod 2^3
  for (int i = 0; i < 5; i++) inverse *= 2 - kQ * inverse;
  return 0 - inverse;
}
constexpr uint64_t kMinusInverse = minus_inverse_of_modulus();
static_assert(kMinusInverse * kQ == ~uint64_t(0));
/// 2^64 mod q.
constexpr uint64_t kRadix = (0 - kQ) % kQ;

struct alignas(16) IntegerFactor {
  uint64_t value, quotient;  // w and floor(w 2^64 / q)
};
struct alignas(16) DoubleFactor {
  double value, quotient;  // w in [-q/2, q/2] and the double nearest to w / q
};

/// Words are integers in [0, bound).
struct IntegerField {
  using Word = uint64_t;
  using Factor = IntegerFactor;
  using Key = uint64_t;  // k 2^64 mod q
  struct Sum {
    Product value;
  };

  static __device__ __forceinline__ Word of_canonical(uint64_t x) { return x; }
  /// A digit, |d| < q -> below 1.
  static __device__ __forceinline__ Word of_digit(int64_t d) { return uint64_t(d + int64_t(kQ & uint64_t(d >> 63))); }
  static __device__ __forceinline__ Key key_of(uint64_t k) { return uint64_t((Product(k) << 64) % kQ); }

  /// x w, below 2, for any x (Shoup; Harvey 2014, theorem 1).
  static __device__ __forceinline__ Word multiply(Word x, const Factor& w) { return x * w.value - __umul64hi(x, w.quotient) * kQ; }
  /// Cooley-Tukey (x, y) -> (x + w y, x - w y): below A -> below A + 2; after the eleven levels of N = 2048 below 23 < 2^55 / q.
  static __device__ __forceinline__ void forward_butterfly(Word& x, Word& y, const Factor& w) {
    const Word t = multiply(y, w);
    y = x - t + 2 * kQ;
    x = x + t;
  }
  /// Gentleman-Sande (x, y) -> (x + y, (x - y) w): below 2^level -> below 2^(level + 1); 2^11 q is below 2^61.
  template <uint32_t level>
  static __device__ __forceinline__ void inverse_butterfly(Word& x, Word& y, const Factor& w) {
    const Word difference = x - y + (kQ << level);
    x = x + y;
    y = multiply(difference, w);
  }
  static __device__ __forceinline__ Word settle(Word x) { return x; }
  /// x - y + 2^level for the last level.
  template <uint32_t level>
  static __device__ __forceinline__ Word subtract(Word x, Word y) { return x - y + (kQ << level); }
  static __device__ __forceinline__ Word add(Word x, Word y) { return x + y; }
  /// Below 2 -> canonical.
  static __device__ __forceinline__ uint64_t canonical(Word x) { return x >= kQ ? x - kQ : x; }
  static __device__ __forceinline__ uint64_t canonical_of_any(Word x) { return canonical(multiply(x, {1, ~uint64_t(0) / kQ})); }

  // Sums of products are exact in 128 bits: six rows of digits below 2^55 and keys below 2^50 stay below 2^108.
  static __device__ __forceinline__ Sum zero() { return {0}; }
  static __device__ __forceinline__ void multiply_add(Sum& sum, Word x, Key k) { sum.value += Product(x) * k; }
  /// Montgomery: sum 2^-64, below 1 + sum / 2^64 < 2.
  static __device__ __forceinline__ Word reduce(const Sum& sum) {
    const uint64_t low = uint64_t(sum.value), factor = low * kMinusInverse;
    return uint64_t(sum.value >> 64) + __umul64hi(factor, kQ) + (low != 0);  // low + low(factor q) is 2^64 or 0
  }
  /// Monomial values are keys: p 2^64 mod q, canonical.
  static __device__ __forceinline__ Key negate(Key p) { return kQ - p; }
  /// p - 1, below 2.
  static __device__ __forceinline__ Key minus_one(Key p) { return p + kQ - kRadix; }
};

/// Words are doubles, integers of magnitude below `bound`; bounds are those of backend/cpu/double_arithmetic.hpp. Rounding is by adding 1.5 * 2^52, right up to 2^51 > 2 q.
struct DoubleField {
  using Word = double;
  using Factor = DoubleFactor;
  using Key = double;  // centred
  struct Sum {
    double value;
  };
  static constexpr double kq = double(kQ), kInverse = 1.0 / double(kQ), kMagic = 6755399441055744.0;
  static constexpr uint64_t kMagicBits = 0x4338000000000000;

  static __device__ __forceinline__ double round(double x) { return __dadd_rn(__dadd_rn(x, kMagic), -kMagic); }
  static __device__ __forceinline__ double of_integer(int64_t x) { return __dadd_rn(__longlong_as_double((long long)(uint64_t(x) + kMagicBits)), -kMagic); }
  static __device__ __forceinline__ int64_t integer_of(double x) { return int64_t(uint64_t(__double_as_longlong(__dadd_rn(x, kMagic))) - kMagicBits); }

  /// Canonical -> magnitude at most 1/2.
  static __device__ __forceinline__ Word of_canonical(uint64_t x) { return of_integer(x > kQ / 2 ? int64_t(x) - int64_t(kQ) : int64_t(x)); }
  static __device__ __forceinline__ Word of_digit(int64_t d) { return of_integer(d); }
  static __device__ __forceinline__ Key key_of(uint64_t k) { return of_canonical(k); }

  /// x w by error-free product (Dekker 1971 with fma): the quotient is off by 1/2 + x / 8 q, so that is the magnitude of the result; |x| < 4.
  static __device__ __forceinline__ Word multiply(Word x, const Factor& w) {
    const double high = __dmul_rn(x, w.value), low = __fma_rn(x, w.value, -high);
    const double quotient = __dadd_rn(__fma_rn(x, w.quotient, kMagic), -kMagic);
    return __dadd_rn(__fma_rn(-quotient, kq, high), low);
  }
  /// Magnitude A -> 9/8 A + 1/2: from 0 at most 4.1 after six levels, from 1/2 at most 2.5 after three and 4.2 after five.
  static __device__ __forceinline__ void forward_butterfly(Word& x, Word& y, const Factor& w) {
    const Word t = multiply(y, w);
    y = __dadd_rn(x, -t);
    x = __dadd_rn(x, t);
  }
  /// Magnitude A -> 2 A and 1/2 + A / 4: below 4 after three levels from 1/2.
  template <uint32_t level>
  static __device__ __forceinline__ void inverse_butterfly(Word& x, Word& y, const Factor& w) {
    const Word difference = __dadd_rn(x, -y);
    x = __dadd_rn(x, y);
    y = multiply(difference, w);
  }
  /// Magnitude below 8 -> at most 1/2 (and a rounding error of the quotient, below 2^-48).
  static __device__ __forceinline__ Word settle(Word x) { return __fma_rn(-__dadd_rn(__fma_rn(x, kInverse, kMagic), -kMagic), kq, x); }
  template <uint32_t level>
  static __device__ __forceinline__ Word subtract(Word x, Word y) { return __dadd_rn(x, -y); }
  static __device__ __forceinline__ Word add(Word x, Word y) { return __dadd_rn(x, y); }
  /// Magnitude below 8 -> canonical.
  static __device__ __forceinline__ uint64_t canonical(Word x) {
    const int64_t settled = integer_of(settle(x));
    return uint64_t(settled + int64_t(kQ & uint64_t(settled >> 63)));
  }
  static __device__ __forceinline__ uint64_t canonical_of_any(Word x) { return canonical(x); }

  static __device__ __forceinline__ Sum zero() { return {0}; }
  /// x k with its quotient computed here: at most 1/2 + 3/8 |x| |k|. Rows of settled digits and keys: below 0.6 each, six below 3.6; those times a monomial: below 1.2, three below 3.6.
  static __device__ __forceinline__ void multiply_add(Sum& sum, Word x, Key k) {
    const double high = __dmul_rn(x, k), low = __fma_rn(x, k, -high);
    const double quotient = __dadd_rn(__fma_rn(high, kInverse, kMagic), -kMagic);
    sum.value = __dadd_rn(sum.value, __dadd_rn(__fma_rn(-quotient, kq, high), low));
  }
  static __device__ __forceinline__ Word reduce(const Sum& sum) { return settle(sum.value); }
  static __device__ __forceinline__ Key negate(Key p) { return -p; }
  static __device__ __forceinline__ Key minus_one(Key p) { return __dadd_rn(p, -1.0); }
};

/// Canonical x + y and x - y.
__device__ __forceinline__ uint64_t add_canonical(uint64_t x, uint64_t y) {
  const uint64_t sum = x + y;
  return sum >= kQ ? sum - kQ : sum;
}
__device__ __forceinline__ uint64_t negate_canonical(uint64_t x) { return x ? kQ - x : 0; }

}  // namespace sotto::cuda
