// exp, softmax, causal attention, cross-entropy and gated units on vectors: included after float_gemm.hpp, by the same files, for the same target.
#pragma once

#include "float/float_gemm.hpp"

namespace sotto {
namespace {

/// exp, relative error below 2^-22. x = n ln 2 + r, |r| <= ln 2 / 2: 2^n from the exponent bits, exp(r) from its Taylor sum of degree 7. Below -87 the result is about 1e-38.
SOTTO_FLOAT_INLINE Vector exponential(Vector x) {
  constexpr float round_up = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer in the low bits
  const Vector low = broadcast(-87.0f), high = broadcast(88.0f);
  x = x < low ? low : x;
  x = x > high ? high : x;
  const Vector shifted = x * 1.44269504088896341f + round_up;
  const Vector n = shifted - round_up;
  const Vector r = (x - n * 0.693145751953125f) - n * 1.42860677e-6f;
  Vector sum = broadcast(1.0f / 5040);
  for (float c : {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f}) sum = sum * r + c;
  const IntVector power = (reinterpret_cast<const IntVector&>(shifted) << 23) + 0x3f800000;
  return sum * reinterpret_cast<const Vector&>(power);
}

/// Applies a lane-wise function to whole vectors of x, the last ones through a padded copy.
template <class Function>
SOTTO_FLOAT_INLINE void map(float* x, size_t count, Function function) {
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) store(x + i, function(load(x + i)));
  if (i == count) return;
  float rest[lanes] = {};
  memcpy(rest, x + i, (count - i) * sizeof(float));
  store(rest, function(load(rest)));
  memcpy(x + i, rest, (count - i) * sizeof(float));
}

float largest(const float* x, size_t count) {
  Vector most = broadcast(x[0]);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const Vector v = load(x + i);
    most = v > most ? v : most;
  }
  float result = x[0];
  for (size_t l = 0; l < lanes; l++) result = most[l] > result ? most[l] : result;
  for (; i < count; i++) result = x[i] > result ? x[i] : result;
  return result;
}

double total(const float* x, size_t count) {
  Vector sums[4] = {};
  size_t i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes)
    for (size_t v = 0; v < 4; v++) sums[v] += load(x + i + v * lanes);
  double result = 0;
  for (size_t v = 0; v < 4; v++)
    for (size_t l = 0; l < lanes; l++) result += sums[v][l];
  for (; i < count; i++) result += x[i];
  return result;
}

/// x becomes softmax(x); returns log sum exp(x).
float softmax(float* x, size_t count) {
  const float most = largest(x, count);
  map(x, count, [most](Vector v) { return exponential(v - most); });
  const double sum = total(x, count);
  const float inverse = float(1 / sum);
  map(x, count, [inverse](Vector v) { return v * inverse; });
  return most + float(log(sum));
}

double cross_entropy(float* logits, size_t count, size_t label, bool gradient, float scale) {
  const double target = logits[label];
  const float most = largest(logits, count);
  if (!gradient) {
    double sum = 0;
    float part[256];
    for (size_t i = 0; i < count; i += 256) {
      const size_t size = count - i < 256 ? count - i : 256;
      memcpy(part, logits + i, size * sizeof(float));
      map(part, size, [most](Vector v) { return exponential(v - most); });
      sum += total(part, size);
    }
    return most + log(sum) - target;
  }
  map(logits, count, [most](Vector v) { return exponential(v - most); });
  const double sum = total(logits, count);
  const float factor = float(scale / sum);
  map(logits, count, [factor](Vector v) { return v * factor; });
  logits[label] -= scale;
  return most + log(sum) - target;
}

SOTTO_FLOAT_INLINE Vector sigmoid(Vector x) { return 1.0f / (1.0f + exponential(-x)); }

/// Calls body(first, vector load of an array, vector store) for whole vectors, then once for the rest with loads and stores that touch only what is there.
template <class Body>
SOTTO_FLOAT_INLINE void for_vectors(size_t count, Body body) {
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) body([i](const float* x) { return load(x + i); }, [i](float* x, Vector v) { store(x + i, v); });
  const size_t bytes = (count - i) * sizeof(float);
  if (bytes == 0) return;
  body(
      [i, bytes](const float* x) {
        Vector v = {};
        memcpy(&v, x + i, bytes);
        return v;
      },
      [i, bytes](float* x, Vector v) { memcpy(x + i, &v, bytes); });
}

void swiglu(const float* gate, const float* up, float* out, size_t count) {
  for_vectors(count, [=](auto get, auto put) {
    const Vector g = get(gate);
    put(out, g * sigmoid(g) * get(up));
  });
}

