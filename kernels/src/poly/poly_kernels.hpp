// The hot loops of one ring Z_q[X]/(X^N + 1): the table of functions that a back end fills in.
//
// Contract. Polynomials are arrays of N uint64_t, 64-byte aligned. Every value at this boundary is canonical, in [0, q), so that
// all back ends give identical bytes. "Transformed" is the order out[i] = x(psi^(2 * bit_reverse(i) + 1)), psi the pinned 2N-th root
// of unity. Outputs may not alias inputs unless a comment says so. No allocation, no exception, no global state; safe on any thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace sotto {

/// Signed digits in base 2^base_log, taken from the top: x ~ sum_j d_j 2^(t + base_log (level_count - 1 - j)), t = 50 - base_log * level_count,
/// j = 0 the most significant; d_j in [-2^(base_log-1), 2^(base_log-1)].
struct Gadget {
  uint32_t base_log;
  uint32_t level_count;
};

/// Twiddles and constants of one (N, q, psi); made once by `make_ring_tables`. A back end keeps its own derived tables behind `backend_data`.
struct RingTables {
  uint32_t log_degree;
  uint32_t degree;            // N
  uint64_t modulus;           // q, prime, q = 1 mod 2N, q < 2^50
  uint64_t degree_inverse;    // N^-1 mod q
  const uint64_t* roots;          // roots[i] = psi^bit_reverse(i), i < N  (Longa & Naehrig 2016, Cooley-Tukey order)
  const uint64_t* roots_inverse;  // roots_inverse[i] = psi^-bit_reverse(i)
  const uint64_t* powers;         // powers[e] = psi^e, e < 2N
  const uint32_t* odd_exponents;  // odd_exponents[i] = 2 bit_reverse(i) + 1: transformed X^a is powers[a odd_exponents[i] mod 2N] at i
  const void* backend_data;       // made by PolyKernels::make_backend_data, owned by the context
};

struct PolyKernels {
  const char* name;

  /// Derived tables (Shoup quotients, doubles, ...) in `memory` (aligned 64, backend_data_bytes long); reads only the fields above backend_data.
  size_t (*backend_data_bytes)(const RingTables&);
  void (*make_backend_data)(const RingTables&, void* memory);

  /// In place, coefficient order -> transformed order (Longa & Naehrig 2016, algorithm 1).
  void (*forward)(const RingTables&, uint64_t* x);
  /// In place, transformed -> coefficient, including the factor N^-1 (algorithm 2).
  void (*inverse)(const RingTables&, uint64_t* x);

  /// out = x * y, coefficient-wise; out may be x or y.
  void (*multiply)(const RingTables&, uint64_t* out, const uint64_t* x, const uint64_t* y);
  /// out = out + x * y, coefficient-wise.
  void (*multiply_add)(const RingTables&, uint64_t* out, const uint64_t* x, const uint64_t* y);
  /// out = x + y ; out = x - y; out may be x or y.
  void (*add)(const RingTables&, uint64_t* out, const uint64_t* x, const uint64_t* y);
  void (*subtract)(const RingTables&, uint64_t* out, const uint64_t* x, const uint64_t* y);

  /// Turns one transformed key polynomial into this back end's prepared form, in place (for example Montgomery form). N words stay N words.
  void (*prepare_key)(const RingTables&, uint64_t* x);

  /// Gadget product: x in coefficient order; key = level_count pairs (a_j, b_j) of prepared polynomials, N words each, consecutive;
  /// out_a = sum_j NTT(d_j(x)) a_j, out_b = sum_j NTT(d_j(x)) b_j, transformed and canonical.
  /// Digits are those of `Gadget`, of x rounded to a multiple of 2^t (ties up), where x is first centred into (-q/2, q/2].
  /// scratch: (level_count + 1) * N words.
  void (*gadget_product)(const RingTables&, Gadget, const uint64_t* x, const uint64_t* key, uint64_t* out_a, uint64_t* out_b, uint64_t* scratch);

  /// Digits of x (coefficient order), level by level, transformed: level_count * N words in a form that only `block_product` reads.
  /// scratch: N words.
  void (*transform_digits)(const RingTables&, Gadget, const uint64_t* x, uint64_t* digits, uint64_t* scratch);
  /// Turns one transformed polynomial of a key into the form that `block_product` reads, in place.
  void (*prepare_block_key)(const RingTables&, uint64_t* x);
  /// One block of a blind rotation: out = sum_i (X^(e_i) - 1) sum_r digits_r key_(i,r), i < block, r < row_count, row_count 2, 4 or 6, key_(i,r) a pair (a, b) of
  /// polynomials, consecutive; 0 <= e_i < 2N; out_a, out_b transformed and canonical. block <= 8. scratch: 2 N words.
  void (*block_product)(const RingTables&, uint32_t block, uint32_t row_count, const uint32_t* exponents, const uint64_t* digits, const uint64_t* key,
                        uint64_t* out_a, uint64_t* out_b, uint64_t* scratch);

  /// One step of the pack tree in the transformed domain, coefficient-wise, with y = x1 * monomial (monomial = transformed X^shift):
  /// sum = x0 + y, difference[i] = x0[permutation[i]] - y[permutation[i]] (the automorphism is a permutation of transformed values).
  /// X -> X^g, g odd, maps aligned runs of 16, 8 or 4 transformed values onto such runs; back ends rely on it.
  /// `monomial` is in the form made by prepare_key. sum may be x0; difference aliases nothing.
  void (*merge)(const RingTables&, const uint64_t* x0, const uint64_t* x1, const uint64_t* monomial, const uint32_t* permutation, uint64_t* sum,
                uint64_t* difference);
};

/// Signed digit decomposition of one canonical value, the definition that every back end follows. digits[0] is the most significant.
inline void decompose(uint64_t x, uint64_t modulus, Gadget gadget, int64_t* digits) {
  const uint32_t dropped = 50 - gadget.base_log * gadget.level_count;
  int64_t centred = x > modulus / 2 ? int64_t(x) - int64_t(modulus) : int64_t(x);
  int64_t rest = dropped ? (centred + (int64_t(1) << (dropped - 1))) >> dropped : centred;
  const int64_t base = int64_t(1) << gadget.base_log, half = base >> 1;
  for (uint32_t j = gadget.level_count; j-- > 1;) {
    int64_t digit = ((rest + half) & (base - 1)) - half;  // in [-B/2, B/2)
    digits[j] = digit;
    rest = (rest - digit) >> gadget.base_log;
  }
  digits[0] = rest;  // in [-B/2, B/2] since |centred| <= 2^49
}

const PolyKernels& ref_kernels();
const PolyKernels& portable_kernels();
#if defined(__x86_64__)
const PolyKernels& avx2_kernels();       // AVX2 + FMA, exact arithmetic in doubles
const PolyKernels& avx512ifma_kernels(); // AVX-512 F, DQ, VL, IFMA
#endif

/// The fastest table this processor can run, or the one named (null if unknown or not runnable here). Names: "ref", "portable", "avx2", "avx512ifma".
const PolyKernels* select_kernels(const char* name);

}  // namespace sotto
