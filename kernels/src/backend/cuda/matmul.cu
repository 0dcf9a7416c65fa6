// C = A B mod 2^32 on int8 matrix units by tiles of 128 x 64 outputs (32 x 64 where there are few rows): eight warps, two below each other and four side by side, each with four
// accumulators an output, A times byte l of B in number l; sums wrap mod 2^32, and C = sum_l 2^(8 l) sum_l at the end.
//
// Memory map: shared, twice, so that one half travels while the other is used: A tile [128 or 32 rows][80 bytes], of which 64 are depth: the eight rows of a fragment start 20 banks
// apart; B tile [16 groups of four depths][66 quads], of which 64 are columns: the four groups of a fragment start 8 banks apart. 54,272 or 38,912 bytes. Registers: 128 or 32
// accumulators, 24 or 12 of fragments. Conflicts: none in reads; writes of A meet twice.
// Floor on H100, of products of an int8 and a word: the unit has 4,096 multiply-adds a cycle (1,979 TOPS dense, 132 of them), of which this instruction reaches some 60 %: a depth of a
// tile takes 13.3 cycles; its 384 bytes of the second-level cache take 16.2 at 23.7 bytes a cycle: 117,000 a ns. Predicted at 60 %: 70,000 a ns, 30 % of the dense rate.
//   key switch of a lookup: 13.8 million: 0.12 us, predicted 0.20; multiply-adds of 32 bits would take 1.6;
//   2048 x 2048 times 1,024 bodies and 1,024 masks: 8.6 G: 73 us, predicted 123 us, 0.12 us a token.
// Occupancy: registers allow one block of 256 threads a multiprocessor, two warps a quarter, 32 independent instructions of each between waits.
#include "backend/cuda/matmul.cuh"

#include <string.h>

#include <algorithm>

#include "backend/cuda/matmul_tile.cuh"

