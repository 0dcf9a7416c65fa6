// Products on tokens: W times the bodies of a request and the masks of its seed (crypto/token_product.hpp), coefficient by coefficient, so that coefficients are the columns of a matrix
// product mod 2^32. Masks are expanded here, bodies come packed, answers leave packed.
//
// Memory map: registers only (64 words of mask stream a thread); the product is that of matmul.cu. Device memory of a run: packed bodies, a panel of at most 1,024 columns as right factor
// and as product, packed answers.
// Floors on H100, 2048 x 2048, 1,024 tokens of 26 bits, fresh, answers of 22 and 17 bits: mask stream 131,072 blocks of 1,024 instructions: 9 us; unpacking 15 MB, packing 27 MB: 5 and
// 8 us; products 73 us (predicted 123); copies 6.8 MB up and 10.2 MB down at 25 GB/s: 0.27 and 0.41 ms. The copies decide. Two lanes have half the rows each and all bodies: predicted,
// with copies between pageable and pinned memory at 10 GB/s, 0.68 + 0.14 + 0.51 ms: 1.3 us a token; cached (bodies alone, 2.2 MB down a lane) 0.97 ms: 1.0 us.
#include <string.h>

#include <algorithm>

#include "backend/cuda/matmul.cuh"
#include "backend/cuda/operations.cuh"
#include "core/bits.hpp"