/// silu'(z) = s (1 + z (1 - s)), s = sigmoid(z).
void swiglu_gradient(const float* d_out, const float* gate, const float* up, float* d_gate, float* d_up, size_t count) {
  for_vectors(count, [=](auto get, auto put) {
    const Vector g = get(gate), d = get(d_out), s = sigmoid(g);
    put(d_gate, d * get(up) * s * (1.0f + g * (1.0f - s)));
    put(d_up, d * g * s);
  });
}

/// The rows [first, first + rows) of queries of a head, the keys that any of them sees, and the stride of their scores.
struct QueryBlock {
  size_t first, rows, keys, stride;
};

template <class Body>
SOTTO_FLOAT_INLINE void for_query_blocks(const AttentionTask& t, Body body) {
  for (size_t first = 0; first < t.query_count; first += attention_query_block) {
    const size_t rows = t.query_count - first < attention_query_block ? t.query_count - first : attention_query_block;
    const size_t keys = t.key_count - t.query_count + first + rows;
    body(QueryBlock{first, rows, keys, (keys + 15) / 16 * 16});
  }
}

void scores(const AttentionTask& t, const QueryBlock& block, float* out, float* workspace) {
  gemm({t.query + block.first * t.query_stride, t.key, out, block.rows, block.keys, t.head_size, t.query_stride, t.key_stride, block.stride, false, true, t.scale, 0}, workspace);
}

/// Keys that query `row` of a block sees.
size_t visible(const QueryBlock& block, size_t row) { return block.keys - block.rows + row + 1; }

void attention(const AttentionTask& t, float* workspace) {
  float* p = workspace + gemm_workspace_floats;
  for_query_blocks(t, [&](const QueryBlock& block) {
    scores(t, block, p, workspace);
    for (size_t i = 0; i < block.rows; i++) {
      float* row = p + i * block.stride;
      const size_t seen = visible(block, i);
      t.log_sum[(block.first + i) * t.log_sum_stride] = softmax(row, seen);
      memset(row + seen, 0, (block.keys - seen) * sizeof(float));
    }
    gemm({p, t.value, t.out + block.first * t.query_stride, block.rows, t.head_size, block.keys, block.stride, t.key_stride, t.query_stride, false, false, 1, 0}, workspace);
  });
}

float dot(const float* x, const float* y, size_t count) {
  float sum = 0;
  for (size_t i = 0; i < count; i++) sum += x[i] * y[i];
  return sum;
}

/// scores -> p = exp(scores - log_sum); d_p -> scale p (d_p - <d_out, out>), the gradient of <query, key>; both zero where nothing is seen.
void score_gradient(const AttentionGradientTask& g, const QueryBlock& block, float* p, float* d_p) {
  const AttentionTask& t = g.forward;
  for (size_t i = 0; i < block.rows; i++) {
    const size_t seen = visible(block, i), query = block.first + i;
    float *row = p + i * block.stride, *d_row = d_p + i * block.stride;
    const float log_sum = t.log_sum[query * t.log_sum_stride];
    const float mean = dot(g.d_out + query * t.query_stride, t.out + query * t.query_stride, t.head_size);
    map(row, seen, [log_sum](Vector v) { return exponential(v - log_sum); });
    for (size_t j = 0; j < seen; j++) d_row[j] = t.scale * row[j] * (d_row[j] - mean);
    memset(row + seen, 0, (block.keys - seen) * sizeof(float));
    memset(d_row + seen, 0, (block.keys - seen) * sizeof(float));
  }
}

/// Softmax attention backward with recomputed scores (Dao, Fu, Ermon, Rudra, Re 2022, section 3.1 and appendix B.2).
void attention_gradient(const AttentionGradientTask& g, float* workspace) {
  const AttentionTask& t = g.forward;
  float *p = workspace + gemm_workspace_floats, *d_p = p + attention_query_block * ((t.key_count + 15) / 16 * 16);
  for_query_blocks(t, [&](const QueryBlock& block) {
    const size_t at = block.first * t.query_stride, s = block.stride;
    scores(t, block, p, workspace);
    gemm({g.d_out + at, t.value, d_p, block.rows, block.keys, t.head_size, t.query_stride, t.key_stride, s, false, true, 1, 0}, workspace);
    score_gradient(g, block, p, d_p);
    gemm({d_p, t.key, g.d_query + at, block.rows, t.head_size, block.keys, s, t.key_stride, t.query_stride, false, false, 1, 0}, workspace);
    gemm({d_p, t.query + at, g.d_key, block.keys, t.head_size, block.rows, s, t.query_stride, g.d_key_stride, true, false, 1, 1}, workspace);
    gemm({p, g.d_out + at, g.d_value, block.keys, t.head_size, block.rows, s, t.query_stride, g.d_key_stride, true, false, 1, 1}, workspace);
  });
}

}  // namespace
}  // namespace sotto
