// A ternary secret (the s of a key pair, or an ephemeral u), kept as coefficients and transformed; wiped on release.
#pragma once

#include "crypto/context.hpp"

struct sotto_secret_key {
  sotto::Buffer<uint8_t> coefficients;   // 0, 1, 2 (= -1)
  sotto::Buffer<uint64_t> residues;      // coefficient order, mod q
  sotto::Buffer<uint64_t> transformed;

  ~sotto_secret_key() {
    coefficients.wipe_all();
    residues.wipe_all();
    transformed.wipe_all();
  }
  bool allocate() { return coefficients.allocate(sotto::kDegree) && residues.allocate(sotto::kDegree) && transformed.allocate(sotto::kDegree); }
  /// Fills the other two forms from `coefficients`.
  void derive(const sotto::Ring& ring);
};
