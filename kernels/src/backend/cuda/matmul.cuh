// C = A B mod 2^32, A int8 and B 32-bit words, on a device: the one function behind key switches, layers and products with tokens.
#pragma once

#include "backend/cuda/matmul_right.cuh"

namespace sotto::cuda {

/// Bytes from row to row of a left factor on the device.
constexpr size_t left_stride(size_t depth) { return (depth + kDepthPadding - 1) / kDepthPadding * kDepthPadding; }

/// Row-major int8 of the caller -> rows of left_stride(depth) bytes on the device, padded with zeros.
int32_t upload_left(Lane& lane, const uint8_t* rows, size_t row_count, size_t depth, int8_t* left);

/// `batch` products of one shape, all on the device. Product z takes A number z mod left_count, B and C number z.
struct MatmulArguments {
  const int8_t* left;
  size_t left_stride;  // a multiple of 16, at least the padded depth; what the padding holds does not matter
  RightFactor right;
  uint32_t* out;  // row-major
  size_t out_stride;
  uint32_t rows;
  /// C = 2^out_shift C + A B instead, unless it is negative.
  int32_t out_shift = -1;
  uint32_t batch = 1, left_count = 1;  // batch: at most 65,535
  size_t left_step = 0, out_step = 0;  // bytes, words
};

int32_t matmul_i8_u32(Lane& lane, const MatmulArguments& arguments);

}  // namespace sotto::cuda
