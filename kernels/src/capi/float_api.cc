// Float products, attention, cross-entropy and gated units of the C ABI: arguments checked, then split over the workers.
#include <algorithm>

#include "capi/check.hpp"
#include "float/float_kernels.hpp"

using namespace sotto;

namespace {

const FloatKernels& kernels_of(const Context* context) { return select_float_kernels(context->ring.kernels().name); }

float* float_workspace(Workspace& workspace, size_t floats) { return reinterpret_cast<float*>(workspace.words((floats + 1) / 2)); }

/// Floats from the first of a matrix to past its last.
uint64_t extent(uint64_t rows, uint64_t columns, uint64_t stride) { return rows && columns ? (rows - 1) * stride + columns : 0; }

int32_t check_matrix(const char* name, uint64_t rows, uint64_t columns, uint64_t stride, size_t given) {
  SOTTO_REQUIRE(stride <= kCountMax && (stride >= columns || rows < 2), "%s has a stride of %llu for rows of %llu", name, (unsigned long long)stride, (unsigned long long)columns);
  const uint64_t needed = extent(rows, columns, stride);
  SOTTO_REQUIRE(given >= needed, "%s has %llu floats, %llu are needed", name, (unsigned long long)given, (unsigned long long)needed);
  return SOTTO_OK;
}

int32_t check_gemm(const sotto_gemm_shape& s, size_t a_count, size_t b_count, size_t c_count) {
  SOTTO_REQUIRE(s.transposed < 4, "transposed is %u, it is 0 to 3", s.transposed);
  const bool a_transposed = s.transposed & 1, b_transposed = s.transposed & 2;
  int32_t status = check_matrix("the left factor", a_transposed ? s.depth : s.rows, a_transposed ? s.rows : s.depth, s.a_stride, a_count);
  if (!status) status = check_matrix("the right factor", b_transposed ? s.columns : s.depth, b_transposed ? s.depth : s.columns, s.b_stride, b_count);
  return status ? status : check_matrix("the product", s.rows, s.columns, s.c_stride, c_count);
}

/// Rows and columns of the part of a product that one worker makes at a time: multiples of every back end's tiles, small enough for all workers to have some.
struct Parts {
  size_t rows, columns, down, across;
  Parts(const sotto_gemm_shape& s, uint32_t threads) : rows(768), columns(gemm_column_block) {
    while (rows > gemm_row_block && (s.rows + rows - 1) / rows * ((s.columns + columns - 1) / columns) < 2 * threads) rows /= 2;
    down = (s.rows + rows - 1) / rows, across = (s.columns + columns - 1) / columns;
  }
};

GemmTask part_of(const sotto_gemm_shape& s, const float* a, const float* b, float* c, size_t row, size_t rows, size_t column, size_t columns) {
  const bool a_transposed = s.transposed & 1, b_transposed = s.transposed & 2;
  return {a + (a_transposed ? row : row * s.a_stride), b + (b_transposed ? column * s.b_stride : column), c + row * s.c_stride + column,
          std::min<size_t>(rows, s.rows - row), std::min<size_t>(columns, s.columns - column), s.depth, size_t(s.a_stride), size_t(s.b_stride), size_t(s.c_stride),
          a_transposed, b_transposed, s.alpha, s.beta};
}

/// Rows of all queries (or keys) of a block, and where each sequence starts.
struct Sequences {
  const sotto_attention_shape& shape;
  const uint32_t *queries, *keys;
  uint64_t query_rows() const { return queries[shape.sequence_count]; }
  uint64_t key_rows() const { return keys[shape.sequence_count]; }
  uint64_t query_width() const { return uint64_t(shape.head_count) * shape.head_size; }
  uint64_t key_width() const { return uint64_t(shape.key_head_count) * shape.head_size; }
  uint32_t longest() const {
    uint32_t most = 0;
    for (uint32_t i = 0; i < shape.sequence_count; i++) most = std::max(most, keys[i + 1] - keys[i]);
    return most;
  }
};

int32_t check_sequences(const Sequences& s) {
  const sotto_attention_shape& shape = s.shape;
  SOTTO_REQUIRE(shape.head_size >= 1 && shape.head_size <= 4096, "head_size is %u, it is 1 to 4096", shape.head_size);
  SOTTO_REQUIRE(shape.key_head_count >= 1 && shape.head_count <= 65536 && shape.head_count % shape.key_head_count == 0, "%u heads do not share %u heads of keys evenly", shape.head_count, shape.key_head_count);
  SOTTO_REQUIRE(s.queries[0] == 0 && s.keys[0] == 0, "the first sequence does not start at 0");
  for (uint32_t i = 0; i < shape.sequence_count; i++) {
    SOTTO_REQUIRE(s.queries[i] <= s.queries[i + 1] && s.keys[i] <= s.keys[i + 1], "sequence %u ends before it starts", i);
    SOTTO_REQUIRE(s.queries[i + 1] - s.queries[i] <= s.keys[i + 1] - s.keys[i], "sequence %u has more queries than keys", i);
  }
  return SOTTO_OK;
}

struct AttentionArrays {
  const float *query, *key, *value;
  float *out, *log_sums;
};

AttentionTask head_task(const Sequences& s, const AttentionArrays& arrays, uint64_t item) {
  const uint64_t sequence = item / s.shape.head_count, head = item % s.shape.head_count, key_head = head / (s.shape.head_count / s.shape.key_head_count);
  const size_t query = s.queries[sequence], key = s.keys[sequence], size = s.shape.head_size;
  const size_t query_at = query * s.query_width() + head * size, key_at = key * s.key_width() + key_head * size;
  return {arrays.query + query_at, arrays.key + key_at, arrays.value + key_at, arrays.out + query_at, arrays.log_sums + query * s.shape.head_count + head,
          s.queries[sequence + 1] - query, s.keys[sequence + 1] - key, size, size_t(s.query_width()), size_t(s.key_width()), s.shape.head_count, s.shape.scale};
}

int32_t check_attention(const Sequences& s, size_t query_floats, size_t key_floats, size_t log_sum_count) {
  const int32_t status = check_sequences(s);
  if (status) return status;
  SOTTO_REQUIRE(query_floats == s.query_rows() * s.query_width(), "queries have %llu floats, %llu are needed", (unsigned long long)query_floats, (unsigned long long)(s.query_rows() * s.query_width()));
  SOTTO_REQUIRE(key_floats == s.key_rows() * s.key_width(), "keys have %llu floats, %llu are needed", (unsigned long long)key_floats, (unsigned long long)(s.key_rows() * s.key_width()));
  SOTTO_REQUIRE(log_sum_count == s.query_rows() * s.shape.head_count, "log_sums have %llu floats, %llu are needed", (unsigned long long)log_sum_count, (unsigned long long)(s.query_rows() * s.shape.head_count));
  return SOTTO_OK;
}

/// Heads of queries that share a head of keys: their gradients of keys (rows of head_count heads) are summed.
void sum_heads(const Sequences& s, const float* from, float* to, uint64_t row) {
  const size_t size = s.shape.head_size, shared = s.shape.head_count / s.shape.key_head_count;
  for (uint32_t h = 0; h < s.shape.head_count; h++)
    for (size_t d = 0; d < size; d++) {
      float& sum = to[row * s.key_width() + h / shared * size + d];
      const float value = from[row * s.query_width() + h * size + d];
      sum = h % shared ? sum + value : value;
    }
}

/// Elements of the part of an element-wise operation that one worker does at a time.
constexpr uint64_t elements_per_item = 1 << 15;

/// body(first, count) for parts of `count` elements, on all workers.
template <class Body>
int32_t for_parts(WorkerPool& pool, uint64_t count, Body body) {
  return parallel_for(pool, (count + elements_per_item - 1) / elements_per_item, [&](uint64_t item, Workspace&) {
    const uint64_t first = item * elements_per_item;
    body(first, std::min(elements_per_item, count - first));
    return SOTTO_OK;
  });
}

}  // namespace

