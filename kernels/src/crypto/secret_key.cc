#include "crypto/secret_key.hpp"

#include <string.h>

#include "core/modular.hpp"

void sotto_secret_key::derive(const sotto::Ring& ring) {
  for (uint32_t i = 0; i < sotto::kDegree; i++) {
    const int64_t value = int64_t(coefficients[i]) - 3 * (coefficients[i] >> 1);  // 2 -> -1
    residues[i] = sotto::residue(value, sotto::kModulus);
  }
  memcpy(transformed.data(), residues.data(), sotto::kDegree * sizeof(uint64_t));
  ring.forward(transformed.data());
}
