// Float products, attention, cross-entropy and gated units: every back end against plain loops at awkward sizes, and what is refused.
#include <math.h>

#include <algorithm>
#include <cmath>

#include "harness.hpp"
#include "support.hpp"

using namespace support;

namespace {

using Floats = std::vector<float>;

Floats random_floats(size_t count, uint64_t seed) {
  Random random{seed};
  Floats values(count);
  for (auto& value : values) value = float(random.below(2000)) / 1000 - 1;
  return values;
}

bool close(const Floats& x, const Floats& y, float tolerance) {
  for (size_t i = 0; i < x.size(); i++)
    if (!(fabsf(x[i] - y[i]) <= tolerance)) return false;
  return x.size() == y.size();
}

/// op(A) op(B) with rows as long as they are.
Floats plain_product(const sotto_gemm_shape& s, const Floats& a, const Floats& b) {
  Floats c(size_t(s.rows) * s.columns);
  for (size_t i = 0; i < s.rows; i++)
    for (size_t j = 0; j < s.columns; j++) {
      double sum = 0;
      for (size_t k = 0; k < s.depth; k++)
        sum += double(s.transposed & 1 ? a[k * s.a_stride + i] : a[i * s.a_stride + k]) * (s.transposed & 2 ? b[j * s.b_stride + k] : b[k * s.b_stride + j]);
      c[i * s.columns + j] = float(s.alpha * sum);
    }
  return c;
}

struct Attention {
  sotto_attention_shape shape = {2, 4, 2, 5, 0.4f, 0};
  std::vector<uint32_t> queries = {0, 3, 136}, keys = {0, 9, 150};
  Floats query = random_floats(136 * 20, 1), key = random_floats(150 * 10, 2), value = random_floats(150 * 10, 3);
  Floats out = Floats(136 * 20), log_sums = Floats(136 * 4), d_out = random_floats(136 * 20, 4);
  Floats d_query = Floats(136 * 20), d_key = Floats(150 * 10), d_value = Floats(150 * 10);

  int32_t run(sotto_context* context) {
    return sotto_float_attention(context, &shape, queries.data(), keys.data(), query.data(), query.size(), key.data(), value.data(), key.size(), out.data(), log_sums.data(), log_sums.size());
  }
  int32_t run_gradient(sotto_context* context) {
    return sotto_float_attention_gradient(context, &shape, queries.data(), keys.data(), query.data(), query.size(), key.data(), value.data(), key.size(), out.data(), log_sums.data(), log_sums.size(), d_out.data(), d_query.data(), d_key.data(), d_value.data());
  }
};

}  // namespace

TEST("float products equal plain ones for all transpositions and rows longer than they need be") {
  for (Machine* machine : machines())
    for (uint32_t transposed = 0; transposed < 4; transposed++)
      for (uint32_t size : {1u, 7u, 33u, 130u, 260u}) {
        const uint32_t m = size, n = 2 * size + 1, k = size + 3;
        const bool ta = transposed & 1, tb = transposed & 2;
        const sotto_gemm_shape shape = {m, n, k, transposed, (ta ? m : k) + 2, (tb ? k : n) + 1, n, 0.5f, 0, 0};
        const Floats a = random_floats((ta ? k : m) * shape.a_stride, 1), b = random_floats((tb ? n : k) * shape.b_stride, 2);
        Floats c(m * n, NAN);
        CHECK(sotto_float_gemm(machine->context, &shape, a.data(), a.size(), b.data(), b.size(), c.data(), c.size()) == SOTTO_OK);
        CHECK(close(c, plain_product(shape, a, b), 1e-4f));
      }
}

TEST("attention of every back end agrees, its rows of weights sum to one, its gradient along a shift of all scores is zero") {
  Attention first;
  CHECK(first.run(reference().context) == SOTTO_OK && first.run_gradient(reference().context) == SOTTO_OK);
  for (Machine* machine : machines()) {
    Attention attention;
    CHECK(attention.run(machine->context) == SOTTO_OK && attention.run_gradient(machine->context) == SOTTO_OK);
    CHECK(close(attention.out, first.out, 1e-5f) && close(attention.log_sums, first.log_sums, 1e-5f));
    CHECK(close(attention.d_query, first.d_query, 1e-4f) && close(attention.d_key, first.d_key, 1e-4f) && close(attention.d_value, first.d_value, 1e-4f));
    std::fill(attention.value.begin(), attention.value.end(), 1.0f);
    CHECK(attention.run(machine->context) == SOTTO_OK && close(attention.out, Floats(136 * 20, 1.0f), 1e-5f));
    CHECK(attention.run_gradient(machine->context) == SOTTO_OK && close(attention.d_query, Floats(136 * 20), 1e-4f));
  }
}

