// The AVX-512 back end: 52-bit integer multiply-add (IFMA) on eight lanes. Needs 2^50 - 2^44 < q < 2^50.
//
// Floor of one forward transform, N = 2048, on Zen 4 (a 512-bit operation takes a 256-bit port for two cycles; of the four ports, two multiply and
// compare, two shuffle and shift): 1408 butterflies of eight lanes, each 3 IFMA, 3 additions and 2 or 3 operations that narrow x, are 8 to 9 operations at
// two a cycle, 4 to 4.5 cycles, about 6000; with 1024 shuffles, partly beside the rest, and 128 * 10 operations that make the last level canonical
// about 7200 cycles, 1.9 us at 3.7 GHz. Three-operand operations also borrow a register port of the adders, so that about 5 cycles a butterfly are seen:
// 2.4 us. Memory is not the limit: four passes of 256 loads and 256 stores (one and two cycles each); 52 kB of twiddles come once from the second level.
// Gadget product, L levels: L transforms without the last step, 4 L IFMA and two Montgomery reductions of 11 operations for each eight
// coefficients, and 2 L N words of key from the second-level cache at 32 bytes a cycle.
#if defined(__x86_64__)

#include "backend/cpu/ifma_block.hpp"
#include "core/modular.hpp"

namespace sotto {
namespace {

using namespace ifma;

__extension__ typedef unsigned __int128 uint128;

/// Layout of backend_data, in words: constants, then forward pairs and expanded twiddles, then the inverse ones, then the Shoup quotients of the powers of psi.
struct Layout {
  static constexpr size_t scale = 0, scale_quotient = 1, scaled_root = 2, scaled_root_quotient = 3, barrett_fraction = 4, minus_q_inverse = 5, constants = 8;
  size_t pairs, expanded, power_quotients, total;
};
Layout layout_of(const RingTables& ring) {
  const size_t pairs = 2 * ring.degree / lane_count, expanded = size_t(ring.degree / 16) * pair_words;
  const size_t tables = Layout::constants + 2 * (pairs + expanded);
  return {pairs, expanded, tables, tables + 2 * ring.degree};
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
  for (uint32_t e = 0; e < 2 * ring.degree; e++) words[layout.power_quotients + e] = shoup_quotient(ring.powers[e], q);
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
  for (uint32_t block = 0; block < n / tail_size; block += 2) {
    Lanes v[tail_vectors];
    forward_tail<true>(m, table, x + block * tail_size, n, block, v);
    for (uint32_t i = 0; i < tail_vectors; i += 2) to_natural_order(v[i], v[i + 1]);
    for (uint32_t i = 0; i < tail_vectors; i++) store(x + block * tail_size + i * lane_count, v[i]);
  }
}

SOTTO_IFMA void inverse(const RingTables& ring, uint64_t* x) {
  const Modulus m = make_modulus(ring.modulus);
  const TransformTable table = inverse_table(ring);
  const uint32_t n = ring.degree;
  const Factor scale = broadcast_factor(words_of(ring), 0), scaled_root = broadcast_factor(words_of(ring), 1);
  for (uint32_t block = 0; block < n / tail_size; block += 2) inverse_tail(m, table, x + block * tail_size, n, block);
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

SOTTO_IFMA void add(const RingTables& ring, uint64_t* out, const uint64_t* x, const uint64_t* y) {
  const Modulus m = make_modulus(ring.modulus);
  for (uint32_t i = 0; i < ring.degree; i += lane_count) store(out + i, add_canonical(m, load(x + i), load(y + i)));
}

SOTTO_IFMA void subtract(const RingTables& ring, uint64_t* out, const uint64_t* x, const uint64_t* y) {
  const Modulus m = make_modulus(ring.modulus);
  for (uint32_t i = 0; i < ring.degree; i += lane_count) store(out + i, subtract_canonical(m, load(x + i), load(y + i)));
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

SOTTO_IFMA void gadget_product(const RingTables& ring, Gadget gadget, const uint64_t* x, const uint64_t* key, uint64_t* out_a, uint64_t* out_b, uint64_t* scratch) {
  const Modulus m = make_modulus(ring.modulus);
  const TransformTable table = forward_table(ring);
  const size_t n = ring.degree;
  const Digits digits = make_digits(ring.modulus, gadget);
  const Lanes minus_q_inverse = broadcast(words_of(ring)[Layout::minus_q_inverse]);
  uint64_t* v = scratch + gadget.level_count * n;
  for (uint32_t i = 0; i < n; i += lane_count) store(v + i, raised(m, digits, load(x + i)));
  for (uint32_t level = 0; level < gadget.level_count; level++) {
    begin_level(ring, m, table, digits, gadget, level, v, scratch + level * n);
    forward_middle(m, table, scratch + level * n, ring);
  }
  alignas(64) uint64_t values[level_count_max][2 * tail_size];
  for (uint32_t block = 0; block < n / tail_size; block += 2) {
    const size_t at = block * tail_size;
    for (uint32_t level = 0; level < gadget.level_count; level++) {
      Lanes part[tail_vectors];
      forward_tail<false>(m, table, scratch + level * n + at, ring.degree, block, part);
      for (uint32_t i = 0; i < tail_vectors; i++) store(values[level] + i * lane_count, part[i]);
    }
    for (size_t i = 0; i < 2 * tail_size; i += 2 * lane_count)
      accumulate_pair(m, minus_q_inverse, n, gadget.level_count, values[0] + i, key + at + i, out_a + at + i, out_b + at + i);
  }
}

/// Form for block_product: register order, loose.
SOTTO_IFMA void transform_digits(const RingTables& ring, Gadget gadget, const uint64_t* x, uint64_t* out, uint64_t* scratch) {
  const Modulus m = make_modulus(ring.modulus);
  const TransformTable table = forward_table(ring);
  const size_t n = ring.degree;
  const Digits digits = make_digits(ring.modulus, gadget);
  for (uint32_t i = 0; i < n; i += lane_count) store(scratch + i, raised(m, digits, load(x + i)));
  for (uint32_t level = 0; level < gadget.level_count; level++, out += n) {
    begin_level(ring, m, table, digits, gadget, level, scratch, out);
    forward_middle(m, table, out, ring);
    for (uint32_t block = 0; block < n / tail_size; block += 2) {
      Lanes part[tail_vectors];
      forward_tail<false>(m, table, out + block * tail_size, ring.degree, block, part);
      for (uint32_t i = 0; i < tail_vectors; i++) store(out + block * tail_size + i * lane_count, part[i]);
    }
  }
}

/// Prepared form of block_product: x 2^104 mod q, since its products are reduced twice; register order.
SOTTO_IFMA void prepare_block_key(const RingTables& ring, uint64_t* x) {
  const Modulus m = make_modulus(ring.modulus);
  const Lanes fraction = broadcast(words_of(ring)[Layout::barrett_fraction]), factor = broadcast((uint64_t(1) << 52) % ring.modulus);
  for (uint32_t i = 0; i < ring.degree; i += lane_count) store(x + i, canonical(m, multiply_barrett(m, fraction, zero(), load(x + i), factor)));
  prepare_key(ring, x);
}

SOTTO_IFMA void block_product(const RingTables& ring, uint32_t block, uint32_t row_count, const uint32_t* exponents, const uint64_t* digits, const uint64_t* key, uint64_t* out_a,
                              uint64_t* out_b, uint64_t*) {
  const Modulus m = make_modulus(ring.modulus);
  const Lanes minus_q_inverse = broadcast(words_of(ring)[Layout::minus_q_inverse]);
  Monomial monomials[block_max];
  for (uint32_t i = 0; i < block; i++) monomials[i] = make_monomial(ring, words_of(ring) + layout_of(ring).power_quotients, exponents[i]);
  for (uint32_t at = 0; at < ring.degree; at += 2 * lane_count) {
    if (row_count == 2) block_pair<2>(ring, m, minus_q_inverse, block, monomials, at, digits, key, out_a, out_b);
    else if (row_count == 4) block_pair<4>(ring, m, minus_q_inverse, block, monomials, at, digits, key, out_a, out_b);
    else block_pair<6>(ring, m, minus_q_inverse, block, monomials, at, digits, key, out_a, out_b);
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
    Lanes w0 = load(monomial + from), w1 = load(monomial + from + lane_count);
    to_natural_order(w0, w1);
    const Lanes v0 = load(x1 + from), v1 = load(x1 + from + lane_count);
    const Lanes y0 = reduce_montgomery(m, inverse, add_low(zero(), v0, w0), add_high(zero(), v0, w0));
    const Lanes y1 = reduce_montgomery(m, inverse, add_low(zero(), v1, w1), add_high(zero(), v1, w1));
    const Lanes d0 = subtract_canonical(m, a, y0), d1 = subtract_canonical(m, b, y1);
    store(sum + from, add_canonical(m, a, y0));
    store(sum + from + lane_count, add_canonical(m, b, y1));
    const __m256i* index = reinterpret_cast<const __m256i*>(permutation + i);
    store(difference + i, _mm512_permutex2var_epi64(d0, _mm512_cvtepu32_epi64(_mm256_loadu_si256(index)), d1));
    store(difference + i + lane_count, _mm512_permutex2var_epi64(d0, _mm512_cvtepu32_epi64(_mm256_loadu_si256(index + 1)), d1));
  }
}

}  // namespace

const PolyKernels& avx512ifma_kernels() {
  static const PolyKernels kernels = {"avx512ifma", backend_data_bytes, make_backend_data, forward, inverse, multiply, multiply_add, add, subtract, prepare_key, gadget_product,
                                      transform_digits, prepare_block_key, block_product, merge};
  return kernels;
}

}  // namespace sotto

#endif
