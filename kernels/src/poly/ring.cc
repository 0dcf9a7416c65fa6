#include "poly/ring.hpp"

#include "core/modular.hpp"

namespace sotto {

uint32_t bit_reverse(uint32_t x, uint32_t bits) {
  uint32_t reversed = 0;
  for (uint32_t i = 0; i < bits; i++) reversed |= ((x >> i) & 1) << (bits - 1 - i);
  return reversed;
}

bool Ring::create(const PolyKernels& kernels, uint32_t log_degree, uint64_t modulus, uint64_t psi) {
  const uint32_t degree = 1u << log_degree;
  if (!roots_.allocate(2 * size_t(degree)) || !permutations_.allocate(size_t(log_degree) * degree) || !monomials_.allocate(size_t(log_degree) * degree))
    return false;
  if (!powers_.allocate(2 * size_t(degree)) || !odd_exponents_.allocate(degree)) return false;
  kernels_ = &kernels;
  const uint64_t psi_inverse = inverse_mod(psi, modulus);
  uint64_t power = 1, power_inverse = 1;
  for (uint32_t i = 0; i < degree; i++) {
    const uint32_t at = bit_reverse(i, log_degree);
    roots_[at] = powers_[i] = power;
    powers_[degree + i] = modulus - power;
    odd_exponents_[i] = 2 * at + 1;
    roots_[degree + at] = power_inverse;
    power = multiply_mod(power, psi, modulus);
    power_inverse = multiply_mod(power_inverse, psi_inverse, modulus);
  }
  tables_ = {log_degree, degree, modulus, inverse_mod(degree, modulus), roots_.data(), roots_.data() + degree, powers_.data(), odd_exponents_.data(), nullptr};
  const size_t bytes = kernels.backend_data_bytes(tables_);
  if (bytes) {
    if (!backend_data_.allocate(bytes)) return false;
    kernels.make_backend_data(tables_, backend_data_.data());
    tables_.backend_data = backend_data_.data();
  }
  for (uint32_t level = 1; level <= log_degree; level++) {
    uint32_t* permutation = permutations_.data() + size_t(level - 1) * degree;
    // out[i] = x(psi^(k (2 bit_reverse(i) + 1))), k = 2^level + 1: the value at the index of that odd power.
    const uint64_t exponent = (uint64_t(1) << level) + 1;
    for (uint32_t i = 0; i < degree; i++) {
      const uint64_t odd = exponent * (2 * uint64_t(bit_reverse(i, log_degree)) + 1) % (2 * uint64_t(degree));
      permutation[i] = bit_reverse(uint32_t((odd - 1) / 2), log_degree);
    }
    uint64_t* monomial = monomials_.data() + size_t(level - 1) * degree;
    for (uint32_t i = 0; i < degree; i++) monomial[i] = 0;
    monomial[degree >> level] = 1;
    forward(monomial);
    kernels.prepare_key(tables_, monomial);
  }
  return true;
}

void Ring::automorphism(uint32_t level, const uint64_t* x, uint64_t* out) const {
  const uint64_t exponent = (uint64_t(1) << level) + 1;
  const uint32_t mask = 2 * degree() - 1;
  for (uint32_t i = 0; i < degree(); i++) {
    const uint32_t at = uint32_t(exponent * i) & mask;
    if (at < degree()) out[at] = x[i];
    else out[at - degree()] = negate_mod(x[i], modulus());
  }
}

void Ring::multiply_by_monomial(uint64_t exponent, const uint64_t* x, uint64_t* out) const {
  const uint32_t mask = 2 * degree() - 1;
  for (uint32_t i = 0; i < degree(); i++) {
    const uint32_t at = uint32_t(exponent + i) & mask;
    if (at < degree()) out[at] = x[i];
    else out[at - degree()] = negate_mod(x[i], modulus());
  }
}

}  // namespace sotto
