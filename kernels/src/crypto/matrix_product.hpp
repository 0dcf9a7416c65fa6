// A clear integer matrix times the encrypted vector in the first D coefficients of a ciphertext: k = N / D' rows share one clear polynomial,
// D' = D rounded up to a power of two. Row j of the k has w_f at X^(j D' - f), so its inner product is coefficient j D' of the product.
#pragma once

#include "crypto/context.hpp"

namespace sotto {

struct ProductLayout {
  uint32_t block;       // D'
  uint32_t useful_log;  // log2 k
  uint32_t useful() const { return 1u << useful_log; }
  /// D >= 1; more than N columns lie in several ciphertexts, and then D' = N.
  static ProductLayout of(uint64_t columns) {
    uint32_t useful_log = Context::kLogDegree;
    while (useful_log && (uint64_t(kDegree) >> useful_log) < columns) useful_log--;
    return {kDegree >> useful_log, useful_log};
  }
  /// Writes weight (a residue) of column f of row j into the polynomial.
  void set(uint64_t* polynomial, uint32_t j, uint32_t f, uint64_t weight) const {
    const int32_t exponent = int32_t(j * block) - int32_t(f);
    if (exponent >= 0) polynomial[exponent] = weight;
    else polynomial[exponent + int32_t(kDegree)] = weight ? kModulus - weight : 0;
  }
};

}  // namespace sotto