namespace sotto::cuda {
namespace {

constexpr uint32_t kMatmulThreads = 256, kTileColumns = 64, kChunkDepth = 64, kStepDepth = 32, kLimbs = 4, kRowWarps = 2;
constexpr uint32_t kWarpColumns = 16, kFragmentRows = 16, kFragmentColumns = 8, kColumnFragments = kWarpColumns / kFragmentColumns;
constexpr uint32_t kLeftStride = kChunkDepth + 16, kRightGroups = kChunkDepth / kQuadDepth, kRightStride = kTileColumns + 2, kPiece = 16;
static_assert(kTileColumns == kColumnPadding && kChunkDepth == kDepthPadding);
static_assert(kRowWarps * (kTileColumns / kWarpColumns) * kWarp == kMatmulThreads);

/// Of tiles whose warps have `fragments` of 16 rows each.
template <uint32_t fragments>
struct MatmulMap {
  static constexpr uint32_t warp_rows = fragments * kFragmentRows, tile_rows = kRowWarps * warp_rows;
  static constexpr uint32_t left_pieces = tile_rows * kChunkDepth / kPiece, right_pieces = kRightGroups * kTileColumns;
  static constexpr size_t left = 0;
  static constexpr size_t left_bytes = tile_rows * kLeftStride;
  static constexpr size_t right = left + 2 * left_bytes;
  static constexpr size_t right_bytes = kRightGroups * kRightStride * sizeof(uint4);
  static constexpr size_t bytes = right + 2 * right_bytes;
};
constexpr uint32_t kManyRows = 4, kFewRows = 1;
static_assert(MatmulMap<kManyRows>::bytes == 54272 && MatmulMap<kFewRows>::bytes == 38912);
static_assert(MatmulMap<kManyRows>::bytes <= 99 * 1024, "what a block may have on every GPU from sm_80 on");

template <uint32_t fragments>
using Copies = AsyncCopies<(MatmulMap<fragments>::left_pieces + MatmulMap<fragments>::right_pieces + kMatmulThreads - 1) / kMatmulThreads>;

/// One z of the task.
struct Operands {
  const int8_t* left;
  const uint4* right;
  uint32_t* out;
};

/// Starts the copies of both tiles at `depth`. Rows behind the last repeat it; nobody reads what they give.
template <uint32_t fragments>
__device__ __forceinline__ void load_tiles(const MatmulArguments& task, const Operands& operands, uint32_t depth, unsigned char* shared, uint32_t half, Copies<fragments>& copies) {
  using Map = MatmulMap<fragments>;
  unsigned char* left = shared + Map::left + half * Map::left_bytes;
  uint4* right = reinterpret_cast<uint4*>(shared + Map::right + half * Map::right_bytes);
  const uint32_t first_row = blockIdx.y * Map::tile_rows, first_column = blockIdx.x * kTileColumns, right_stride = task.right.stride();
#pragma unroll
  for (uint32_t at = threadIdx.x; at < Map::left_pieces; at += kMatmulThreads) {
    const uint32_t line = at / (kChunkDepth / kPiece), piece = at % (kChunkDepth / kPiece), row = first_row + line < task.rows ? first_row + line : task.rows - 1;
    copies.add(left + line * kLeftStride + piece * kPiece, operands.left + row * task.left_stride + depth + piece * kPiece);
  }
#pragma unroll
  for (uint32_t at = threadIdx.x; at < Map::right_pieces; at += kMatmulThreads) {
    const uint32_t group = at / kTileColumns, column = at % kTileColumns;
    copies.add(right + group * kRightStride + column, operands.right + size_t(depth / kQuadDepth + group) * right_stride + first_column + column);
  }
}

__device__ __forceinline__ uint32_t word_at(const unsigned char* bytes) { return *reinterpret_cast<const uint32_t*>(bytes); }

template <uint32_t fragments>
__global__ __launch_bounds__(kMatmulThreads, 1) void multiply_tiles(const MatmulArguments task) {
  using Map = MatmulMap<fragments>;
  SOTTO_SHARED(shared);
  const uint32_t z = blockIdx.z, lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp, g = lane / 4, t = lane % 4;
  const Operands operands = {task.left + z % task.left_count * task.left_step, task.right.quads + z * task.right.quad_count(), task.out + z * task.out_step};
  const uint32_t warp_row = warp % kRowWarps * Map::warp_rows, warp_column = warp / kRowWarps * kWarpColumns;
  const uint32_t first_row = blockIdx.y * Map::tile_rows + warp_row, first_column = blockIdx.x * kTileColumns + warp_column;
  const bool needed = first_row < task.rows && first_column < task.right.columns;  // by the whole warp alike

  uint32_t sums[fragments][kColumnFragments][kLimbs][4] = {};
  Copies<fragments> copies;
  load_tiles<fragments>(task, operands, 0, shared, 0, copies);
#pragma unroll 1
  for (uint32_t depth = 0, half = 0; depth < task.right.depth; depth += kChunkDepth, half ^= 1) {
    copies.wait();
    __syncthreads();  // this half is there for all, and nobody reads the other any more
    if (depth + kChunkDepth < task.right.depth) load_tiles<fragments>(task, operands, depth + kChunkDepth, shared, half ^ 1, copies);
    const unsigned char* left = shared + Map::left + half * Map::left_bytes + (warp_row + g) * kLeftStride + 4 * t;
    const uint4* right = reinterpret_cast<const uint4*>(shared + Map::right + half * Map::right_bytes) + t * kRightStride + warp_column + g;
#pragma unroll
    for (uint32_t step = 0; step < kChunkDepth; step += kStepDepth) {
      if (!needed || depth + step >= task.right.depth) continue;
      uint32_t a[fragments][4];
#pragma unroll
      for (uint32_t i = 0; i < fragments; i++) {
        const unsigned char* rows = left + i * kFragmentRows * kLeftStride + step;
        a[i][0] = word_at(rows), a[i][1] = word_at(rows + 8 * kLeftStride), a[i][2] = word_at(rows + 16), a[i][3] = word_at(rows + 8 * kLeftStride + 16);
      }
#pragma unroll
      for (uint32_t j = 0; j < kColumnFragments; j++) {
        const uint4 low = right[step / kQuadDepth * kRightStride + j * kFragmentColumns], high = right[(step / kQuadDepth + 4) * kRightStride + j * kFragmentColumns];
        const uint32_t b[kLimbs][2] = {{low.x, high.x}, {low.y, high.y}, {low.z, high.z}, {low.w, high.w}};
#pragma unroll
        for (uint32_t i = 0; i < fragments; i++)
#pragma unroll
          for (uint32_t l = 0; l < kLimbs; l++) mma_s8u8(sums[i][j][l], a[i], b[l][0], b[l][1]);
      }
    }
  }

#pragma unroll
  for (uint32_t i = 0; i < fragments; i++)
#pragma unroll
    for (uint32_t j = 0; j < kColumnFragments; j++)
#pragma unroll
      for (uint32_t at = 0; at < 4; at++) {
        const uint32_t row = first_row + i * kFragmentRows + g + 8 * (at / 2), column = first_column + j * kFragmentColumns + 2 * t + at % 2;
        if (row >= task.rows || column >= task.right.columns) continue;
        uint32_t* out = operands.out + row * task.out_stride + column;
        const uint32_t sum = sums[i][j][0][at] + (sums[i][j][1][at] << 8) + (sums[i][j][2][at] << 16) + (sums[i][j][3][at] << 24);
        *out = task.out_shift < 0 ? sum : (*out << task.out_shift) + sum;
      }
}

template <uint32_t fragments>
int32_t multiply(Lane& lane, const MatmulArguments& arguments) {
  using Map = MatmulMap<fragments>;
  const dim3 grid(divide_up(arguments.right.columns, kTileColumns), divide_up(arguments.rows, Map::tile_rows), arguments.batch);
  return lane.status(launch(multiply_tiles<fragments>, grid, kMatmulThreads, Map::bytes, lane.stream(), arguments), "a matrix product");
}

}  // namespace

int32_t matmul_i8_u32(Lane& lane, const MatmulArguments& arguments) {
  return arguments.rows <= MatmulMap<kFewRows>::tile_rows ? multiply<kFewRows>(lane, arguments) : multiply<kManyRows>(lane, arguments);
}

int32_t upload_left(Lane& lane, const uint8_t* rows, size_t row_count, size_t depth, int8_t* left) {
  const size_t stride = left_stride(depth);
  if (stride == depth) return lane.upload(left, rows, row_count * depth);
  const size_t chunk = std::clamp<size_t>((size_t(4) << 20) / stride, 1, row_count);
  Buffer<uint8_t> padded(chunk * stride);
  if (!padded.ok()) return out_of_memory("a left factor");
  memset(padded.data(), 0, padded.size());
  for (size_t first = 0; first < row_count; first += chunk) {
    const size_t count = std::min(chunk, row_count - first);
    for (size_t i = 0; i < count; i++) memcpy(padded.data() + i * stride, rows + (first + i) * depth, depth);
    if (const int32_t status = lane.upload(left + first * stride, padded.data(), count * stride)) return status;
  }
  return SOTTO_OK;
}

}  // namespace sotto::cuda
