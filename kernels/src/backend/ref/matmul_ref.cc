// The reference matrix product: both factors as they are, and the three loops of the definition.
#include "poly/matmul.hpp"

namespace sotto {
namespace {

size_t left_bytes(size_t rows, size_t depth) { return rows * depth; }

void prepare_left(const int8_t* a, size_t stride, size_t rows, size_t depth, void* left) {
  for (size_t i = 0; i < rows; i++)
    for (size_t l = 0; l < depth; l++) static_cast<int8_t*>(left)[i * depth + l] = a[i * stride + l];
}

size_t right_bytes(size_t depth, size_t columns) { return depth * columns * sizeof(uint32_t); }

/// Column by column, so that a range of columns is a range of bytes.
void prepare_right(const uint32_t* b, size_t stride, size_t depth, size_t columns, void* right) {
  for (size_t j = 0; j < columns; j++)
    for (size_t l = 0; l < depth; l++) static_cast<uint32_t*>(right)[j * depth + l] = b[l * stride + j];
}

void multiply(const MatmulTask& task) {
  const int8_t* a = static_cast<const int8_t*>(task.left);
  const uint32_t* b = static_cast<const uint32_t*>(task.right);
  for (size_t i = task.first_row; i < task.first_row + task.row_count; i++)
    for (size_t j = task.first_column; j < task.first_column + task.column_count; j++) {
      uint32_t sum = 0;
      for (size_t l = 0; l < task.depth; l++) sum += uint32_t(int32_t(a[i * task.depth + l])) * b[j * task.depth + l];
      task.out[i * task.out_stride + j] = sum;
    }
}

}  // namespace

const MatmulKernels& ref_matmul_kernels() {
  static const MatmulKernels kernels = {"ref", left_bytes, prepare_left, right_bytes, prepare_right, multiply};
  return kernels;
}

}  // namespace sotto
