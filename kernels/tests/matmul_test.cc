// The matrix product modulo 2^32: every back end against the reference at awkward sizes and extreme values, and the reference against known answers.
#include "poly/matmul.hpp"

#include <algorithm>

#include "core/buffer.hpp"
#include "harness.hpp"
#include "poly/poly_kernels.hpp"
#include "support.hpp"

using namespace support;
using sotto::MatmulKernels;
using sotto::matmul_column_tile;
using sotto::matmul_row_tile;

namespace {

constexpr uint32_t untouched = 0xdeadbeef;

struct Shape {
  size_t m, k, n;
};

/// A and B with rows a little longer than they need be, and what fills them.
struct Factors {
  Shape shape;
  size_t left_stride, right_stride;
  std::vector<int8_t> a;
  std::vector<uint32_t> b;

  template <class Left, class Right>
  Factors(Shape s, Left left_value, Right right_value) : shape(s), left_stride(s.k + 3), right_stride(s.n + 5), a(s.m * left_stride + 1), b(s.k * right_stride + 1) {
    for (auto& value : a) value = int8_t(left_value());
    for (auto& value : b) value = uint32_t(right_value());
  }
  static Factors random(Shape shape, uint64_t seed) {
    Random random{seed};
    return Factors(shape, [&] { return random.next(); }, [&] { return random.next(); });
  }
};

/// Both factors prepared: whole, or a tile of rows and of columns at a time.
struct Prepared {
  sotto::Buffer<uint8_t> left, right;

  Prepared(const MatmulKernels& kernels, const Factors& factors, bool in_parts)
      : left(kernels.left_bytes(factors.shape.m, factors.shape.k)), right(kernels.right_bytes(factors.shape.k, factors.shape.n)) {
    const auto [m, k, n] = factors.shape;
    const size_t row_step = in_parts ? matmul_row_tile : m + 1, column_step = in_parts ? matmul_column_tile : n + 1;
    memset(left.data(), 0xab, left.size());
    memset(right.data(), 0xab, right.size());
    for (size_t row = 0; row < m; row += row_step)
      kernels.prepare_left(factors.a.data() + row * factors.left_stride, factors.left_stride, std::min(row_step, m - row), k, left.data() + kernels.left_bytes(row, k));
    for (size_t column = 0; column < n; column += column_step)
      kernels.prepare_right(factors.b.data() + column, factors.right_stride, k, std::min(column_step, n - column), right.data() + kernels.right_bytes(k, column));
  }
};

/// C with four words of padding a row, which stay untouched.
std::vector<uint32_t> product(const MatmulKernels& kernels, const Factors& factors, size_t row_step = SIZE_MAX / 2, size_t column_step = SIZE_MAX / 2) {
  const auto [m, k, n] = factors.shape;
  const Prepared prepared(kernels, factors, row_step < m || column_step < n);
  const size_t stride = n + 4;
  std::vector<uint32_t> c(m * stride + 1, untouched);
  for (size_t row = 0; row < m; row += row_step)
    for (size_t column = 0; column < n; column += column_step)
      kernels.multiply({prepared.left.data(), prepared.right.data(), k, row, std::min(row_step, m - row), column, std::min(column_step, n - column), c.data(), stride});
  for (size_t i = 0; i < m; i++)
    for (size_t j = n; j < stride; j++) CHECK(c[i * stride + j] == untouched);
  return c;
}

/// The back ends other than the reference that run here; says which do not.
const std::vector<const MatmulKernels*>& fast_kernels() {
  static const std::vector<const MatmulKernels*> all = [] {
    std::vector<const MatmulKernels*> found;
    for (const char* name : {"portable", "avx2", "avx512ifma"}) {
      if (const MatmulKernels* kernels = sotto::select_matmul_kernels(name)) found.push_back(kernels);
      else printf("matrix products of %s are not tested: this processor cannot run it\n", name);
    }
    return found;
  }();
  return all;
}

void same_on_all(const Factors& factors) {
  const auto expected = product(sotto::ref_matmul_kernels(), factors);
  for (const MatmulKernels* kernels : fast_kernels())
    if (product(*kernels, factors) != expected)
      harness::report_failure(__FILE__, __LINE__, std::string(kernels->name) + " differs at " + std::to_string(factors.shape.m) + " x " + std::to_string(factors.shape.k) + " x " + std::to_string(factors.shape.n));
}

}  // namespace

TEST("the reference matrix product gives known answers, modulo 2^32") {
  const int8_t a[] = {1, -2, 3, -128, 127, 0};
  const uint32_t b[] = {1, 0xffffffff, 0x80000000, 2, 10, 1, 0xffffffff, 0x01020304, 2};
  Factors factors({2, 3, 3}, [] { return 99; }, [] { return 99; });
  for (size_t i = 0; i < 2; i++) memcpy(factors.a.data() + i * factors.left_stride, a + 3 * i, 3);
  for (size_t i = 0; i < 3; i++) memcpy(factors.b.data() + i * factors.right_stride, b + 3 * i, 3 * sizeof(uint32_t));
  const uint32_t expected[] = {0xfffffffa, 0x030608f7, 0x80000004, 126, 1398, 127};
  const auto c = product(sotto::ref_matmul_kernels(), factors);
  for (size_t i = 0; i < 2; i++)
    for (size_t j = 0; j < 3; j++) CHECK(c[i * 7 + j] == expected[i * 3 + j]);
}

