// A frozen matrix of 8-bit or, as two limbs, 10-bit integers, laid out for products from either side.
#pragma once

#include "core/resident_id.hpp"
#include "crypto/context.hpp"
#include "poly/matmul.hpp"

struct sotto_token_matrix {
  /// W or W^T, prepared: row_count outputs of `depth` inputs. Empty when it was not asked for. W is `left`, or 2^kLowBits left + low where `low` is there.
  struct Side {
    size_t row_count = 0, depth = 0;
    sotto::Buffer<uint8_t> left, low;
    size_t bytes() const { return left.size() + low.size(); }
  };
  const sotto::MatmulKernels* kernels = nullptr;
  Side sides[2];  // by direction: 0 forward, 1 backward
  sotto::ResidentId id;
};

namespace sotto {

constexpr uint32_t kForward = 0, kBackward = 1;

/// Bits that the low limb is below the other.
constexpr uint32_t kLowBits = 2;

/// Where devices multiply tokens, both sides are in the reference's form, which is what devices take copies of.
/// Prepares W (rows x columns, row-major; `low` may be null) on all workers; bit d of `sides` asks for direction d. SOTTO_OUT_OF_MEMORY without memory.
int32_t fill_token_matrix(Context& context, const int8_t* weights, const int8_t* low, size_t rows, size_t columns, uint32_t sides, sotto_token_matrix& matrix);

}  // namespace sotto
