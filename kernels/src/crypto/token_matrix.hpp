// A frozen int8 matrix, laid out for products from either side.
#pragma once

#include "crypto/context.hpp"
#include "poly/matmul.hpp"

struct sotto_token_matrix {
  /// W or W^T, prepared: row_count outputs of `depth` inputs. Empty when it was not asked for.
  struct Side {
    size_t row_count = 0, depth = 0;
    sotto::Buffer<uint8_t> left;
  };
  const sotto::MatmulKernels* kernels = nullptr;
  Side sides[2];  // by direction: 0 forward, 1 backward
};

namespace sotto {

constexpr uint32_t kForward = 0, kBackward = 1;

/// Prepares W (rows x columns, row-major) on all workers; bit d of `sides` asks for direction d. SOTTO_OUT_OF_MEMORY without memory.
int32_t fill_token_matrix(Context& context, const int8_t* weights, size_t rows, size_t columns, uint32_t sides, sotto_token_matrix& matrix);

}  // namespace sotto
