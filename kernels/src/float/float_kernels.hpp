// Single-precision products, causal attention, cross-entropy and gated units for the client's side of fine-tuning: the table of functions that a back end fills in.
//
// Matrices are row-major with a stride of floats from row to row; nothing needs alignment. Unlike everything else in this library results are rounded: they
// are the same for any number of threads, and differ between back ends in the last bits. A call runs on its own thread; nothing allocates, throws or keeps state.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace sotto {

/// C = alpha op(A) op(B) + beta C; op(A) is rows x depth, op(B) depth x columns. With beta 0 C is not read. C does not overlap A or B.
struct GemmTask {
  const float *a, *b;
  float* c;
  size_t rows, columns, depth;
  size_t a_stride, b_stride, c_stride;
  bool a_transposed, b_transposed;
  float alpha, beta;
};

/// One head of one sequence. Query i sees keys 0 .. key_count - query_count + i. Rows of `head_size` floats.
struct AttentionTask {
  const float *query, *key, *value;
  float* out;
  float* log_sum;  // of query i at i * log_sum_stride: log sum_j exp(score_ij)
  size_t query_count, key_count, head_size;
  size_t query_stride, key_stride, log_sum_stride;  // of queries and outputs, of keys and values
  float scale;                                      // score = scale <query, key>
};

/// The gradients of the same head; d_key and d_value are added to.
struct AttentionGradientTask {
  AttentionTask forward;  // out and log_sum as the forward call left them
  const float* d_out;     // strides of out
  float* d_query;         // strides of query
  float *d_key, *d_value;
  size_t d_key_stride;
};

struct FloatKernels {
  const char* name;
  /// `workspace`: gemm_workspace_floats, 64-byte aligned.
  void (*gemm)(const GemmTask&, float* workspace);
  /// `workspace`: attention_workspace_floats(key_count), 64-byte aligned.
  void (*attention)(const AttentionTask&, float* workspace);
  void (*attention_gradient)(const AttentionGradientTask&, float* workspace);
  /// The cross-entropy -log softmax(logits)[label]; if `gradient`, logits become scale * (softmax(logits) - onehot(label)).
  double (*cross_entropy)(float* logits, size_t count, size_t label, bool gradient, float scale);
  /// out = silu(gate) up, silu(z) = z / (1 + exp(-z)).
  void (*swiglu)(const float* gate, const float* up, float* out, size_t count);
  /// The gradients of gate and up, given that of the output.
  void (*swiglu_gradient)(const float* d_out, const float* gate, const float* up, float* d_gate, float* d_up, size_t count);
};

/// Depth and columns of the part of B that is laid out at once; rows of A that meet it in turn.
constexpr size_t gemm_depth_block = 192, gemm_column_block = 256, gemm_row_block = 96;
/// The largest register tile of C of any back end.
constexpr size_t gemm_tile_rows_max = 16, gemm_tile_floats_max = 512;
/// A block of B, rows of A that fill no tile, one tile of C.
constexpr size_t gemm_workspace_floats = gemm_depth_block * (gemm_column_block + gemm_tile_rows_max) + gemm_tile_floats_max;
/// Queries of one block of scores.
constexpr size_t attention_query_block = 128;
/// Scores and their gradients of one block of queries.
constexpr size_t attention_workspace_floats(size_t key_count) {
  return gemm_workspace_floats + 2 * attention_query_block * ((key_count + 15) / 16 * 16);
}

const FloatKernels& portable_float_kernels();
#if defined(__x86_64__)
const FloatKernels& avx2_float_kernels();    // with FMA
const FloatKernels& avx512_float_kernels();  // F, DQ and VL
#endif

/// The table that goes with the ring's back end of that name; "ref" runs the portable one.
const FloatKernels& select_float_kernels(const char* ring_backend);

}  // namespace sotto
