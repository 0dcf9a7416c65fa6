// The reference back end: textbook algorithms, one loop each, plain remainders. Slow, readable, and what every other back end must equal.
#include "core/modular.hpp"
#include "poly/composed_block.hpp"
#include "poly/poly_kernels.hpp"

namespace sotto {
namespace {

size_t backend_data_bytes(const RingTables&) { return 0; }
void make_backend_data(const RingTables&, void*) {}

// Longa & Naehrig 2016, algorithm 1: Cooley-Tukey butterflies, input in natural order, output bit-reversed.
void forward(const RingTables& ring, uint64_t* x) {
  const uint64_t q = ring.modulus;
  for (uint32_t groups = 1, half = ring.degree / 2; half >= 1; groups *= 2, half /= 2)
    for (uint32_t group = 0; group < groups; group++)
      for (uint32_t j = 2 * group * half; j < 2 * group * half + half; j++) {
        const uint64_t u = x[j], v = multiply_mod(x[j + half], ring.roots[groups + group], q);
        x[j] = add_mod(u, v, q);
        x[j + half] = subtract_mod(u, v, q);
      }
}

// Longa & Naehrig 2016, algorithm 2: Gentleman-Sande butterflies and the factor 1/N.
void inverse(const RingTables& ring, uint64_t* x) {
  const uint64_t q = ring.modulus;
  for (uint32_t groups = ring.degree / 2, half = 1; groups >= 1; groups /= 2, half *= 2)
    for (uint32_t group = 0; group < groups; group++)
      for (uint32_t j = 2 * group * half; j < 2 * group * half + half; j++) {
        const uint64_t u = x[j], v = x[j + half];
        x[j] = add_mod(u, v, q);
        x[j + half] = multiply_mod(subtract_mod(u, v, q), ring.roots_inverse[groups + group], q);
      }
  for (uint32_t i = 0; i < ring.degree; i++) x[i] = multiply_mod(x[i], ring.degree_inverse, q);
}

void multiply(const RingTables& ring, uint64_t* out, const uint64_t* x, const uint64_t* y) {
  for (uint32_t i = 0; i < ring.degree; i++) out[i] = multiply_mod(x[i], y[i], ring.modulus);
}

void multiply_add(const RingTables& ring, uint64_t* out, const uint64_t* x, const uint64_t* y) {
  for (uint32_t i = 0; i < ring.degree; i++) out[i] = add_mod(out[i], multiply_mod(x[i], y[i], ring.modulus), ring.modulus);
}

void add(const RingTables& ring, uint64_t* out, const uint64_t* x, const uint64_t* y) {
  for (uint32_t i = 0; i < ring.degree; i++) out[i] = add_mod(x[i], y[i], ring.modulus);
}

void subtract(const RingTables& ring, uint64_t* out, const uint64_t* x, const uint64_t* y) {
  for (uint32_t i = 0; i < ring.degree; i++) out[i] = subtract_mod(x[i], y[i], ring.modulus);
}

void prepare_key(const RingTables&, uint64_t*) {}

void gadget_product(const RingTables& ring, Gadget gadget, const uint64_t* x, const uint64_t* key, uint64_t* out_a, uint64_t* out_b, uint64_t* scratch) {
  const uint32_t n = ring.degree;
  for (uint32_t i = 0; i < n; i++) out_a[i] = out_b[i] = 0;
  for (uint32_t level = 0; level < gadget.level_count; level++) {
    int64_t digits[50];
    for (uint32_t i = 0; i < n; i++) {
      decompose(x[i], ring.modulus, gadget, digits);
      scratch[i] = residue(digits[level], ring.modulus);
    }
    forward(ring, scratch);
    multiply_add(ring, out_a, scratch, key + size_t(2 * level) * n);
    multiply_add(ring, out_b, scratch, key + size_t(2 * level + 1) * n);
  }
}

void merge(const RingTables& ring, const uint64_t* x0, const uint64_t* x1, const uint64_t* monomial, const uint32_t* permutation, uint64_t* sum, uint64_t* difference) {
  const uint64_t q = ring.modulus;
  const auto shifted = [&](uint32_t i) { return multiply_mod(x1[i], monomial[i], q); };
  for (uint32_t i = 0; i < ring.degree; i++) difference[i] = subtract_mod(x0[permutation[i]], shifted(permutation[i]), q);
  for (uint32_t i = 0; i < ring.degree; i++) sum[i] = add_mod(x0[i], shifted(i), q);
}

using Block = ComposedBlock<forward, multiply, multiply_add>;

}  // namespace

const PolyKernels& ref_kernels() {
  static const PolyKernels kernels = {"ref", backend_data_bytes, make_backend_data, forward, inverse, multiply, multiply_add, add, subtract, prepare_key, gadget_product,
                                      Block::transform_digits, Block::prepare_block_key, Block::block_product, merge};
  return kernels;
}

}  // namespace sotto
