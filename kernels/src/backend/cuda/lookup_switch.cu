// Key switch and modulus switch of a batch of lookups.
//
// Memory map: digits: registers only; modulus switch: shared, one 64-bit sum a thread, 2,048 bytes.
// Floor on H100, a lookup: digits read 8 KB and write 16 KB, 7.3 ns; the product is that of matmul.cu; exponents read and write 3.4 KB each, 2 ns.
// Predicted at half the bandwidth: 19 ns a lookup for both.
#include "backend/cuda/lookup_switch.cuh"

#include "backend/cuda/matmul.cuh"

namespace sotto::cuda {
namespace {

constexpr uint32_t kSwitchThreads = 256, kLevels = kSwitchGadget.level_count, kBaseLog = kSwitchGadget.base_log, kBase = 1u << kBaseLog;
static_assert(kLevels == 8, "the digits of a mask word are one store of eight bytes");
constexpr uint32_t kDropped = 32 - kLevels * kBaseLog;

constexpr uint32_t raised() {
  uint32_t sum = 0;
  for (uint32_t level = 0; level < kLevels; level++) sum = sum << kBaseLog | kBase / 2;
  return sum;
}

/// Minus the signed digits of the masks, most significant first (crypto/lookup_switch.cc).
__global__ __launch_bounds__(kSwitchThreads) void negate_digits(const uint32_t* lwe, int8_t* digits) {
  const uint32_t j = blockIdx.x * kSwitchThreads + threadIdx.x;
  const size_t row = blockIdx.y;
  const uint32_t fields = ((lwe[row * kLweWords + j] + (1u << (kDropped - 1))) >> kDropped) + raised();
  uint32_t halves[2] = {};
#pragma unroll
  for (uint32_t level = 0; level < kLevels; level++) {
    const uint32_t digit = kBase / 2 - (fields >> (kBaseLog * (kLevels - 1 - level)) & (kBase - 1));
    halves[level / 4] |= (digit & 255) << (8 * (level % 4));
  }
  uint2 bytes;
  bytes.x = halves[0], bytes.y = halves[1];
  *reinterpret_cast<uint2*>(digits + row * kSwitchRows + j * kLevels) = bytes;
}

__global__ __launch_bounds__(kSwitchThreads) void add_bodies(const uint32_t* lwe, uint32_t count, uint32_t* small, uint32_t stride, uint32_t dimension) {
  const uint32_t row = blockIdx.x * kSwitchThreads + threadIdx.x;
  if (row < count) small[size_t(row) * stride + dimension] += lwe[size_t(row) * kLweWords + kDegree];
}

/// A block a row. Sums of rounding errors are exact in 64 bits, so their order does not matter.
__global__ __launch_bounds__(kSwitchThreads) void round_to_exponents(const uint32_t* small, uint32_t stride, uint32_t dimension, uint32_t key_block, uint32_t values_log, uint32_t* exponents) {
  SOTTO_SHARED(shared);
  uint64_t* drifts = reinterpret_cast<uint64_t*>(shared);
  const uint32_t* words = small + size_t(blockIdx.x) * stride;
  uint32_t* out = exponents + size_t(blockIdx.x) * stride;
  const uint32_t dropped = 32 - (Context::kLogDegree + 1) + values_log, half = 1u << (dropped - 1);
  int64_t drift = 0;
  for (uint32_t i = threadIdx.x; i < dimension; i += kSwitchThreads) {
    const uint32_t position = (words[i] + half) >> dropped;  // wraps to 0 at the top
    drift += int32_t((position << dropped) - words[i]);
    out[i] = position << values_log;
  }
  drifts[threadIdx.x] = uint64_t(drift);
#pragma unroll 1
  for (uint32_t width = kSwitchThreads / 2; width; width /= 2) {
    __syncthreads();
    if (threadIdx.x < width) drifts[threadIdx.x] += drifts[threadIdx.x + width];
  }
  if (threadIdx.x == 0) out[dimension] = ((words[dimension] + uint32_t(int64_t(drifts[0]) / (int64_t(key_block) + 1)) + half) >> dropped) << values_log;
}

}  // namespace

RightFactor switching_factor(const sotto_lookup_keys& keys, void* memory) { return {static_cast<uint4*>(memory), kSwitchRows, small_words(keys.small())}; }

size_t switching_key_bytes(const sotto_lookup_keys& keys) { return switching_factor(keys, nullptr).quad_count() * sizeof(uint4); }

int32_t upload_switching_key(Lane& lane, const sotto_lookup_keys& keys, void* key) {
  return upload_right_columns(lane, reinterpret_cast<const uint32_t*>(keys.switching.data()), switching_factor(keys, key));
}

int32_t switch_to_small(Lane& lane, const sotto_lookup_keys& keys, const RightFactor& key, const uint32_t* lwe, uint32_t count, int8_t* digits, uint32_t* small) {
  const SmallSet& set = keys.small();
  const uint32_t stride = small_row_words(set);
  if (const int32_t status = lane.status(launch(negate_digits, dim3(kDegree / kSwitchThreads, count), kSwitchThreads, 0, lane.stream(), lwe, digits), "the digits of a key switch")) return status;
  if (const int32_t status = matmul_i8_u32(lane, {digits, kSwitchRows, key, small, stride, count})) return status;
  return lane.status(launch(add_bodies, divide_up(count, kSwitchThreads), kSwitchThreads, 0, lane.stream(), lwe, count, small, stride, set.dimension), "the bodies of a key switch");
}

int32_t switch_to_exponents(Lane& lane, const SmallSet& set, const uint32_t* small, uint32_t count, uint32_t values_log, uint32_t* exponents) {
  return lane.status(launch(round_to_exponents, count, kSwitchThreads, kSwitchThreads * sizeof(int64_t), lane.stream(), small, small_row_words(set), set.dimension, set.block, values_log, exponents),
                     "a modulus switch");
}

}  // namespace sotto::cuda
