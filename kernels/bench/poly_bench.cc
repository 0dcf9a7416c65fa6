// Checks every back end against the reference, and the reference against the defining sums, on random and extreme inputs; then times it.
// Prints `name value unit` lines. Pin it to one core: taskset -c 1 poly_bench [--check-only]
#include <stdio.h>
#include <string.h>

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <vector>

#include "core/buffer.hpp"
#include "core/modular.hpp"
#include "poly/ring.hpp"

namespace {

using namespace sotto;

constexpr uint64_t q = 1125899906826241, psi_2048 = 765727830662934;
constexpr Gadget gadgets[] = {{12, 4}, {8, 6}, {23, 1}, {16, 2}, {16, 3}, {25, 2}, {50, 1}, {5, 10}, {1, 50}};

int failures = 0;

uint64_t random_word() {
  static uint64_t state = 0x9E3779B97F4A7C15;
  state += 0x9E3779B97F4A7C15;
  uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

using Poly = Buffer<uint64_t>;

/// A primitive 2N-th root: the pinned one for N = 2048, its square for 1024, one whose square it is for 4096.
uint64_t root_of(uint32_t log_degree) {
  if (log_degree == 11) return psi_2048;
  if (log_degree == 10) return multiply_mod(psi_2048, psi_2048, q);
  for (uint64_t base = 2;; base++) {
    const uint64_t root = power_mod(base, (q - 1) / 8192, q);
    if (power_mod(root, 4096, q) == q - 1) return root;
  }
}

enum Pattern { random_values, zeros, largest, all_equal, alternating, middle, digit_edges, one_hot, pattern_count };

void fill(Poly& x, uint32_t n, int pattern) {
  for (uint32_t i = 0; i < n; i++) {
    const uint64_t edge = (uint64_t(1) << (i % 50)) * ((i / 50) % 2 ? 1 : q - 1) % q;
    switch (pattern) {
      case random_values: x[i] = random_word() % q; break;
      case zeros: x[i] = 0; break;
      case largest: x[i] = q - 1; break;
      case all_equal: x[i] = 0x123456789ABCD % q; break;
      case alternating: x[i] = i % 2 ? q - 1 : 0; break;
      case middle: x[i] = q / 2 + i % 3 - 1; break;
      case digit_edges: x[i] = i % 7 ? add_mod(edge, q / 2, q) : edge; break;
      default: x[i] = i == n - 1 ? q - 1 : 0;
    }
  }
}

void expect_equal(const char* what, const char* backend, uint32_t n, int pattern, const Poly& got, const Poly& wanted) {
  if (!memcmp(got.data(), wanted.data(), n * sizeof(uint64_t))) return;
  uint32_t i = 0;
  while (got[i] == wanted[i]) i++;
  printf("FAILED %s of %s, N = %u, pattern %d: index %u is %llu, not %llu\n", what, backend, n, pattern, i, (unsigned long long)got[i], (unsigned long long)wanted[i]);
  failures++;
}

Poly copy_of(const Poly& x, uint32_t n) {
  Poly y(n);
  memcpy(y.data(), x.data(), n * sizeof(uint64_t));
  return y;
}

/// out[i] = sum_j x[j] psi^((2 bit_reverse(i) + 1) j), as it is defined.
void check_definition(const Ring& ring, uint64_t psi, int pattern) {
  const uint32_t n = ring.degree();
  Poly x(n), wanted(n);
  fill(x, n, pattern);
  for (uint32_t i = 0; i < n; i++) {
    const uint64_t point = power_mod(psi, 2 * uint64_t(bit_reverse(i, ring.log_degree())) + 1, q);
    uint64_t sum = 0;
    for (uint32_t j = n; j-- > 0;) sum = add_mod(multiply_mod(sum, point, q), x[j], q);
    wanted[i] = sum;
  }
  ring.forward(x.data());
  expect_equal("definition", "ref", n, pattern, x, wanted);
}

void check_transforms(const Ring& ref, const Ring& ring, int pattern) {
  const uint32_t n = ring.degree();
  const char* name = ring.kernels().name;
  Poly x(n);
  fill(x, n, pattern);
  Poly got = copy_of(x, n), wanted = copy_of(x, n);
  ref.forward(wanted.data());
  ring.forward(got.data());
  expect_equal("forward", name, n, pattern, got, wanted);
  ring.inverse(got.data());
  expect_equal("inverse of forward", name, n, pattern, got, x);
  ref.inverse(x.data());
  ring.inverse(got.data());  // got is the pattern again
  expect_equal("inverse", name, n, pattern, got, x);
}

void check_pointwise(const Ring& ref, const Ring& ring, int pattern, int other) {
  const uint32_t n = ring.degree();
  const char* name = ring.kernels().name;
  Poly x(n), y(n), got(n), wanted(n);
  fill(x, n, pattern);
  fill(y, n, other);
  ref.multiply(wanted.data(), x.data(), y.data());
  ring.multiply(got.data(), x.data(), y.data());
  expect_equal("multiply", name, n, pattern, got, wanted);
  got = copy_of(y, n);
  ring.multiply(got.data(), x.data(), got.data());
  expect_equal("multiply in place", name, n, pattern, got, wanted);
  fill(got, n, other);
  fill(wanted, n, other);
  if (other == random_values) wanted = copy_of(got, n);
  ref.multiply_add(wanted.data(), x.data(), y.data());
  ring.multiply_add(got.data(), x.data(), y.data());
  expect_equal("multiply_add", name, n, pattern, got, wanted);
  ref.add(wanted.data(), x.data(), y.data());
  ring.add(got.data(), x.data(), y.data());
  expect_equal("add", name, n, pattern, got, wanted);
  ref.subtract(wanted.data(), x.data(), y.data());
  got = copy_of(x, n);
  ring.subtract(got.data(), got.data(), y.data());
  expect_equal("subtract", name, n, pattern, got, wanted);
}

/// A key of 2 level_count polynomials in the prepared form of `ring`, from the same words for every ring.
Poly prepared(const Ring& ring, const Poly& words, uint32_t polynomials) {
  const uint32_t n = ring.degree();
  Poly key = copy_of(words, n * polynomials);
  for (uint32_t i = 0; i < polynomials; i++) ring.kernels().prepare_key(ring.tables(), key.data() + size_t(i) * n);
  return key;
}

void check_gadget(const Ring& ref, const Ring& ring, Gadget gadget, int pattern, int key_pattern) {
  const uint32_t n = ring.degree(), polynomials = 2 * gadget.level_count;
  Poly x(n), words(size_t(polynomials) * n), scratch(size_t(gadget.level_count + 1) * n), a(n), b(n), wanted_a(n), wanted_b(n);
  fill(x, n, pattern);
  fill(words, polynomials * n, key_pattern);
  const Poly ref_key = prepared(ref, words, polynomials), key = prepared(ring, words, polynomials);
  ref.kernels().gadget_product(ref.tables(), gadget, x.data(), ref_key.data(), wanted_a.data(), wanted_b.data(), scratch.data());
  ring.kernels().gadget_product(ring.tables(), gadget, x.data(), key.data(), a.data(), b.data(), scratch.data());
  expect_equal("gadget_product a", ring.kernels().name, n, pattern, a, wanted_a);
  expect_equal("gadget_product b", ring.kernels().name, n, pattern, b, wanted_b);
}

void check_merge(const Ring& ref, const Ring& ring, uint32_t level, int pattern) {
  const uint32_t n = ring.degree();
  const char* name = ring.kernels().name;
  Poly x0(n), x1(n), sum(n), difference(n), wanted_sum(n), wanted_difference(n);
  fill(x0, n, pattern);
  fill(x1, n, (pattern + 1) % pattern_count);
  ref.kernels().merge(ref.tables(), x0.data(), x1.data(), ref.monomial(level), ref.permutation(level), wanted_sum.data(), wanted_difference.data());
  ring.kernels().merge(ring.tables(), x0.data(), x1.data(), ring.monomial(level), ring.permutation(level), sum.data(), difference.data());
  expect_equal("merge sum", name, n, pattern, sum, wanted_sum);
  expect_equal("merge difference", name, n, pattern, difference, wanted_difference);
  ring.kernels().merge(ring.tables(), x0.data(), x1.data(), ring.monomial(level), ring.permutation(level), x0.data(), difference.data());
  expect_equal("merge sum in place", name, n, pattern, x0, wanted_sum);
  expect_equal("merge difference beside a sum in place", name, n, pattern, difference, wanted_difference);
}

void check(const PolyKernels& kernels, uint32_t log_degree) {
  Ring ref, ring;
  if (!ref.create(ref_kernels(), log_degree, q, root_of(log_degree)) || !ring.create(kernels, log_degree, q, root_of(log_degree))) {
    failures++;
    return;
  }
  for (int round = 0; round < 20; round++) check_transforms(ref, ring, random_values);
  for (int pattern = 0; pattern < pattern_count; pattern++) {
    check_transforms(ref, ring, pattern);
    for (int other = 0; other < pattern_count; other++) check_pointwise(ref, ring, pattern, other);
    for (const Gadget gadget : gadgets) {
      if (gadget.level_count > 10 && pattern > largest) continue;
      check_gadget(ref, ring, gadget, pattern, random_values);
      check_gadget(ref, ring, gadget, pattern, largest);
    }
    for (uint32_t level = 1; level <= log_degree; level++) {
      check_merge(ref, ring, level, pattern);
    }
  }
}

template <class Call>
void time(const char* backend, const char* kernel, Call call) {
  using Clock = std::chrono::steady_clock;
  constexpr int batch = 8, rounds = 1500;
  std::vector<double> microseconds;
  for (int round = 0; round < rounds; round++) {
    const auto start = Clock::now();
    for (int i = 0; i < batch; i++) call();
    microseconds.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count() / batch);
  }
  std::sort(microseconds.begin(), microseconds.end());
  printf("%s.%s %.3f us\n%s.%s.best %.3f us\n", backend, kernel, microseconds[rounds / 2], backend, kernel, microseconds[0]);
}

void bench(const PolyKernels& kernels) {
  Ring ring;
  if (!ring.create(kernels, 11, q, psi_2048)) return;
  const uint32_t n = ring.degree();
  const RingTables& tables = ring.tables();
  constexpr Gadget gadget = {12, 4};
  Poly x(n), y(n), out(n), other(n), words(8 * n), scratch(5 * n);
  fill(x, n, random_values);
  fill(y, n, random_values);
  fill(out, n, random_values);
  fill(words, 8 * n, random_values);
  const Poly key = prepared(ring, words, 8);
  time(kernels.name, "forward", [&] { ring.forward(x.data()); });
  time(kernels.name, "inverse", [&] { ring.inverse(x.data()); });
  time(kernels.name, "multiply", [&] { ring.multiply(out.data(), x.data(), y.data()); });
  time(kernels.name, "multiply_add", [&] { ring.multiply_add(out.data(), x.data(), y.data()); });
  time(kernels.name, "add", [&] { ring.add(out.data(), x.data(), y.data()); });
  time(kernels.name, "subtract", [&] { ring.subtract(out.data(), x.data(), y.data()); });
  time(kernels.name, "gadget_product_4", [&] { kernels.gadget_product(tables, gadget, x.data(), key.data(), out.data(), other.data(), scratch.data()); });
  time(kernels.name, "merge", [&] { kernels.merge(tables, x.data(), y.data(), ring.monomial(1), ring.permutation(1), out.data(), other.data()); });
}

}  // namespace

int main(int argc, char** argv) {
  const bool check_only = argc > 1 && !strcmp(argv[1], "--check-only");
  for (const uint32_t log_degree : {10u, 11u, 12u}) {
    Ring ref;
    if (!ref.create(ref_kernels(), log_degree, q, root_of(log_degree))) return 1;
    for (const int pattern : {random_values, largest, all_equal}) check_definition(ref, root_of(log_degree), pattern);
  }
  for (const char* name : {"ref", "portable", "avx2", "avx512ifma"}) {
    const PolyKernels* kernels = select_kernels(name);
    if (!kernels) {
      printf("%s skipped: this processor cannot run it\n", name);
      continue;
    }
    for (const uint32_t log_degree : {10u, 11u, 12u}) check(*kernels, log_degree);
    printf("%s.failures %d\n", name, failures);
    if (!check_only && strcmp(name, "ref")) bench(*kernels);
    fflush(stdout);
  }
  return failures ? 1 : 0;
}