extern "C" int32_t sotto_float_gemm(sotto_context* context, const sotto_gemm_shape* shape, const float* a, size_t a_count, const float* b, size_t b_count, float* c, size_t c_count) {
  SOTTO_REQUIRE(context && shape && a && b && c, "context, shape and matrices must not be null");
  const int32_t wrong = check_gemm(*shape, a_count, b_count, c_count);
  if (wrong) return wrong;
  const FloatKernels& kernels = kernels_of(context);
  const Parts parts(*shape, context->pool.thread_count());
  const int32_t status = parallel_for(context->pool, parts.down * parts.across, [&](uint64_t item, Workspace& workspace) {
    float* memory = float_workspace(workspace, gemm_workspace_floats);
    if (!memory) return SOTTO_OUT_OF_MEMORY;
    kernels.gemm(part_of(*shape, a, b, c, item / parts.across * parts.rows, parts.rows, item % parts.across * parts.columns, parts.columns), memory);
    return SOTTO_OK;
  });
  return status ? out_of_memory("a float product") : SOTTO_OK;
}

extern "C" int32_t sotto_float_attention(sotto_context* context, const sotto_attention_shape* shape, const uint32_t* query_starts, const uint32_t* key_starts, const float* query, size_t query_count, const float* key, const float* value, size_t key_count, float* out, float* log_sums, size_t log_sum_count) {
  SOTTO_REQUIRE(context && shape && query_starts && key_starts && query && key && value && out && log_sums, "no argument may be null");
  const Sequences sequences = {*shape, query_starts, key_starts};
  const int32_t wrong = check_attention(sequences, query_count, key_count, log_sum_count);
  if (wrong) return wrong;
  const FloatKernels& kernels = kernels_of(context);
  const AttentionArrays arrays = {query, key, value, out, log_sums};
  const size_t floats = attention_workspace_floats(sequences.longest());
  const int32_t status = parallel_for(context->pool, uint64_t(shape->sequence_count) * shape->head_count, [&](uint64_t item, Workspace& workspace) {
    float* memory = float_workspace(workspace, floats);
    if (!memory) return SOTTO_OUT_OF_MEMORY;
    kernels.attention(head_task(sequences, arrays, item), memory);
    return SOTTO_OK;
  });
  return status ? out_of_memory("the scores of attention") : SOTTO_OK;
}