TEST("a matrix product of pinned random factors has a pinned fingerprint on every back end") {
  const Factors factors = Factors::random({19, 1037, 53}, 2026);
  const uint64_t pinned = 0x39680ac1bc8c4f6b;  // FNV-1a of C and its padding, from big integers in another language
  const auto expected = product(sotto::ref_matmul_kernels(), factors);
  CHECK(fingerprint(expected.data(), expected.size() * sizeof(uint32_t)) == pinned);
  same_on_all(factors);
}

TEST("matrix products are the same on every back end at every small size") {
  for (size_t m = 1; m <= 14; m++)
    for (size_t n : {1, 2, 7, 8, 9, 15, 16, 17, 24, 25, 33})
      for (size_t k : {1, 2, 3, 4, 5, 8, 13}) same_on_all(Factors::random({m, k, n}, m * 10000 + n * 100 + k));
}

TEST("matrix products are the same on every back end where depth crosses slices") {
  for (size_t k : {127, 255, 256, 257, 258, 511, 513, 1025, 2049}) same_on_all(Factors::random({13, k, 37}, k));
  same_on_all(Factors::random({50, 16384, 35}, 1));
}

TEST("matrix products of extreme values are the same on every back end") {
  const int32_t left_extremes[] = {-128, 127, -1, 0};
  const uint32_t right_extremes[] = {0xffffffff, 0, 0x80000000, 0x7fffffff, 0x00ff00ff, 0xff00ff00, 0x80808080, 0x00008000, 0x00007fff, 0xffff8000};
  for (int32_t left : left_extremes)
    for (uint32_t right : right_extremes) same_on_all(Factors({7, 2051, 17}, [=] { return left; }, [=] { return right; }));
  Random random{7};
  same_on_all(Factors({33, 4099, 49}, [&] { return left_extremes[random.below(4)]; }, [&] { return right_extremes[random.below(10)]; }));
}

TEST("a matrix product prepared and computed in parts equals the whole") {
  const Factors factors = Factors::random({41, 300, 115}, 3);
  const auto expected = product(sotto::ref_matmul_kernels(), factors);
  CHECK(product(sotto::ref_matmul_kernels(), factors, matmul_row_tile, matmul_column_tile) == expected);
  for (const MatmulKernels* kernels : fast_kernels()) {
    CHECK(product(*kernels, factors, 2 * matmul_row_tile, matmul_column_tile) == expected);
    CHECK(product(*kernels, factors, matmul_row_tile, 3 * matmul_column_tile) == expected);
  }
}

TEST("one part of a matrix product writes nothing outside it") {
  const Factors factors = Factors::random({20, 40, 60}, 4);
  const auto whole = product(sotto::ref_matmul_kernels(), factors);
  for (const MatmulKernels* kernels : fast_kernels()) {
    const Prepared prepared(*kernels, factors, false);
    std::vector<uint32_t> c(whole.size(), untouched);
    kernels->multiply({prepared.left.data(), prepared.right.data(), 40, 6, 7, 16, 21, c.data(), 64});
    for (size_t i = 0; i < 20; i++)
      for (size_t j = 0; j < 64; j++) CHECK(c[i * 64 + j] == (i >= 6 && i < 13 && j >= 16 && j < 37 ? whole[i * 64 + j] : untouched));
  }
}

TEST("a matrix product of depth 0 is zero, and one without rows or columns writes nothing") {
  std::vector<const MatmulKernels*> all = fast_kernels();
  all.push_back(&sotto::ref_matmul_kernels());
  for (const MatmulKernels* kernels : all) {
    const auto zero = product(*kernels, Factors::random({7, 0, 17}, 5));
    for (size_t i = 0; i < 7; i++)
      for (size_t j = 0; j < 17; j++) CHECK(zero[i * 21 + j] == 0);
    CHECK(product(*kernels, Factors::random({0, 9, 17}, 6)) == std::vector<uint32_t>(1, untouched));
    product(*kernels, Factors::random({7, 9, 0}, 7));
  }
}

TEST("the matrix product of a back end is chosen by the ring's name for it") {
  CHECK(sotto::select_matmul_kernels("ref") == &sotto::ref_matmul_kernels());
  CHECK(sotto::select_matmul_kernels("portable") == &sotto::portable_matmul_kernels());
  CHECK(sotto::select_matmul_kernels("no such back end") == nullptr);
  CHECK(sotto::select_matmul_kernels(nullptr) == sotto::select_matmul_kernels(sotto::select_kernels(nullptr)->name));
  for (const char* name : {"avx2", "avx512ifma"}) CHECK((sotto::select_matmul_kernels(name) != nullptr) == (sotto::select_kernels(name) != nullptr));
}