TEST("cross-entropy of equal logits is the logarithm of their number, its gradient sums to zero") {
  for (Machine* machine : machines())
    for (uint32_t size : {1u, 3u, 16u, 1000u}) {
      const sotto_cross_entropy_shape shape = {2, size, 1, 2.0f, 0};
      Floats logits(2 * size, 5.0f);
      const int32_t labels[2] = {int32_t(size - 1), -1};
      double losses[2];
      CHECK(sotto_float_cross_entropy(machine->context, &shape, logits.data(), logits.size(), labels, losses) == SOTTO_OK);
      CHECK(fabs(losses[0] - log(size)) < 1e-5 && losses[1] == 0);
      double sum = 0;
      for (uint32_t i = 0; i < size; i++) sum += logits[i];
      CHECK(fabs(sum) < 1e-4 && fabs(logits[size - 1] - (2.0 / size - 2)) < 1e-5);
      CHECK(std::all_of(logits.begin() + size, logits.end(), [](float x) { return x == 0; }));
    }
}

TEST("the gated unit of every back end and its gradient equal plain ones, extreme values stay finite") {
  const size_t count = 1003;
  Floats gate = random_floats(count, 1), up = random_floats(count, 2), d_out = random_floats(count, 3), out(count), d_gate(count), d_up(count);
  for (float& z : gate) z *= 20;
  gate[0] = -1e30f, gate[1] = 1e30f;
  for (Machine* machine : machines()) {
    CHECK(sotto_float_swiglu(machine->context, gate.data(), up.data(), out.data(), count) == SOTTO_OK);
    CHECK(sotto_float_swiglu_gradient(machine->context, d_out.data(), gate.data(), up.data(), d_gate.data(), d_up.data(), count) == SOTTO_OK);
    CHECK(fabsf(out[0]) < 1e-6f && out[1] == 1e30f * up[1] && std::all_of(d_gate.begin(), d_gate.end(), [](float x) { return std::isfinite(x); }));
    for (size_t i = 2; i < count; i++) {
      const double z = gate[i], s = 1 / (1 + exp(-z));
      CHECK(fabs(out[i] - z * s * up[i]) < 1e-5 && fabs(d_up[i] - d_out[i] * z * s) < 1e-5 && fabs(d_gate[i] - d_out[i] * up[i] * s * (1 + z * (1 - s))) < 1e-5);
    }
  }
}

TEST("float operations on nothing succeed") {
  sotto_context* context = reference().context;
  Floats x(1);
  const int32_t label = 0;
  double loss = 0;
  const sotto_gemm_shape gemm = {0, 5, 3, 0, 3, 5, 5, 1, 0, 0};
  const sotto_cross_entropy_shape entropy = {0, 5, 1, 1, 0};
  const sotto_attention_shape attention = {0, 1, 1, 4, 1, 0};
  const uint32_t start = 0;
  Floats b(15);
  CHECK(sotto_float_gemm(context, &gemm, x.data(), 0, b.data(), 15, x.data(), 0) == SOTTO_OK);
  CHECK(sotto_float_cross_entropy(context, &entropy, x.data(), 0, &label, &loss) == SOTTO_OK);
  CHECK(sotto_float_attention(context, &attention, &start, &start, x.data(), 0, x.data(), x.data(), 0, x.data(), x.data(), 0) == SOTTO_OK);
  CHECK(sotto_float_swiglu(context, x.data(), x.data(), x.data(), 0) == SOTTO_OK);
}

TEST("float arguments that do not fit are refused") {
  sotto_context* context = reference().context;
  Floats x(100);
  const sotto_gemm_shape good = {10, 10, 10, 0, 10, 10, 10, 1, 0, 0};
  for (auto change : std::vector<void (*)(sotto_gemm_shape&)>{[](auto& s) { s.rows = 11; }, [](auto& s) { s.transposed = 4; }, [](auto& s) { s.a_stride = 9; }, [](auto& s) { s.b_stride = ~uint64_t(0); }, [](auto& s) { s.depth = ~0u; }}) {
    sotto_gemm_shape shape = good;
    change(shape);
    CHECK(sotto_float_gemm(context, &shape, x.data(), 100, x.data(), 100, x.data(), 100) == SOTTO_INVALID_ARGUMENT);
  }
  for (auto change : std::vector<void (*)(Attention&)>{[](auto& a) { a.shape.head_size = 0; }, [](auto& a) { a.shape.key_head_count = 3; }, [](auto& a) { a.queries[1] = 137; }, [](auto& a) { a.keys[1] = 2; }, [](auto& a) { a.keys[0] = 1; }, [](auto& a) { a.query.resize(1); }, [](auto& a) { a.log_sums.resize(1); }}) {
    Attention attention;
    change(attention);
    CHECK(attention.run(context) == SOTTO_INVALID_ARGUMENT && attention.run_gradient(context) == SOTTO_INVALID_ARGUMENT);
  }
  const sotto_cross_entropy_shape shape = {10, 10, 0, 1, 0};
  std::vector<int32_t> labels(10);
  std::vector<double> losses(10);
  CHECK(sotto_float_cross_entropy(context, &shape, x.data(), 99, labels.data(), losses.data()) == SOTTO_INVALID_ARGUMENT);
  labels[9] = 10;
  CHECK(sotto_float_cross_entropy(context, &shape, x.data(), 100, labels.data(), losses.data()) == SOTTO_INVALID_ARGUMENT);
}
