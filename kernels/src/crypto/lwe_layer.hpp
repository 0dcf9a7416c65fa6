// Integer linear maps on lwe of the 32-bit torus: dense layers, convolutions, pooling, sums. All of them are
//   out[p][g R + r] = offset[g R + r] + sum_d W[g][r][d] in[index[p][g][d]],
// p a patch (a position of a convolution), g a group of R rows, d the depth; exact modulo 2^32.
#pragma once

#include "core/resident_id.hpp"
#include "crypto/lookup_switch.hpp"
#include "poly/matmul.hpp"

struct sotto_layer {
  sotto_layer_shape shape;
  const sotto::MatmulKernels* kernels = nullptr;
  sotto::Buffer<int8_t> weights;  // groups of one row: group, depth
  sotto::Buffer<uint8_t> left;    // other groups: the rows of each, prepared (for devices in the reference's form), group_bytes() apart
  sotto::Buffer<uint32_t> indices, offsets;
  sotto::ResidentId id;

  /// Groups of one row are sums of a few lwe; there is nothing for a matrix product to use twice.
  bool is_sum() const { return shape.rows_per_group == 1; }
  uint64_t channel_count() const { return uint64_t(shape.group_count) * shape.rows_per_group; }
  size_t group_bytes() const { return (kernels->left_bytes(shape.rows_per_group, shape.depth) + 63) / 64 * 64; }
};

namespace sotto {

/// An index that names no input: zero.
constexpr uint32_t kPadding = UINT32_MAX;

/// False when there is no memory. The arrays as in sotto_layer_create, checked.
bool fill_layer(const Context& context, const sotto_layer_shape& shape, const int8_t* weights, const uint32_t* indices, const uint32_t* offsets, sotto_layer& layer);
/// Checked arguments of sotto_layer_submit; inputs and outputs do not overlap.
int32_t submit_layer(Context& context, const sotto_layer& layer, const uint32_t* inputs, const sotto_layer_range& range, uint32_t* outputs, Job** job);

}  // namespace sotto
