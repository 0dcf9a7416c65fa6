// One ring Z_q[X]/(X^N + 1) with a chosen back end: tables, transforms and the permutations of the automorphisms X -> X^(2^level + 1).
#pragma once

#include "core/buffer.hpp"
#include "poly/poly_kernels.hpp"

namespace sotto {

class Ring {
 public:
  /// False when there is no memory. modulus prime, 1 mod 2N; psi a primitive 2N-th root of unity.
  bool create(const PolyKernels& kernels, uint32_t log_degree, uint64_t modulus, uint64_t psi);

  const PolyKernels& kernels() const { return *kernels_; }
  const RingTables& tables() const { return tables_; }
  uint32_t log_degree() const { return tables_.log_degree; }
  uint32_t degree() const { return tables_.degree; }
  uint64_t modulus() const { return tables_.modulus; }

  void forward(uint64_t* x) const { kernels_->forward(tables_, x); }
  void inverse(uint64_t* x) const { kernels_->inverse(tables_, x); }
  void multiply(uint64_t* out, const uint64_t* x, const uint64_t* y) const { kernels_->multiply(tables_, out, x, y); }
  void multiply_add(uint64_t* out, const uint64_t* x, const uint64_t* y) const { kernels_->multiply_add(tables_, out, x, y); }
  void add(uint64_t* out, const uint64_t* x, const uint64_t* y) const { kernels_->add(tables_, out, x, y); }
  void subtract(uint64_t* out, const uint64_t* x, const uint64_t* y) const { kernels_->subtract(tables_, out, x, y); }

  /// (sigma x)[i] = x[permutation(level)[i]] in the transformed domain, sigma: X -> X^(2^level + 1), 1 <= level <= log2 N.
  const uint32_t* permutation(uint32_t level) const { return permutations_.data() + size_t(level - 1) * degree(); }
  /// X^(N / 2^level) transformed, in prepared form.
  const uint64_t* monomial(uint32_t level) const { return monomials_.data() + size_t(level - 1) * degree(); }
  /// sigma in the coefficient domain; out does not alias x.
  void automorphism(uint32_t level, const uint64_t* x, uint64_t* out) const;
  /// x * X^exponent, 0 <= exponent < 2N; out does not alias x.
  void multiply_by_monomial(uint64_t exponent, const uint64_t* x, uint64_t* out) const;

 private:
  const PolyKernels* kernels_ = nullptr;
  RingTables tables_{};
  Buffer<uint64_t> roots_, powers_, monomials_;
  Buffer<uint32_t> permutations_, odd_exponents_;
  Buffer<uint8_t> backend_data_;
};

uint32_t bit_reverse(uint32_t x, uint32_t bits);

}  // namespace sotto
