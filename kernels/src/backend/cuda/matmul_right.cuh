// How right factors lie on a device: as bytes, for the int8 matrix unit.
//
// Four words of a column, depths 4 g to 4 g + 3, are a quad: its word l holds byte l of each, the four bytes that a lane gives to one instruction. Quads lie by g, then by column, both
// padded with zeros to whole tiles.
#pragma once

#include "backend/cuda/lane.cuh"

namespace sotto::cuda {

constexpr uint32_t kQuadDepth = 4, kDepthPadding = 64, kColumnPadding = 64;

struct RightFactor {
  uint4* quads;
  uint32_t depth, columns;

  __host__ __device__ uint32_t groups() const { return (depth + kDepthPadding - 1) / kDepthPadding * (kDepthPadding / kQuadDepth); }
  __host__ __device__ uint32_t stride() const { return (columns + kColumnPadding - 1) / kColumnPadding * kColumnPadding; }
  __host__ __device__ size_t quad_count() const { return size_t(groups()) * stride(); }
};

/// The quad of four words: a transposition of 4 x 4 bytes.
__device__ __forceinline__ uint4 quad_of(uint32_t x0, uint32_t x1, uint32_t x2, uint32_t x3) {
  const uint32_t low01 = __byte_perm(x0, x1, 0x5140), low23 = __byte_perm(x2, x3, 0x5140), high01 = __byte_perm(x0, x1, 0x7362), high23 = __byte_perm(x2, x3, 0x7362);
  uint4 quad;
  quad.x = __byte_perm(low01, low23, 0x5410), quad.y = __byte_perm(low01, low23, 0x7632);
  quad.z = __byte_perm(high01, high23, 0x5410), quad.w = __byte_perm(high01, high23, 0x7632);
  return quad;
}

/// Columns of the caller's memory, `depth` words each, one after the other -> right. Takes the lane's memory, and waits.
int32_t upload_right_columns(Lane& lane, const uint32_t* columns, const RightFactor& right);

}  // namespace sotto::cuda
