// The portable back end: plain 64-bit C++ with Shoup's multiplication and no reduction inside a transform.
//
// Floor of one forward transform, N = 2048: 11264 butterflies, each 3 multiplications (one of them 64 x 64 -> 128) and 3 additions; at one multiplication
// a cycle 3 cycles, about 34000, 9 us at 3.7 GHz. q < 2^50 leaves 14 free bits, enough for every level up to N = 4096 without a conditional subtraction.
#include "core/modular.hpp"
#include "poly/composed_block.hpp"
#include "poly/poly_kernels.hpp"

namespace sotto {
namespace {

inline uint64_t multiply_high(uint64_t x, uint64_t y) { return multiply_wide(x, y).high; }

/// A multiplier w < q with its Shoup quotient floor(w 2^64 / q).
struct Factor {
  uint64_t value, quotient;
};

/// backend_data: constants, then N forward and N inverse factors.
struct Tables {
  Factor scale, scaled_root /* 1/N and root/N of the last inverse level */, montgomery /* 2^64 mod q */;
  uint64_t one_quotient /* floor(2^64 / q) */, minus_q_inverse /* -1 / q mod 2^64 */;
};
const Tables& tables_of(const RingTables& ring) { return *static_cast<const Tables*>(ring.backend_data); }
const Factor* forward_factors(const RingTables& ring) { return reinterpret_cast<const Factor*>(&tables_of(ring) + 1); }
const Factor* inverse_factors(const RingTables& ring) { return forward_factors(ring) + ring.degree; }

/// floor(w 2^64 / q) by 64 steps of long division; only at start.
Factor make_factor(uint64_t w, uint64_t q) {
  uint64_t rest = w, quotient = 0;
  for (int bit = 0; bit < 64; bit++) {
    rest *= 2;
    quotient = 2 * quotient + (rest >= q);
    if (rest >= q) rest -= q;
  }
  return {w, quotient};
}

size_t backend_data_bytes(const RingTables& ring) { return sizeof(Tables) + 2 * size_t(ring.degree) * sizeof(Factor); }

void make_backend_data(const RingTables& ring, void* memory) {
  const uint64_t q = ring.modulus;
  Tables& tables = *static_cast<Tables*>(memory);
  tables.scale = make_factor(ring.degree_inverse, q);
  tables.scaled_root = make_factor(multiply_mod(ring.roots_inverse[1], ring.degree_inverse, q), q);
  tables.one_quotient = make_factor(1, q).quotient;
  tables.montgomery = make_factor(0 - tables.one_quotient * q, q);
  uint64_t inverse = q;  // Newton's iteration, 3 correct bits, doubled five times
  for (int step = 0; step < 5; step++) inverse *= 2 - q * inverse;
  tables.minus_q_inverse = 0 - inverse;
  Factor* at = reinterpret_cast<Factor*>(&tables + 1);
  for (uint32_t i = 0; i < ring.degree; i++) at[i] = make_factor(ring.roots[i], q), at[ring.degree + i] = make_factor(ring.roots_inverse[i], q);
}

/// Any y < 2^64 -> y w mod q in [0, 2 q): y w - floor(y w' / 2^64) q < q (1 + y / 2^64) (Harvey 2014, section 3).
inline uint64_t multiply_shoup(uint64_t y, const Factor& w, uint64_t q) { return y * w.value - multiply_high(y, w.quotient) * q; }

/// [0, 2 b) -> [0, b), without a branch.
inline uint64_t subtract_once(uint64_t x, uint64_t b) {
  const uint64_t difference = x - b;
  return difference + (b & (0 - (difference >> 63)));
}

/// Any x < 2^64 -> canonical: the quotient by floor(2^64 / q) is at most one too small.
inline uint64_t canonical(const Tables& tables, uint64_t x, uint64_t q) { return subtract_once(x - multiply_high(x, tables.one_quotient) * q, q); }

/// Cooley-Tukey: (x, y) -> (x + w y, x - w y), any x below 2^63; both grow by at most 2 q.
inline void forward_butterfly(uint64_t& x, uint64_t& y, const Factor& w, uint64_t q) {
  const uint64_t t = multiply_shoup(y, w, q);
  y = x + 2 * q - t;
  x += t;
}

/// Two levels, `groups` groups of N / groups coefficients.
void forward_pass(const RingTables& ring, uint64_t* x, uint32_t groups) {
  const uint64_t q = ring.modulus;
  const size_t quarter = ring.degree / groups / 4;
  const Factor* factors = forward_factors(ring);
  for (uint32_t group = groups; group < 2 * groups; group++, x += 4 * quarter) {
    const Factor first = factors[group], low = factors[2 * group], high = factors[2 * group + 1];
    for (size_t j = 0; j < quarter; j++) {
      uint64_t x0 = x[j], x1 = x[j + quarter], x2 = x[j + 2 * quarter], x3 = x[j + 3 * quarter];
      forward_butterfly(x0, x2, first, q);
      forward_butterfly(x1, x3, first, q);
      forward_butterfly(x0, x1, low, q);
      forward_butterfly(x2, x3, high, q);
      x[j] = x0, x[j + quarter] = x1, x[j + 2 * quarter] = x2, x[j + 3 * quarter] = x3;
    }
  }
}

/// All levels, values growing by 2 q a level: [0, q) -> [0, (1 + 2 log2 N) q), below 2^55 for N <= 4096.
void forward_loose(const RingTables& ring, uint64_t* x) {
  const bool one_level_alone = ring.log_degree & 1;
  if (one_level_alone)
    for (uint32_t j = 0; j < ring.degree / 2; j++) forward_butterfly(x[j], x[j + ring.degree / 2], forward_factors(ring)[1], ring.modulus);
  for (uint32_t groups = one_level_alone ? 2 : 1; groups < ring.degree; groups *= 4) forward_pass(ring, x, groups);
}

void forward(const RingTables& ring, uint64_t* x) {
  const Tables& tables = tables_of(ring);
  forward_loose(ring, x);
  for (uint32_t i = 0; i < ring.degree; i++) x[i] = canonical(tables, x[i], ring.modulus);
}

/// Gentleman-Sande: (x, y) -> (x + y, (x - y) w) for x, y <= bound, a multiple of q: sums at most 2 bound, products below 2 q.
inline void inverse_butterfly(uint64_t& x, uint64_t& y, const Factor& w, uint64_t bound, uint64_t q) {
  const uint64_t difference = x + bound - y;
  x += y;
  y = multiply_shoup(difference, w, q);
}

/// One level, `groups` groups.
void inverse_level(const RingTables& ring, uint64_t* x, uint32_t groups, uint64_t bound) {
  const size_t half = ring.degree / groups / 2;
  for (uint32_t group = groups; group < 2 * groups; group++, x += 2 * half)
    for (size_t j = 0; j < half; j++) inverse_butterfly(x[j], x[j + half], inverse_factors(ring)[group], bound, ring.modulus);
}

/// Two levels; `groups` is the number of groups of the second.
void inverse_pass(const RingTables& ring, uint64_t* x, uint32_t groups, uint64_t bound) {
  const uint64_t q = ring.modulus;
  const size_t quarter = ring.degree / groups / 4;
  const Factor* factors = inverse_factors(ring);
  for (uint32_t group = groups; group < 2 * groups; group++, x += 4 * quarter) {
    const Factor last = factors[group], low = factors[2 * group], high = factors[2 * group + 1];
    for (size_t j = 0; j < quarter; j++) {
      uint64_t x0 = x[j], x1 = x[j + quarter], x2 = x[j + 2 * quarter], x3 = x[j + 3 * quarter];
      inverse_butterfly(x0, x1, low, bound, q);
      inverse_butterfly(x2, x3, high, bound, q);
      inverse_butterfly(x0, x2, last, 2 * bound, q);
      inverse_butterfly(x1, x3, last, 2 * bound, q);
      x[j] = x0, x[j + quarter] = x1, x[j + 2 * quarter] = x2, x[j + 3 * quarter] = x3;
    }
  }
}

/// The bound doubles each level from 2 q: at the last of 12 levels 2^12 q, so that x + bound < 2^63.
void inverse(const RingTables& ring, uint64_t* x) {
  const uint64_t q = ring.modulus;
  const Tables& tables = tables_of(ring);
  uint64_t bound = 2 * q;
  uint32_t groups = ring.degree / 4;
  for (; groups >= 2; groups /= 4, bound *= 4) inverse_pass(ring, x, groups, bound);
  if (groups == 1) {
    inverse_level(ring, x, 2, bound);
    bound *= 2;
  }
  for (uint32_t j = 0; j < ring.degree / 2; j++) {
    const uint64_t u = x[j], v = x[j + ring.degree / 2];
    x[j] = subtract_once(multiply_shoup(u + v, tables.scale, q), q);
    x[j + ring.degree / 2] = subtract_once(multiply_shoup(u + bound - v, tables.scaled_root, q), q);
  }
}

/// (2^64 high + low) / 2^64 mod q in [0, high + q] (Montgomery 1985). The low halves cancel, with a carry unless low is zero.
inline uint64_t reduce_montgomery(const Tables& tables, Wide x, uint64_t q) { return x.high + multiply_high(x.low * tables.minus_q_inverse, q) + (x.low != 0); }

/// x y mod q for canonical values: Montgomery by 2^-64, then Shoup by 2^64.
inline uint64_t product(const Tables& tables, uint64_t x, uint64_t y, uint64_t q) {
  return subtract_once(multiply_shoup(reduce_montgomery(tables, multiply_wide(x, y), q), tables.montgomery, q), q);
}

void multiply(const RingTables& ring, uint64_t* out, const uint64_t* x, const uint64_t* y) {
  const Tables& tables = tables_of(ring);
  for (uint32_t i = 0; i < ring.degree; i++) out[i] = product(tables, x[i], y[i], ring.modulus);
}

void multiply_add(const RingTables& ring, uint64_t* out, const uint64_t* x, const uint64_t* y) {
  const Tables& tables = tables_of(ring);
  for (uint32_t i = 0; i < ring.degree; i++) out[i] = subtract_once(out[i] + product(tables, x[i], y[i], ring.modulus), ring.modulus);
}

void add(const RingTables& ring, uint64_t* out, const uint64_t* x, const uint64_t* y) {
  for (uint32_t i = 0; i < ring.degree; i++) out[i] = subtract_once(x[i] + y[i], ring.modulus);
}

void subtract(const RingTables& ring, uint64_t* out, const uint64_t* x, const uint64_t* y) {
  for (uint32_t i = 0; i < ring.degree; i++) out[i] = subtract_once(x[i] + ring.modulus - y[i], ring.modulus);
}

/// Prepared form: x 2^64 mod q.
void prepare_key(const RingTables& ring, uint64_t* x) {
  const Tables& tables = tables_of(ring);
  for (uint32_t i = 0; i < ring.degree; i++) x[i] = subtract_once(multiply_shoup(x[i], tables.montgomery, ring.modulus), ring.modulus);
}

/// The digits of every coefficient modulo q, level j at out + j N.
void decompose_all(const RingTables& ring, Gadget gadget, const uint64_t* x, uint64_t* out) {
  int64_t digits[50];
  for (uint32_t i = 0; i < ring.degree; i++) {
    decompose(x[i], ring.modulus, gadget, digits);
    for (uint32_t level = 0; level < gadget.level_count; level++) out[size_t(level) * ring.degree + i] = residue(digits[level], ring.modulus);
  }
}

/// low, high += value * key, 128 bits: 50 products below 2^55 * 2^50 stay below 2^111.
inline void accumulate(Wide& sum, uint64_t value, uint64_t key) {
  const Wide term = multiply_wide(value, key);
  sum.low += term.low;
  sum.high += term.high + (sum.low < term.low);
}

/// One coefficient of one output; key at this coefficient of the first level, next level 2 N words on.
inline uint64_t key_product(const RingTables& ring, uint32_t level_count, const uint64_t* values, const uint64_t* key) {
  const size_t n = ring.degree;
  Wide sum = {0, 0};
  for (uint32_t level = 0; level < level_count; level++) accumulate(sum, values[level * n], key[2 * level * n]);
  return canonical(tables_of(ring), reduce_montgomery(tables_of(ring), sum, ring.modulus), ring.modulus);
}

void gadget_product(const RingTables& ring, Gadget gadget, const uint64_t* x, const uint64_t* key, uint64_t* out_a, uint64_t* out_b, uint64_t* scratch) {
  const size_t n = ring.degree;
  decompose_all(ring, gadget, x, scratch);
  for (uint32_t level = 0; level < gadget.level_count; level++) forward_loose(ring, scratch + level * n);
  for (size_t i = 0; i < n; i++) {
    out_a[i] = key_product(ring, gadget.level_count, scratch + i, key + i);
    out_b[i] = key_product(ring, gadget.level_count, scratch + i, key + n + i);
  }
}

void merge(const RingTables& ring, const uint64_t* x0, const uint64_t* x1, const uint64_t* monomial, const uint32_t* permutation, uint64_t* sum, uint64_t* difference) {
  const uint64_t q = ring.modulus;
  const Tables& tables = tables_of(ring);
  // An automorphism maps aligned runs of eight transformed values onto such runs: a run of sources is read once, before its sum is written.
  for (uint32_t i = 0; i < ring.degree; i += 8) {
    const uint32_t from = permutation[i] & ~7u;
    uint64_t differences[8];
    for (uint32_t j = 0; j < 8; j++) {
      const uint64_t x = x0[from + j];
      const uint64_t y = subtract_once(reduce_montgomery(tables, multiply_wide(x1[from + j], monomial[from + j]), q), q);
      sum[from + j] = subtract_once(x + y, q);
      differences[j] = subtract_once(x + q - y, q);
    }
    for (uint32_t j = 0; j < 8; j++) difference[i + j] = differences[permutation[i + j] & 7];
  }
}

using Block = ComposedBlock<forward, multiply, multiply_add>;

}  // namespace

const PolyKernels& portable_kernels() {
  static const PolyKernels kernels = {"portable", backend_data_bytes, make_backend_data, forward, inverse, multiply, multiply_add, add, subtract, prepare_key, gadget_product,
                                      Block::transform_digits, Block::prepare_block_key, Block::block_product, merge};
  return kernels;
}

}  // namespace sotto
