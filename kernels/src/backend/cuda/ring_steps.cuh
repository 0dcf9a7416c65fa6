// Small steps that ring circuits share: digits, division by powers of two, automorphisms and monomials by exponents, words as keys.
//
// Transformed index i belongs to the odd power o(i) = 2 bit_reverse(i) + 1 of psi, so that X -> X^g takes the value at index i from the index of g o(i) mod 2 N, and X^e is
// psi^(e o(i)) there: neither needs a table of its own.
#pragma once

#include "backend/cuda/transform.cuh"

namespace sotto::cuda {

constexpr uint32_t kLogDegree = Context::kLogDegree, kExponentMask = 2 * kDegree - 1;

/// Digit `level` of a canonical x, most significant first (poly_kernels.hpp): half a base added to every lower digit makes them bit fields. With more than 50 bits of
/// digits nothing is dropped and the top one is short.
template <uint32_t levels, uint32_t base_log>
__device__ __forceinline__ int64_t digit_of(uint64_t x, uint32_t level) {
  constexpr uint32_t kDropped = levels * base_log < 50 ? 50 - levels * base_log : 0;
  constexpr int64_t kHalf = int64_t(1) << (base_log - 1);
  int64_t raised = kDropped ? int64_t(1) << (kDropped ? kDropped - 1 : 0) : 0;
#pragma unroll
  for (uint32_t lower = 0; lower < levels; lower++) raised += kHalf << (lower * base_log + kDropped);
  const int64_t fields = int64_t(x - (x > kQ / 2 ? kQ : 0) + uint64_t(raised)) >> (kDropped + base_log * (levels - 1 - level));
  return (level ? fields & (2 * kHalf - 1) : fields) - kHalf;
}

/// x 2^-exponent mod q of a canonical x, exponent <= log2 N: q = 1 mod 2^exponent, so x + (-x mod 2^exponent) q is a multiple, below 2^61.
static_assert(kQ % kDegree == 1 && kQ < uint64_t(1) << 50);
__device__ __forceinline__ uint64_t divide_by_power_of_two(uint64_t x, uint32_t exponent) { return (x + ((0 - x) & ((uint64_t(1) << exponent) - 1)) * kQ) >> exponent; }

/// 2 bit_reverse(i) + 1 of eleven bits.
__device__ __forceinline__ uint32_t odd_of(uint32_t i) { return (__brev(i) >> (31 - kLogDegree)) + 1; }
__device__ __forceinline__ uint32_t index_of_odd(uint32_t odd) { return __brev(odd / 2) >> (32 - kLogDegree); }
/// Where the image under X -> X^g takes its transformed value i from.
__device__ __forceinline__ uint32_t image_source(uint32_t i, uint32_t g) { return index_of_odd(odd_of(i) * g & kExponentMask); }
/// Coefficient i of the image of x under X -> X^g, inverse = g^-1 mod 2 N.
__device__ __forceinline__ uint64_t image_coefficient(const uint64_t* x, uint32_t i, uint32_t inverse) {
  const uint32_t at = i * inverse & kExponentMask;
  const uint64_t value = x[at & (kDegree - 1)];
  return at & kDegree ? negate_canonical(value) : value;
}
/// X^exponent at transformed index i.
template <class Field>
__device__ __forceinline__ typename Field::Key monomial_at(const RingConstants<Field>& ring, uint32_t i, uint32_t exponent) {
  const uint32_t at = exponent * odd_of(i) & kExponentMask;
  const typename Field::Key power = ring.powers[at & (kDegree - 1)];
  return at & kDegree ? Field::negate(power) : power;
}

/// A word as a key, canonical or centred.
template <class Field>
struct Keys;
template <>
struct Keys<IntegerField> {
  static __device__ __forceinline__ uint64_t of(uint64_t x) {
    constexpr IntegerFactor kFactor = {kRadix, uint64_t((Product(kRadix) << 64) / kQ)};
    return IntegerField::canonical(IntegerField::multiply(x, kFactor));
  }
};
template <>
struct Keys<DoubleField> {
  static __device__ __forceinline__ double of(double x) { return DoubleField::settle(x); }
};

/// Canonical x k.
template <class Field>
__device__ __forceinline__ uint64_t product_with_key(typename Field::Word x, typename Field::Key k) {
  typename Field::Sum sum = Field::zero();
  Field::multiply_add(sum, x, k);
  return Field::canonical(Field::reduce(sum));
}

/// One polynomial, canonical and transformed, in the order of the device: eight values a thread at the bottom places.
template <class Field>
__device__ __forceinline__ void load_transformed(const uint64_t* polynomial, typename Field::Word (&x)[1][kPoints], uint32_t t) {
#pragma unroll
  for (uint32_t k = 0; k < kPoints; k++) x[0][k] = Field::of_canonical(polynomial[bottom_place(t, k)]);
}

}  // namespace sotto::cuda