namespace sotto::cuda {
namespace {

constexpr uint32_t kTokenThreads = 128, kPanelColumns = 1024;
constexpr uint64_t kRowsPerRun = 8192;
static_assert(kPanelColumns % kColumnPadding == 0 && kPanelColumns % 8 == 0, "a panel starts at a byte of every record");

/// A stream of masks, by value: public.
struct MaskStream {
  uint32_t key[8];
  uint64_t first;
};

__device__ __forceinline__ uint32_t rotate_left(uint32_t x, int n) { return x << n | x >> (32 - n); }

__device__ __forceinline__ void quarter_round(uint32_t& a, uint32_t& b, uint32_t& c, uint32_t& d) {
  a += b, d = rotate_left(d ^ a, 16);
  c += d, b = rotate_left(b ^ c, 12);
  a += b, d = rotate_left(d ^ a, 8);
  c += d, b = rotate_left(b ^ c, 7);
}

/// RFC 8439, 2.3, with the nonce of crypto/token_ring.hpp: block `counter` of mask `index`.
__device__ __forceinline__ void mask_block(const MaskStream& stream, uint64_t index, uint32_t counter, uint32_t (&out)[kMaskBlockWords]) {
  const uint32_t start[kMaskBlockWords] = {0x61707865,    0x3320646e,    0x79622d32,    0x6b206574,    stream.key[0], stream.key[1],   stream.key[2],         stream.key[3],
                                           stream.key[4], stream.key[5], stream.key[6], stream.key[7], counter,       uint32_t(index), uint32_t(index >> 32), kTokenMaskDomain};
#pragma unroll
  for (uint32_t i = 0; i < kMaskBlockWords; i++) out[i] = start[i];
#pragma unroll 2
  for (uint32_t round = 0; round < 10; round++) {
    quarter_round(out[0], out[4], out[8], out[12]);
    quarter_round(out[1], out[5], out[9], out[13]);
    quarter_round(out[2], out[6], out[10], out[14]);
    quarter_round(out[3], out[7], out[11], out[15]);
    quarter_round(out[0], out[5], out[10], out[15]);
    quarter_round(out[1], out[6], out[11], out[12]);
    quarter_round(out[2], out[7], out[8], out[13]);
    quarter_round(out[3], out[4], out[9], out[14]);
  }
#pragma unroll
  for (uint32_t i = 0; i < kMaskBlockWords; i++) out[i] += start[i];
}

/// Columns [first_column, + right.columns), whole blocks, of masks 0 to right.depth: a thread has one block of each of four masks.
__global__ __launch_bounds__(kTokenThreads) void expand_masks(const MaskStream stream, uint32_t first_column, const RightFactor right) {
  const uint32_t blocks = right.columns / kMaskBlockWords, at = blockIdx.x * kTokenThreads + threadIdx.x, block = at % blocks, group = at / blocks;
  if (group >= right.groups()) return;
  uint32_t words[kQuadDepth][kMaskBlockWords];
#pragma unroll
  for (uint32_t i = 0; i < kQuadDepth; i++) {
    const uint32_t mask = group * kQuadDepth + i;
    mask_block(stream, stream.first + mask, first_column / kMaskBlockWords + block, words[i]);
    if (mask < right.depth) continue;
#pragma unroll
    for (uint32_t j = 0; j < kMaskBlockWords; j++) words[i][j] = 0;
  }
  uint4* out = right.quads + size_t(group) * right.stride() + block * kMaskBlockWords;
#pragma unroll
  for (uint32_t j = 0; j < kMaskBlockWords; j++) out[j] = quad_of(words[0][j], words[1][j], words[2][j], words[3][j]);
}

/// Columns [first_column, + right.columns) of packed records, each value at the top of its word: a quad a thread.
__global__ __launch_bounds__(kTokenThreads) void unpack_bodies(const uint8_t* records, size_t record_bytes, uint32_t bits, uint32_t first_column, const RightFactor right) {
  const size_t at = size_t(blockIdx.x) * kTokenThreads + threadIdx.x;
  const uint32_t group = uint32_t(at / right.stride()), column = uint32_t(at % right.stride());
  if (group >= right.groups()) return;
  uint32_t x[kQuadDepth] = {};
  const size_t bit = size_t(first_column + column) * bits, end = (bit + bits + 7) / 8;
#pragma unroll
  for (uint32_t i = 0; i < kQuadDepth; i++) {
    const uint32_t row = group * kQuadDepth + i;
    if (row >= right.depth || column >= right.columns) continue;
    uint64_t word = 0;
    for (size_t byte = bit / 8; byte < end; byte++) word |= uint64_t(records[row * record_bytes + byte]) << 8 * (byte - bit / 8);
    x[i] = uint32_t(word >> bit % 8) << (32 - bits);
  }
  right.quads[at] = quad_of(x[0], x[1], x[2], x[3]);
}

/// Packs `columns` words of row blockIdx.y at `bits` bits, rounded, into its record from byte `first_byte` on: a byte a thread. A byte has bits of two values at most, as bits >= 8.
__global__ __launch_bounds__(kTokenThreads) void pack_words_of_rows(const uint32_t* words, uint32_t columns, uint32_t bits, uint8_t* records, size_t record_bytes, size_t first_byte) {
  const uint32_t byte = blockIdx.x * kTokenThreads + threadIdx.x;
  if (byte >= (size_t(columns) * bits + 7) / 8) return;
  const uint32_t dropped = 32 - bits, half = dropped ? 1u << (dropped - 1) : 0, column = byte * 8 / bits, skipped = byte * 8 % bits;
  const uint32_t* row = words + size_t(blockIdx.y) * columns;
  uint32_t out = (row[column] + half) >> dropped >> skipped;
  if (column + 1 < columns && bits - skipped < 8) out |= (row[column + 1] + half) >> dropped << (bits - skipped);
  records[blockIdx.y * record_bytes + first_byte + byte] = uint8_t(out);
}

/// W of one direction on a device, rows of left_stride(): the high limbs, then the low ones if there are any.
int32_t acquire_matrix(Lane& lane, const sotto_token_matrix& matrix, uint32_t direction, ResidentUse& use) {
  const auto& side = matrix.sides[direction];
  const size_t limb_bytes = side.row_count * left_stride(side.depth);
  return use.acquire(matrix.id, direction == kForward ? Part::forward : Part::backward, (side.low.size() ? 2 : 1) * limb_bytes, [&](unsigned char* memory) -> int32_t {
    int8_t* left = reinterpret_cast<int8_t*>(memory);
    if (const int32_t status = upload_left(lane, side.left.data(), side.row_count, side.depth, left)) return status;
    if (side.low.size())
      if (const int32_t status = upload_left(lane, side.low.data(), side.row_count, side.depth, left + limb_bytes)) return status;
    return lane.wait();
  });
}

/// What the panels of a run share.
struct PanelTask {
  const sotto_token_matrix::Side& side;
  const int8_t* left;
  uint64_t first, count;  // rows
  uint4* quads;
  uint32_t* product;
};

/// Multiplies the panel in task.quads and packs the result into records of `record_bytes` from column `column` on.
int32_t multiply_panel(Lane& lane, const PanelTask& task, const RightFactor& right, uint32_t column, uint32_t bits, uint8_t* records, size_t record_bytes) {
  const size_t stride = left_stride(task.side.depth);
  MatmulArguments product = {task.left + task.first * stride, stride, right, task.product, right.columns, uint32_t(task.count)};
  if (const int32_t status = matmul_i8_u32(lane, product)) return status;
  if (task.side.low.size()) {
    product.left += task.side.row_count * stride;
    product.out_shift = kLowBits;
    if (const int32_t status = matmul_i8_u32(lane, product)) return status;
  }
  const dim3 grid(divide_up(packed_bytes(right.columns, bits), kTokenThreads), uint32_t(task.count));
  return lane.status(launch(pack_words_of_rows, grid, kTokenThreads, 0, lane.stream(), task.product, right.columns, bits, records, record_bytes, size_t(column) * bits / 8), "packing answers");
}

int32_t multiply_masks(Lane& lane, const PanelTask& task, const TokenProductBatch& batch, uint8_t* records) {
  MaskStream stream;
  memcpy(stream.key, batch.mask_seed, sizeof stream.key);
  stream.first = batch.shape.first_mask;
  const uint32_t bits = batch.shape.mask_bits;
  for (uint32_t column = 0; column < batch.shape.set; column += kPanelColumns) {
    const RightFactor right = {task.quads, uint32_t(task.side.depth), std::min(kPanelColumns, batch.shape.set - column)};
    const uint32_t threads = right.groups() * (right.columns / kMaskBlockWords);
    if (const int32_t status = lane.status(launch(expand_masks, divide_up(threads, kTokenThreads), kTokenThreads, 0, lane.stream(), stream, column, right), "expanding masks")) return status;
    if (const int32_t status = multiply_panel(lane, task, right, column, bits, records, packed_bytes(batch.shape.set, bits))) return status;
  }
  return SOTTO_OK;
}

int32_t multiply_bodies(Lane& lane, const PanelTask& task, const TokenProductBatch& batch, const uint8_t* bodies, uint8_t* records) {
  const auto& shape = batch.shape;
  const size_t body_bytes = packed_bytes(shape.token_count, shape.body_bits);
  for (uint32_t column = 0; column < shape.token_count; column += kPanelColumns) {
    const RightFactor right = {task.quads, uint32_t(task.side.depth), std::min(kPanelColumns, shape.token_count - column)};
    if (const int32_t status = lane.status(launch(unpack_bodies, divide_up(right.quad_count(), kTokenThreads), kTokenThreads, 0, lane.stream(), bodies, body_bytes, shape.body_bits, column, right), "unpacking bodies")) return status;
    if (const int32_t status = multiply_panel(lane, task, right, column, shape.answer_bits, records, packed_bytes(shape.token_count, shape.answer_bits))) return status;
  }
  return SOTTO_OK;
}

uint64_t rows_per_run(const Device&, const TokenProductBatch&) { return kRowsPerRun; }

int32_t run_token_product(Device& device, const TokenProductBatch& batch, uint64_t first, uint64_t count) {
  const auto& side = batch.matrix->sides[batch.direction];
  const auto& shape = batch.shape;
  const bool masks = batch.parts & kMasks, bodies = batch.parts & kBodies;
  const TokenAnswerBytes bytes = TokenAnswerBytes::of(shape, batch.parts);
  const size_t body_bytes = bodies ? side.depth * packed_bytes(shape.token_count, shape.body_bits) : 0;
  const uint32_t width = std::min(kPanelColumns, masks ? shape.set : shape.token_count);
  LaneUse lane(device);
  if (const int32_t status = lane.ready()) return status;
  ResidentUse matrix(*lane);
  if (const int32_t status = acquire_matrix(*lane, *batch.matrix, batch.direction, matrix)) return status;
  uint8_t *packed = nullptr, *mask_answers = nullptr, *body_answers = nullptr;
  PanelTask task = {side, matrix.as<int8_t>(), first, count, nullptr, nullptr};
  const int32_t reserved = lane->reserve([&](Slices& slices) {
    packed = slices.take<uint8_t>(body_bytes);
    mask_answers = slices.take<uint8_t>(count * bytes.mask);
    body_answers = slices.take<uint8_t>(count * bytes.body);
    task.quads = slices.take<uint4>(RightFactor{nullptr, uint32_t(side.depth), width}.quad_count());
    task.product = slices.take<uint32_t>(count * width);
  });
  if (reserved) return reserved;
  if (masks)
    if (const int32_t status = multiply_masks(*lane, task, batch, mask_answers)) return status;
  if (bodies) {
    if (const int32_t status = lane->upload(packed, batch.bodies, body_bytes)) return status;
    if (const int32_t status = multiply_bodies(*lane, task, batch, packed, body_answers)) return status;
  }
  if (masks)
    if (const int32_t status = lane->download(batch.answers + first * bytes.mask, mask_answers, count * bytes.mask)) return status;
  return lane->download(batch.answers + side.row_count * bytes.mask + first * bytes.body, body_answers, count * bytes.body);
}

}  // namespace

void add_token_product(DeviceOperations& operations) { operations.token_product = {run_token_product, rows_per_run}; }

}  // namespace sotto::cuda