extern "C" int32_t sotto_float_attention_gradient(sotto_context* context, const sotto_attention_shape* shape, const uint32_t* query_starts, const uint32_t* key_starts, const float* query, size_t query_count, const float* key, const float* value, size_t key_count, const float* out, const float* log_sums, size_t log_sum_count, const float* d_out, float* d_query, float* d_key, float* d_value) {
  SOTTO_REQUIRE(context && shape && query_starts && key_starts && query && key && value && out && log_sums && d_out && d_query && d_key && d_value, "no argument may be null");
  const Sequences sequences = {*shape, query_starts, key_starts};
  const int32_t wrong = check_attention(sequences, query_count, key_count, log_sum_count);
  if (wrong) return wrong;
  const FloatKernels& kernels = kernels_of(context);
  const size_t width = sequences.query_width(), rows = sequences.key_rows(), floats = attention_workspace_floats(sequences.longest());
  Buffer<float> key_heads(rows * width), value_heads(rows * width);
  if (!key_heads.ok() || !value_heads.ok()) return out_of_memory("the gradients of attention");
  memset(key_heads.data(), 0, rows * width * sizeof(float));
  memset(value_heads.data(), 0, rows * width * sizeof(float));
  const AttentionArrays arrays = {query, key, value, const_cast<float*>(out), const_cast<float*>(log_sums)};
  const int32_t status = parallel_for(context->pool, uint64_t(shape->sequence_count) * shape->head_count, [&](uint64_t item, Workspace& workspace) {
    float* memory = float_workspace(workspace, floats);
    if (!memory) return SOTTO_OUT_OF_MEMORY;
    const uint64_t sequence = item / shape->head_count, head = item % shape->head_count;
    const size_t query_at = query_starts[sequence] * width + head * shape->head_size, key_at = key_starts[sequence] * width + head * shape->head_size;
    kernels.attention_gradient({head_task(sequences, arrays, item), d_out + query_at, d_query + query_at, key_heads.data() + key_at, value_heads.data() + key_at, width}, memory);
    return SOTTO_OK;
  });
  if (status) return out_of_memory("the scores of attention");
  constexpr uint64_t rows_per_item = 64;
  return parallel_for(context->pool, (rows + rows_per_item - 1) / rows_per_item, [&](uint64_t item, Workspace&) {
    for (uint64_t row = item * rows_per_item; row < std::min<uint64_t>(rows, (item + 1) * rows_per_item); row++) {
      sum_heads(sequences, key_heads.data(), d_key, row);
      sum_heads(sequences, value_heads.data(), d_value, row);
    }
    return SOTTO_OK;
  });
}

extern "C" int32_t sotto_float_cross_entropy(sotto_context* context, const sotto_cross_entropy_shape* shape, float* logits, size_t logit_count, const int32_t* labels, double* losses) {
  SOTTO_REQUIRE(context && shape && logits && labels && losses, "no argument may be null");
  SOTTO_REQUIRE(shape->vocabulary_size >= 1 && shape->token_count <= kCountMax, "the shape has no vocabulary or too many tokens");
  const uint64_t size = shape->vocabulary_size;
  SOTTO_REQUIRE(logit_count == shape->token_count * size, "logits have %llu floats, %llu are needed", (unsigned long long)logit_count, (unsigned long long)(shape->token_count * size));
  for (uint64_t i = 0; i < shape->token_count; i++) SOTTO_REQUIRE(labels[i] < int64_t(size), "label %d of token %llu is not in the vocabulary", labels[i], (unsigned long long)i);
  const FloatKernels& kernels = kernels_of(context);
  return parallel_for(context->pool, shape->token_count, [&](uint64_t token, Workspace&) {
    float* row = logits + token * size;
    if (labels[token] >= 0) losses[token] = kernels.cross_entropy(row, size, labels[token], shape->gradient, shape->scale);
    else if (losses[token] = 0; shape->gradient) memset(row, 0, size * sizeof(float));
    return SOTTO_OK;
  });
}

extern "C" int32_t sotto_float_swiglu(sotto_context* context, const float* gate, const float* up, float* out, size_t count) {
  SOTTO_REQUIRE(context && gate && up && out, "no argument may be null");
  const FloatKernels& kernels = kernels_of(context);
  return for_parts(context->pool, count, [&](uint64_t first, uint64_t part) { kernels.swiglu(gate + first, up + first, out + first, part); });
}

extern "C" int32_t sotto_float_swiglu_gradient(sotto_context* context, const float* d_out, const float* gate, const float* up, float* d_gate, float* d_up, size_t count) {
  SOTTO_REQUIRE(context && d_out && gate && up && d_gate && d_up, "no argument may be null");
  const FloatKernels& kernels = kernels_of(context);
  return for_parts(context->pool, count, [&](uint64_t first, uint64_t part) { kernels.swiglu_gradient(d_out + first, gate + first, up + first, d_gate + first, d_up + first, part); });
}
