// The operations of a blind rotation made of a back end's other loops: right on any processor, not fast. The digits and the key stay canonical.
#pragma once

#include "core/modular.hpp"
#include "poly/poly_kernels.hpp"

namespace sotto {

template <auto forward, auto multiply, auto multiply_add>
struct ComposedBlock {
  static void transform_digits(const RingTables& ring, Gadget gadget, const uint64_t* x, uint64_t* digits, uint64_t*) {
    int64_t values[50];
    for (uint32_t i = 0; i < ring.degree; i++) {
      decompose(x[i], ring.modulus, gadget, values);
      for (uint32_t level = 0; level < gadget.level_count; level++) digits[size_t(level) * ring.degree + i] = residue(values[level], ring.modulus);
    }
    for (uint32_t level = 0; level < gadget.level_count; level++) forward(ring, digits + size_t(level) * ring.degree);
  }

  static void prepare_block_key(const RingTables&, uint64_t*) {}

  static void block_product(const RingTables& ring, uint32_t block, uint32_t row_count, const uint32_t* exponents, const uint64_t* digits, const uint64_t* key, uint64_t* out_a,
                            uint64_t* out_b, uint64_t* scratch) {
    const uint32_t n = ring.degree;
    uint64_t *monomial = scratch, *sum = scratch + n;
    for (uint32_t i = 0; i < block; i++) {
      for (uint32_t j = 0; j < n; j++) monomial[j] = subtract_mod(ring.powers[exponents[i] * ring.odd_exponents[j] & (2 * n - 1)], 1, ring.modulus);
      for (uint32_t part = 0; part < 2; part++) {
        const uint64_t* at = key + (size_t(i) * row_count * 2 + part) * n;
        multiply(ring, sum, digits, at);
        for (uint32_t row = 1; row < row_count; row++) multiply_add(ring, sum, digits + size_t(row) * n, at + size_t(row) * 2 * n);
        uint64_t* out = part ? out_b : out_a;
        if (i == 0) multiply(ring, out, sum, monomial);
        else multiply_add(ring, out, sum, monomial);
      }
    }
  }
};

}  // namespace sotto
