// The AVX2 back end: exact modular arithmetic in doubles, four lanes, two of the four vector ports for multiplies and two for additions.
//
// Floor of one forward transform, N = 2048, on Zen 4: 2816 butterflies of four lanes, each 4 multiplies (2 of them fused) and 4 additions or roundings,
// two and two a cycle, is 2 cycles, 5632; one reduction (3 operations) of 512 vectors, 512 * 5 to convert and 512 * 6 to make canonical come to about 2000,
// 1024 shuffles beside: 7700 cycles, 2.1 us at 3.7 GHz. Sixteen registers hold q, three factors and two butterflies; the front end (six a cycle) is
// near its limit, so about 3 cycles a butterfly are seen: 3.9 us.
#if defined(__x86_64__)

#include "backend/cpu/double_block.hpp"
#include "backend/cpu/double_transform.hpp"
#include "core/modular.hpp"

namespace sotto {
namespace {

using namespace avx2;

/// backend_data, in doubles: 1/N and root/N with their quotients, then the forward and the inverse table of 3 N doubles each, then the 2 N powers of psi.
constexpr size_t constants = 8;

SOTTO_AVX2_INLINE double* doubles(uint64_t* words) { return reinterpret_cast<double*>(words); }
const double* data_of(const RingTables& ring) { return static_cast<const double*>(ring.backend_data); }

TransformTable table_at(const double* at, size_t n) { return {at, at + n, at + 2 * n, at + 2 * n + n / 2}; }
TransformTable forward_table(const RingTables& ring) { return table_at(data_of(ring) + constants, ring.degree); }
TransformTable inverse_table(const RingTables& ring) { return table_at(data_of(ring) + constants + 3 * size_t(ring.degree), ring.degree); }

const double* powers_of(const RingTables& ring) { return data_of(ring) + constants + 6 * size_t(ring.degree); }

double centred(uint64_t w, uint64_t q) { return w > q / 2 ? -double(q - w) : double(w); }

void fill_table(const RingTables& ring, const uint64_t* roots, double* at) {
  const size_t n = ring.degree;
  const double q = double(ring.modulus);
  for (size_t i = 0; i < n; i++) {
    at[i] = centred(roots[i], ring.modulus);
    at[n + i] = at[i] / q;
  }
  for (size_t i = 0; i < n / 2; i++) {
    at[2 * n + i] = at[n / 4 + i / 2];
    at[2 * n + n / 2 + i] = at[n + n / 4 + i / 2];
  }
}

size_t backend_data_bytes(const RingTables& ring) { return (constants + 8 * size_t(ring.degree)) * sizeof(double); }

void make_backend_data(const RingTables& ring, void* memory) {
  const double q = double(ring.modulus);
  double* at = static_cast<double*>(memory);
  at[0] = centred(ring.degree_inverse, ring.modulus);
  at[1] = at[0] / q;
  at[2] = centred(multiply_mod(ring.roots_inverse[1], ring.degree_inverse, ring.modulus), ring.modulus);
  at[3] = at[2] / q;
  at[4] = at[5] = at[6] = at[7] = 0;
  fill_table(ring, ring.roots, at + constants);
  fill_table(ring, ring.roots_inverse, at + constants + 3 * size_t(ring.degree));
  for (uint32_t i = 0; i < 2 * ring.degree; i++) at[constants + 6 * size_t(ring.degree) + i] = centred(ring.powers[i], ring.modulus);
}

SOTTO_AVX2 void forward(const RingTables& ring, uint64_t* x) {
  const Modulus m = make_modulus(ring.modulus);
  const TransformTable table = forward_table(ring);
  const uint32_t n = ring.degree;
  double* values = doubles(x);
  if (one_level_alone(ring))
    for (uint32_t j = 0; j < n / 2; j += lane_count) {
      Lanes low = to_double(load_words(x + j)), high = to_double(load_words(x + n / 2 + j));
      forward_butterfly(m, low, high, factor_at(table, 1));
      store(values + j, low);
      store(values + n / 2 + j, high);
    }
  else
    for (uint32_t j = 0, t = n / 4; j < t; j += lane_count) {
      Four v = {to_double(load_words(x + j)), to_double(load_words(x + j + t)), to_double(load_words(x + j + 2 * t)), to_double(load_words(x + j + 3 * t))};
      forward_four(m, v, factor_at(table, 1), factor_at(table, 2), factor_at(table, 3));
      store_four(values + j, t, v);
    }
  forward_middle(m, table, values, ring);
  for (uint32_t block = 0; block < n / tail_size; block += 2) {
    Lanes v[tail_vectors];
    for (uint32_t i = 0; i < tail_vectors; i++) v[i] = load(values + block * tail_size + i * lane_count);
    forward_tail(m, table, v, n, block);
    for (uint32_t i = 0; i < tail_vectors; i++) store_words(x + block * tail_size + i * lane_count, canonical(m, v[i]));
  }
}

SOTTO_AVX2 void inverse(const RingTables& ring, uint64_t* x) {
  const Modulus m = make_modulus(ring.modulus);
  const TransformTable table = inverse_table(ring);
  const uint32_t n = ring.degree;
  const double *constant = data_of(ring), *values = doubles(x);
  const Factor scale = {broadcast(constant[0]), broadcast(constant[1])}, scaled_root = {broadcast(constant[2]), broadcast(constant[3])};
  for (uint32_t block = 0; block < n / tail_size; block += 2) {
    Lanes v[tail_vectors];
    for (uint32_t i = 0; i < tail_vectors; i++) v[i] = to_double(load_words(x + block * tail_size + i * lane_count));
    inverse_tail(m, table, v, n, block);
    for (uint32_t i = 0; i < tail_vectors; i++) store(doubles(x) + block * tail_size + i * lane_count, v[i]);
  }
  inverse_middle(m, table, doubles(x), ring);
  if (one_level_alone(ring))
    for (uint32_t j = 0; j < n / 2; j += lane_count) inverse_last(m, load(values + j), load(values + n / 2 + j), scale, scaled_root, x + j, x + n / 2 + j);
  else
    for (uint32_t j = 0, t = n / 4; j < t; j += lane_count) {
      Four v = load_four(values + j, t);
      inverse_butterfly(m, v.x0, v.x1, factor_at(table, 2));
      inverse_butterfly(m, v.x2, v.x3, factor_at(table, 3));
      inverse_last(m, v.x0, v.x2, scale, scaled_root, x + j, x + j + 2 * t);
      inverse_last(m, v.x1, v.x3, scale, scaled_root, x + j + t, x + j + 3 * t);
    }
}

SOTTO_AVX2 void multiply(const RingTables& ring, uint64_t* out, const uint64_t* x, const uint64_t* y) {
  const Modulus m = make_modulus(ring.modulus);
  for (uint32_t i = 0; i < ring.degree; i += lane_count)
    store_words(out + i, to_words(lift(m, multiply_plain(m, to_double(load_words(x + i)), to_double(load_words(y + i))))));
}

/// x + y and x - y of canonical values, canonical.
SOTTO_AVX2_INLINE Lanes add_lanes(const Modulus& m, Lanes x, Lanes y) { return lift(m, _mm256_sub_pd(_mm256_add_pd(x, y), m.q)); }
SOTTO_AVX2_INLINE Lanes subtract_lanes(const Modulus& m, Lanes x, Lanes y) { return lift(m, _mm256_sub_pd(x, y)); }

SOTTO_AVX2 void multiply_add(const RingTables& ring, uint64_t* out, const uint64_t* x, const uint64_t* y) {
  const Modulus m = make_modulus(ring.modulus);
  for (uint32_t i = 0; i < ring.degree; i += lane_count) {
    const Lanes product = lift(m, multiply_plain(m, to_double(load_words(x + i)), to_double(load_words(y + i))));
    store_words(out + i, to_words(add_lanes(m, to_double(load_words(out + i)), product)));
  }
}

/// Words in (-q, q), two's complement -> [0, q).
SOTTO_AVX2_INLINE Words lift_words(Words x, Words q) { return _mm256_add_epi64(x, _mm256_and_si256(_mm256_cmpgt_epi64(_mm256_setzero_si256(), x), q)); }

SOTTO_AVX2 void add(const RingTables& ring, uint64_t* out, const uint64_t* x, const uint64_t* y) {
  const Words q = broadcast_word(ring.modulus);
  for (uint32_t i = 0; i < ring.degree; i += lane_count)
    store_words(out + i, lift_words(_mm256_sub_epi64(_mm256_add_epi64(load_words(x + i), load_words(y + i)), q), q));
}

SOTTO_AVX2 void subtract(const RingTables& ring, uint64_t* out, const uint64_t* x, const uint64_t* y) {
  const Words q = broadcast_word(ring.modulus);
  for (uint32_t i = 0; i < ring.degree; i += lane_count) store_words(out + i, lift_words(_mm256_sub_epi64(load_words(x + i), load_words(y + i)), q));
}

/// Prepared form: the centred residue as a double.
SOTTO_AVX2 void prepare_key(const RingTables& ring, uint64_t* x) {
  const Modulus m = make_modulus(ring.modulus);
  for (uint32_t i = 0; i < ring.degree; i += lane_count) store(doubles(x) + i, centre(m, to_double(load_words(x + i))));
}

/// What turns canonical coefficients into digits. v = centred x + rounding + sum_k (B/2) B^k 2^t >= 0 makes every digit a plain bit field of v,
/// raised by B/2: d_j = ((v >> shift_j) mod B) - B/2. `raised_zero` is the double 2^52 + B/2.
struct Digits {
  Words offset, half_modulus, q;
  Lanes raised_zero;
};
SOTTO_AVX2_INLINE Digits make_digits(uint64_t q, Gadget gadget) {
  const uint32_t dropped = 50 - gadget.base_log * gadget.level_count;
  const uint64_t half = uint64_t(1) << (gadget.base_log - 1);
  uint64_t offset = dropped ? uint64_t(1) << (dropped - 1) : 0;
  for (uint32_t k = 0; k < gadget.level_count; k++) offset += half << (dropped + gadget.base_log * k);
  return {broadcast_word(offset), broadcast_word(q / 2), broadcast_word(q), broadcast(0x1p52 + double(half))};
}
SOTTO_AVX2_INLINE Lanes digit(const Digits& digits, Words x, __m128i shift, Words mask) {
  const Words large = _mm256_and_si256(_mm256_cmpgt_epi64(x, digits.half_modulus), digits.q);
  const Words v = _mm256_sub_epi64(_mm256_add_epi64(x, digits.offset), large);
  const Words field = _mm256_and_si256(_mm256_srl_epi64(v, shift), mask);
  return _mm256_sub_pd(_mm256_or_pd(_mm256_castsi256_pd(field), broadcast(0x1p52)), digits.raised_zero);
}

/// The digits of one level, at most 1/2 in units of q, through the first level or levels of their transform.
SOTTO_AVX2_INLINE void decompose_and_begin(const RingTables& ring, const Modulus& m, const TransformTable& table, Gadget gadget, uint32_t level, const uint64_t* x, double* to) {
  const uint32_t n = ring.degree, t = n / 4;
  const Digits digits = make_digits(ring.modulus, gadget);
  const __m128i shift = _mm_cvtsi32_si128(int(50 - gadget.base_log * (level + 1)));
  const Words mask = broadcast_word(level ? (uint64_t(1) << gadget.base_log) - 1 : ~uint64_t(0));  // the top digit may be B/2 itself
  if (one_level_alone(ring))
    for (uint32_t j = 0; j < n / 2; j += lane_count) {
      Lanes low = digit(digits, load_words(x + j), shift, mask), high = digit(digits, load_words(x + n / 2 + j), shift, mask);
      forward_butterfly(m, low, high, factor_at(table, 1));
      store(to + j, low);
      store(to + n / 2 + j, high);
    }
  else
    for (uint32_t j = 0; j < t; j += lane_count) {
      Four v = {digit(digits, load_words(x + j), shift, mask), digit(digits, load_words(x + j + t), shift, mask),
                digit(digits, load_words(x + j + 2 * t), shift, mask), digit(digits, load_words(x + j + 3 * t), shift, mask)};
      forward_four(m, v, factor_at(table, 1), factor_at(table, 2), factor_at(table, 3));
      store_four(to + j, t, v);
    }
}

/// Four coefficients of one output: sum over the levels of value * key. Values are below 7.5, products below 1/2 + 7.5/4 < 2.4, so that a reduced sum
/// and two products stay below 8.
SOTTO_AVX2_INLINE Words accumulate(const Modulus& m, uint32_t n, uint32_t level_count, const double* values, const double* key) {
  Lanes sum = _mm256_setzero_pd();
  for (uint32_t level = 0; level < level_count; level++, values += n, key += 2 * size_t(n)) {
    sum = _mm256_add_pd(sum, avx2::multiply_plain(m, load(values), load(key)));
    if (level & 1) sum = reduce(m, sum);
  }
  return canonical(m, sum);
}

SOTTO_AVX2 void gadget_product(const RingTables& ring, Gadget gadget, const uint64_t* x, const uint64_t* key, uint64_t* out_a, uint64_t* out_b, uint64_t* scratch) {
  const Modulus m = make_modulus(ring.modulus);
  const TransformTable table = forward_table(ring);
  const uint32_t n = ring.degree;
  const double* keys = reinterpret_cast<const double*>(key);
  double* values = doubles(scratch);
  for (uint32_t level = 0; level < gadget.level_count; level++) {
    decompose_and_begin(ring, m, table, gadget, level, x, values + size_t(level) * n);
    forward_middle(m, table, values + size_t(level) * n, ring);
  }
  for (uint32_t block = 0; block < n / tail_size; block += 2) {
    const uint32_t at = block * tail_size;
    for (uint32_t level = 0; level < gadget.level_count; level++) {
      double* part = values + size_t(level) * n + at;
      Lanes v[tail_vectors];
      for (uint32_t i = 0; i < tail_vectors; i++) v[i] = load(part + i * lane_count);
      forward_tail(m, table, v, n, block);
      for (uint32_t i = 0; i < tail_vectors; i++) store(part + i * lane_count, v[i]);
    }
    for (uint32_t i = at; i < at + 2 * tail_size; i += lane_count) {
      store_words(out_a + i, accumulate(m, n, gadget.level_count, values + i, keys + i));
      store_words(out_b + i, accumulate(m, n, gadget.level_count, values + i, keys + n + i));
    }
  }
}

/// Lane k of the result is lane (index[k] mod 4) of x.
SOTTO_AVX2_INLINE Lanes permute(Lanes x, const uint32_t* index) {
  const Words low = _mm256_slli_epi64(_mm256_and_si256(_mm256_cvtepu32_epi64(_mm_loadu_si128(reinterpret_cast<const __m128i*>(index))), broadcast_word(3)), 1);
  const Words both = _mm256_or_si256(_mm256_or_si256(low, _mm256_slli_epi64(low, 32)), broadcast_word(uint64_t(1) << 32));
  return _mm256_castps_pd(_mm256_permutevar8x32_ps(_mm256_castpd_ps(x), both));
}

/// One pass in the order of `difference`: an automorphism X -> X^g maps aligned runs of four transformed values (exponents that agree modulo 2 N / 4)
/// onto such runs, so each run of sources is read once and rearranged in its register by the low two bits of `permutation`.
SOTTO_AVX2 void merge(const RingTables& ring, const uint64_t* x0, const uint64_t* x1, const uint64_t* monomial, const uint32_t* permutation, uint64_t* sum, uint64_t* difference) {
  const Modulus m = make_modulus(ring.modulus);
  const double* factor = reinterpret_cast<const double*>(monomial);
  for (uint32_t i = 0; i < ring.degree; i += lane_count) {
    const uint32_t from = permutation[i] & ~(lane_count - 1);
    const Lanes x = to_double(load_words(x0 + from));
    const Lanes y = lift(m, multiply_plain(m, to_double(load_words(x1 + from)), load(factor + from)));
    store_words(sum + from, to_words(add_lanes(m, x, y)));
    store_words(difference + i, to_words(permute(subtract_lanes(m, x, y), permutation + i)));
  }
}

/// Digits in transformed order, reduced doubles.
SOTTO_AVX2 void transform_digits(const RingTables& ring, Gadget gadget, const uint64_t* x, uint64_t* digits, uint64_t*) {
  const Modulus m = make_modulus(ring.modulus);
  const TransformTable table = forward_table(ring);
  const uint32_t n = ring.degree;
  for (uint32_t level = 0; level < gadget.level_count; level++) {
    double* values = doubles(digits) + size_t(level) * n;
    decompose_and_begin(ring, m, table, gadget, level, x, values);
    forward_middle(m, table, values, ring);
    for (uint32_t block = 0; block < n / tail_size; block += 2) {
      double* part = values + block * tail_size;
      Lanes v[tail_vectors];
      for (uint32_t i = 0; i < tail_vectors; i++) v[i] = load(part + i * lane_count);
      forward_tail(m, table, v, n, block);
      for (uint32_t i = 0; i < tail_vectors; i++) store(part + i * lane_count, reduce(m, v[i]));
    }
  }
}

template <uint32_t rows>
SOTTO_AVX2 void block_product_of(const RingTables& ring, uint32_t block, const uint32_t* exponents, const double* digits, const double* key, uint64_t* out_a, uint64_t* out_b) {
  const Modulus m = make_modulus(ring.modulus);
  const double* powers = powers_of(ring);
  Monomial monomials[block_max];
  for (uint32_t i = 0; i < block; i++) monomials[i] = make_monomial(ring, powers, exponents[i]);
  for (uint32_t at = 0; at < ring.degree; at += place_count) block_places<rows>(ring, m, powers, block, monomials, at, digits, key, out_a, out_b);
}

void block_product(const RingTables& ring, uint32_t block, uint32_t row_count, const uint32_t* exponents, const uint64_t* digits, const uint64_t* key, uint64_t* out_a, uint64_t* out_b, uint64_t*) {
  static constexpr void (*by_rows[])(const RingTables&, uint32_t, const uint32_t*, const double*, const double*, uint64_t*, uint64_t*) = {block_product_of<2>, block_product_of<4>, block_product_of<6>};
  by_rows[row_count / 2 - 1](ring, block, exponents, reinterpret_cast<const double*>(digits), reinterpret_cast<const double*>(key), out_a, out_b);
}

}  // namespace

const PolyKernels& avx2_kernels() {
  static const PolyKernels kernels = {"avx2", backend_data_bytes, make_backend_data, forward, inverse, multiply, multiply_add, add, subtract, prepare_key, gadget_product,
                                      transform_digits, prepare_key, block_product, merge};
  return kernels;
}

}  // namespace sotto

#endif
