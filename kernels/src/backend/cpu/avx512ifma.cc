// The AVX-512 back end: 52-bit integer multiply-add (IFMA) on eight lanes.
//
// Floor of one forward transform, N = 2048, on Zen 4 (512-bit operations take two cycles of a 256-bit port; four ports, multiplies and
// compares on two of them): 1408 butterflies of eight lanes, each 3 IFMA, 3 additions and 2 or 3 operations that narrow x, is 8 to 9 operations at two
// a cycle, 4 to 4.5 cycles, about 6000; with 1024 shuffles (one a cycle, partly beside the rest) and 256 * 5 operations that make the result canonical
// about 7200 cycles, 1.9 us at 3.7 GHz. Three-operand multiply-adds also borrow a register port of the adders, so about 5 cycles a butterfly are seen.
// Memory is not the limit: four passes of 256 loads and 256 stores (two cycles each), 52 kB of twiddles from the second-level cache once.
#if defined(__x86_64__)

#include "backend/cpu/ifma_transform.hpp"
#include "core/modular.hpp"

namespace sotto {
namespace {

using namespace ifma;

__extension__ using uint128 = unsigned __int128;

/// Layout of backend_data, in words: constants, then forward pairs and expanded twiddles, then the inverse ones.
struct Layout {
  static constexpr size_t scale = 0, scale_quotient = 1, scaled_root = 2, scaled_root_quotient = 3, barrett_fraction = 4, minus_q_inverse = 5, constants = 8;
  size_t pairs, expanded, total;
};
Layout layout_of(const RingTables& ring) {
  const size_t pairs = 2 * ring.degree / lane_count, expanded = size_t(ring.degree / 16) * pair_words;
  return {pairs, expanded, Layout::constants + 2 * (pairs + expanded)};
}
const uint64_t* words_of(const RingTables& ring) { return static_cast<const uint64_t*>(ring.backend_data); }

TransformTable forward_table(const RingTables& ring) {
  const uint64_t* at = words_of(ring) + Layout::constants;
  return {at, at + layout_of(ring).pairs};
}
TransformTable inverse_table(const RingTables& ring) {
  const Layout layout = layout_of(ring);
  const uint64_t* at = words_of(ring) + Layout::constants + layout.pairs + layout.expanded;
  return {at, at + layout.pairs};
}

uint64_t shoup_quotient(uint64_t w, uint64_t q) { return uint64_t((uint128(w) << 52) / q); }

/// Which root each lane multiplies by, in the order that `forward_in_lanes` shuffles to: index within the level's roots of this pair.
constexpr uint8_t lane_roots[3][lane_count] = {{0, 0, 0, 0, 1, 1, 1, 1}, {0, 0, 2, 2, 1, 1, 3, 3}, {0, 1, 4, 5, 2, 3, 6, 7}};

void fill_table(const RingTables& ring, const uint64_t* roots, uint64_t* pairs, uint64_t* expanded) {
  for (uint32_t i = 0; i < ring.degree / lane_count; i++) {
    pairs[2 * i] = roots[i];
    pairs[2 * i + 1] = shoup_quotient(roots[i], ring.modulus);
  }
  for (uint32_t pair = 0; pair < ring.degree / 16; pair++)
    for (uint32_t level = 0; level < 3; level++, expanded += 2 * lane_count)
      for (uint32_t lane = 0; lane < lane_count; lane++) {
        const uint64_t root = roots[((ring.degree / 16 + pair) << (level + 1)) + lane_roots[level][lane]];
        expanded[lane] = root;
        expanded[lane_count + lane] = shoup_quotient(root, ring.modulus);
      }
}

/// -1 / q mod 2^52 by Newton's iteration: each step doubles the correct bits, from 3 to 96.
uint64_t minus_inverse_52(uint64_t q) {
  uint64_t inverse = q;
  for (int step = 0; step < 5; step++) inverse *= 2 - q * inverse;
  return (0 - inverse) & low52;
}

size_t backend_data_bytes(const RingTables& ring) { return layout_of(ring).total * sizeof(uint64_t); }

void make_backend_data(const RingTables& ring, void* memory) {
  const uint64_t q = ring.modulus;
  const Layout layout = layout_of(ring);
  uint64_t* words = static_cast<uint64_t*>(memory);
  words[Layout::scale] = ring.degree_inverse;
  words[Layout::scale_quotient] = shoup_quotient(ring.degree_inverse, q);
  words[Layout::scaled_root] = multiply_mod(ring.roots_inverse[1], ring.degree_inverse, q);
  words[Layout::scaled_root_quotient] = shoup_quotient(words[Layout::scaled_root], q);
  words[Layout::barrett_fraction] = uint64_t((uint128(1) << 102) / q) & low52;
  words[Layout::minus_q_inverse] = minus_inverse_52(q);
  words[6] = words[7] = 0;
  uint64_t* at = words + Layout::constants;
  fill_table(ring, ring.roots, at, at + layout.pairs);
  at += layout.pairs + layout.expanded;
  fill_table(ring, ring.roots_inverse, at, at + layout.pairs);
}

SOTTO_IFMA void forward(const RingTables& ring, uint64_t* x) {
  const Modulus m = make_modulus(ring.modulus);
  const TransformTable table = forward_table(ring);
  const uint32_t n = ring.degree;
  if (one_level_alone(ring))
    for (uint32_t j = 0; j < n / 2; j += lane_count) {
      Lanes low = load(x + j), high = load(x + n / 2 + j);
      forward_first_one(m, table, low, high);
      store(x + j, low);
      store(x + n / 2 + j, high);
    }
  else
    for (uint32_t j = 0; j < n / 4; j += lane_count) {
      Four v = load_four(x + j, n / 4);
      forward_first_two(m, table, v);
      store_four(x + j, n / 4, v);
    }
  forward_middle(m, table, x, ring);
  for (uint32_t block = 0; block < n / tail_size; block++) {
    Four v = forward_tail(m, table, x + block * tail_size, n, block);
    to_natural_order(v.x0, v.x1);
    to_natural_order(v.x2, v.x3);
    store_four(x + block * tail_size, lane_count, {canonical(m, v.x0), canonical(m, v.x1), canonical(m, v.x2), canonical(m, v.x3)});
  }
}

SOTTO_IFMA void inverse(const RingTables& ring, uint64_t* x) {
  const Modulus m = make_modulus(ring.modulus);
  const TransformTable table = inverse_table(ring);
  const uint32_t n = ring.degree;
  const Factor scale = broadcast_factor(words_of(ring), 0), scaled_root = broadcast_factor(words_of(ring), 1);
  for (uint32_t block = 0; block < n / tail_size; block++) inverse_tail(m, table, x + block * tail_size, n, block);
  inverse_middle(m, table, x, ring);
  if (one_level_alone(ring))
    for (uint32_t j = 0; j < n / 2; j += lane_count) {
      Lanes low = load(x + j), high = load(x + n / 2 + j);
      inverse_last(m, low, high, scale, scaled_root);
      store(x + j, low);
      store(x + n / 2 + j, high);
    }
  else
    for (uint32_t j = 0; j < n / 4; j += lane_count) {
      Four v = load_four(x + j, n / 4);
      inverse_butterfly<false>(m, v.x0, v.x1, broadcast_factor(table.pairs, 2));
      inverse_butterfly<false>(m, v.x2, v.x3, broadcast_factor(table.pairs, 3));
      inverse_last(m, v.x0, v.x2, scale, scaled_root);
      inverse_last(m, v.x1, v.x3, scale, scaled_root);
      store_four(x + j, n / 4, v);
    }
}

SOTTO_IFMA void multiply(const RingTables& ring, uint64_t* out, const uint64_t* x, const uint64_t* y) {
  const Modulus m = make_modulus(ring.modulus);
  const Lanes fraction = broadcast(words_of(ring)[Layout::barrett_fraction]);
  for (uint32_t i = 0; i < ring.degree; i += lane_count) store(out + i, canonical(m, multiply_barrett(m, fraction, zero(), load(x + i), load(y + i))));
}

SOTTO_IFMA void multiply_add(const RingTables& ring, uint64_t* out, const uint64_t* x, const uint64_t* y) {
  const Modulus m = make_modulus(ring.modulus);
  const Lanes fraction = broadcast(words_of(ring)[Layout::barrett_fraction]);
  for (uint32_t i = 0; i < ring.degree; i += lane_count) store(out + i, canonical(m, multiply_barrett(m, fraction, load(out + i), load(x + i), load(y + i))));
}

/// x - y for canonical x, y: the wrapped difference is larger than its sum with q exactly when x < y.
SOTTO_IFMA_INLINE Lanes subtract_lanes(const Modulus& m, Lanes x, Lanes y) {
  const Lanes difference = sub(x, y);
  return _mm512_min_epu64(difference, ifma::add(difference, m.q));
}
SOTTO_IFMA_INLINE Lanes add_lanes(const Modulus& m, Lanes x, Lanes y) { return subtract_once(ifma::add(x, y), m.q); }

SOTTO_IFMA void add(const RingTables& ring, uint64_t* out, const uint64_t* x, const uint64_t* y) {
  const Modulus m = make_modulus(ring.modulus);
  for (uint32_t i = 0; i < ring.degree; i += lane_count) store(out + i, add_lanes(m, load(x + i), load(y + i)));
}

SOTTO_IFMA void subtract(const RingTables& ring, uint64_t* out, const uint64_t* x, const uint64_t* y) {
  const Modulus m = make_modulus(ring.modulus);
  for (uint32_t i = 0; i < ring.degree; i += lane_count) store(out + i, subtract_lanes(m, load(x + i), load(y + i)));
}

/// Prepared form: x 2^52 mod q (Montgomery), each 16 coefficients in register order.
SOTTO_IFMA void prepare_key(const RingTables& ring, uint64_t* x) {
  const Modulus m = make_modulus(ring.modulus);
  const Lanes fraction = broadcast(words_of(ring)[Layout::barrett_fraction]), factor = broadcast((uint64_t(1) << 52) % ring.modulus);
  for (uint32_t i = 0; i < ring.degree; i += 16) {
    Lanes a = canonical(m, multiply_barrett(m, fraction, zero(), load(x + i), factor));
    Lanes b = canonical(m, multiply_barrett(m, fraction, zero(), load(x + i + lane_count), factor));
    to_register_order(a, b);
    store(x + i, a);
    store(x + i + lane_count, b);
  }
}

/// What turns canonical coefficients into digits. v = centred x + rounding + sum_k (B/2) B^k 2^t >= 0 makes every digit a plain bit field of v,
/// raised by B/2: u_j = (v >> shift_j) mod B. The digit modulo q is kept as u_j + (q - B/2), in [q - 2^49, q + 2^49], below 2^51.
struct Digits {
  Lanes offset, half_modulus, bias;
};
SOTTO_IFMA_INLINE Digits make_digits(uint64_t q, Gadget gadget) {
  const uint32_t dropped = 50 - gadget.base_log * gadget.level_count;
  const uint64_t half = uint64_t(1) << (gadget.base_log - 1);
  uint64_t offset = dropped ? uint64_t(1) << (dropped - 1) : 0;
  for (uint32_t k = 0; k < gadget.level_count; k++) offset += half << (dropped + gadget.base_log * k);
  return {broadcast(offset), broadcast(q / 2), broadcast(q - half)};
}
SOTTO_IFMA_INLINE Lanes raised(const Modulus& m, const Digits& digits, Lanes x) {
  const Lanes v = ifma::add(x, digits.offset);
  return _mm512_mask_sub_epi64(v, _mm512_cmpgt_epu64_mask(x, digits.half_modulus), v, m.q);
}
SOTTO_IFMA_INLINE Lanes digit(const Digits& digits, Lanes v, __m128i shift, Lanes mask) {
  return ifma::add(_mm512_and_si512(_mm512_srl_epi64(v, shift), mask), digits.bias);
}

/// Decomposes x and does the first level or levels of every digit's transform; level j goes to scratch + j N.
SOTTO_IFMA_INLINE void decompose_and_begin(const RingTables& ring, const Modulus& m, const TransformTable& table, Gadget gadget, const uint64_t* x, uint64_t* scratch) {
  const uint32_t n = ring.degree, parts = one_level_alone(ring) ? 2 : 4, stride = n / parts;
  const Digits digits = make_digits(ring.modulus, gadget);
  const Lanes field = broadcast((uint64_t(1) << gadget.base_log) - 1), all = broadcast(~uint64_t(0));
  for (uint32_t j = 0; j < stride; j += lane_count) {
    Four v = {raised(m, digits, load(x + j)), raised(m, digits, load(x + j + stride)), zero(), zero()};
    if (parts == 4) v.x2 = raised(m, digits, load(x + j + 2 * stride)), v.x3 = raised(m, digits, load(x + j + 3 * stride));
    for (uint32_t level = 0; level < gadget.level_count; level++) {
      const __m128i shift = _mm_cvtsi32_si128(int(50 - gadget.base_log * (level + 1)));
      const Lanes mask = level ? field : all;  // the top digit may be B/2 itself
      Four d = {digit(digits, v.x0, shift, mask), digit(digits, v.x1, shift, mask), digit(digits, v.x2, shift, mask), digit(digits, v.x3, shift, mask)};
      uint64_t* to = scratch + size_t(level) * n + j;
      if (parts == 4) {
        forward_first_two(m, table, d);
        store_four(to, stride, d);
      } else {
        forward_first_one(m, table, d.x0, d.x1);
        store(to, d.x0);
        store(to + stride, d.x1);
      }
    }
  }
}

/// Sums over the levels of value * key, as low and high halves: low < 50 * 2^52, high < 50 q.
struct Sums {
  Lanes low, high;
};
SOTTO_IFMA_INLINE void accumulate(Sums& sums, Lanes value, Lanes key) {
  sums.low = add_low(sums.low, value, key);
  sums.high = add_high(sums.high, value, key);
}

/// 16 coefficients at `at` of one output: part 0 is a, 1 is b.
SOTTO_IFMA_INLINE void accumulate_pair(const RingTables& ring, const Modulus& m, uint32_t level_count, const uint64_t* values, const uint64_t* key, uint64_t* out_a, uint64_t* out_b) {
  const Lanes inverse = broadcast(words_of(ring)[Layout::minus_q_inverse]);
  Sums a0 = {zero(), zero()}, a1 = a0, b0 = a0, b1 = a0;
  for (uint32_t level = 0; level < level_count; level++, values += ring.degree, key += 2 * size_t(ring.degree)) {
    const Lanes v0 = load(values), v1 = load(values + lane_count);
    accumulate(a0, v0, load(key));
    accumulate(a1, v1, load(key + lane_count));
    accumulate(b0, v0, load(key + ring.degree));
    accumulate(b1, v1, load(key + ring.degree + lane_count));
  }
  Lanes x = reduce_montgomery(m, inverse, a0.low, a0.high), y = reduce_montgomery(m, inverse, a1.low, a1.high);
  to_natural_order(x, y);
  store(out_a, x);
  store(out_a + lane_count, y);
  x = reduce_montgomery(m, inverse, b0.low, b0.high), y = reduce_montgomery(m, inverse, b1.low, b1.high);
  to_natural_order(x, y);
  store(out_b, x);
  store(out_b + lane_count, y);
}

SOTTO_IFMA void gadget_product(const RingTables& ring, Gadget gadget, const uint64_t* x, const uint64_t* key, uint64_t* out_a, uint64_t* out_b, uint64_t* scratch) {
  const Modulus m = make_modulus(ring.modulus);
  const TransformTable table = forward_table(ring);
  const uint32_t n = ring.degree;
  decompose_and_begin(ring, m, table, gadget, x, scratch);
  for (uint32_t level = 0; level < gadget.level_count; level++) forward_middle(m, table, scratch + size_t(level) * n, ring);
  for (uint32_t block = 0; block < n / tail_size; block++) {
    const uint32_t at = block * tail_size;
    for (uint32_t level = 0; level < gadget.level_count; level++) {
      uint64_t* values = scratch + size_t(level) * n + at;
      store_four(values, lane_count, forward_tail(m, table, values, n, block));
    }
    accumulate_pair(ring, m, gadget.level_count, scratch + at, key + at, out_a + at, out_b + at);
    accumulate_pair(ring, m, gadget.level_count, scratch + at + 16, key + at + 16, out_a + at + 16, out_b + at + 16);
  }
}

/// One pass in the order of `difference`: an automorphism X -> X^g maps aligned runs of 16 transformed values (exponents that agree modulo 2 N / 16)
/// onto such runs, so each run of 16 sources is read once and rearranged in registers by the low four bits of `permutation`.
SOTTO_IFMA void merge(const RingTables& ring, const uint64_t* x0, const uint64_t* x1, const uint64_t* monomial, const uint32_t* permutation, uint64_t* sum, uint64_t* difference) {
  const Modulus m = make_modulus(ring.modulus);
  const Lanes inverse = broadcast(words_of(ring)[Layout::minus_q_inverse]);
  for (uint32_t i = 0; i < ring.degree; i += 16) {
    const uint32_t from = permutation[i] & ~15u;
    const Lanes a = load(x0 + from), b = load(x0 + from + lane_count);
    Lanes y0 = zero(), y1 = zero();
    if (x1) {
      Lanes w0 = load(monomial + from), w1 = load(monomial + from + lane_count);
      to_natural_order(w0, w1);
      const Lanes v0 = load(x1 + from), v1 = load(x1 + from + lane_count);
      y0 = reduce_montgomery(m, inverse, add_low(zero(), v0, w0), add_high(zero(), v0, w0));
      y1 = reduce_montgomery(m, inverse, add_low(zero(), v1, w1), add_high(zero(), v1, w1));
    }
    const Lanes d0 = subtract_lanes(m, a, y0), d1 = subtract_lanes(m, b, y1);
    store(sum + from, add_lanes(m, a, y0));
    store(sum + from + lane_count, add_lanes(m, b, y1));
    const __m256i* index = reinterpret_cast<const __m256i*>(permutation + i);
    store(difference + i, _mm512_permutex2var_epi64(d0, _mm512_cvtepu32_epi64(_mm256_loadu_si256(index)), d1));
    store(difference + i + lane_count, _mm512_permutex2var_epi64(d0, _mm512_cvtepu32_epi64(_mm256_loadu_si256(index + 1)), d1));
  }
}

}  // namespace

const PolyKernels& avx512ifma_kernels() {
  static const PolyKernels kernels = {"avx512ifma", backend_data_bytes, make_backend_data, forward, inverse, multiply, multiply_add, add, subtract, prepare_key, gadget_product, merge};
  return kernels;
}

}  // namespace sotto

#endif
