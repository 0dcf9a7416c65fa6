// Blind rotation with block-binary keys (Lee, Min, Seo, Song, "Faster TFHE bootstrapping with block binary keys", AsiaCCS 2023, algorithm 2), from the table to the
// extracted lwe in one launch: for each block of the key acc += sum_i (X^(e_i) - 1) (acc x rgsw(z_i)), with one transform of the digits and one inverse for all i.
//
// A block of 512 threads rotates `batch` accumulators; its first half owns the parts a, the second the parts b: thread t of a half holds coefficients t + 256 k of its
// part. Digits and sums are owned at the transformed places of transform.cuh, so that only digits cross from one half to the other.
//
// Memory map (bytes; L levels, G accumulators, N = 2048):
//   digits        G * 2 L rows of 18,432     transformed digits, and the exchanges of all transforms
//   accumulators  G * 2 * 16,384             canonical coefficients
//   powers        16,384                     psi^k, k < N; psi^(k + N) = -psi^k
// L, G = 1, 2: 155,648; 2, 1: 122,880; 2, 2: 229,376 (sm_90 only); 3, 1: 159,744. One block a multiprocessor, 16 warps, at most 128 registers a thread.
//
// Key order: slice of a block of the key, part, pair j of places, row (i, r) of the slice, thread, 2 words: a warp reads 512 consecutive bytes, and a thread's rows are 4 KB apart.
//
// One launch for all blocks of the key instead of one a block: a launch a block would write and read 32 KB of accumulators for each, 64 KB against 196 KB of key slice
// (L = 1), and start 280 kernels. No barrier of the whole grid is needed either: blocks of threads do equal work, so they read a slice at about the same time, and the
// second-level cache (50 MB) holds 250 slices of L = 1, 125 of L = 2; each slice comes from memory once a wave of blocks, 55 MB a wave of 264 lookups against 3.35 TB/s: 16 us.
//
// Floor on H100 (132 multiprocessors at 1.755 GHz; 64 lanes a cycle of doubles, of 32-bit multiply-adds and of additions, 4 instructions of a warp a cycle; second-level
// cache about 5.5 TB/s = 23.7 bytes a cycle of each), cycles a lookup and block of three, instructions counted in the assembler's output for sm_90. Integers: all
// instructions, or the multiply-adds if those with 64-bit results run at half rate.
//   L  G   doubles   integers           key bytes of the cache   at 60 %, lookups a second: doubles, integers
//   1  2   12,300    16,400 to 21,500    98 KB, 4,150 cycles     40,000, 23,000 to 30,000
//   2  2   18,200    23,100 to 30,600   196 KB, 8,300            27,000, 16,000 to 21,000
//   3  1   24,200    30,700 to 41,900   590 KB, 24,900           20,000 (as the cache), 12,000 to 16,000
// (lookups a second = 0.6 * 132 * 1.755e9 / (280 * cycles).) The twin, n = 880 in blocks of one, has 880 steps of the same transforms and a third of the products: about
// 2.5 times as long.
#include "backend/cuda/rotation.cuh"

#include "backend/cuda/ring_steps.cuh"

namespace sotto::cuda {
namespace {

constexpr uint32_t kRotationThreads = 2 * kTransformThreads, kPairs = kPoints / 2;

template <uint32_t levels, uint32_t batch>
struct RotationMap {
  static constexpr uint32_t rows = 2 * levels;
  static constexpr size_t digits = 0;
  static constexpr size_t accumulators = digits + size_t(batch) * rows * kExchangeWords * sizeof(uint64_t);
  static constexpr size_t powers = accumulators + size_t(batch) * kCiphertextWords * sizeof(uint64_t);
  static constexpr size_t bytes = powers + kDegree * sizeof(uint64_t);
};
static_assert(RotationMap<1, 2>::bytes == 155648 && RotationMap<1, 2>::bytes <= kShared80);
static_assert(RotationMap<2, 1>::bytes <= kShared80 && RotationMap<2, 2>::bytes <= kShared90);
static_assert(RotationMap<3, 1>::bytes == 159744 && RotationMap<3, 1>::bytes <= kShared80);
static_assert(kRotationThreads * 128 <= 65536, "registers of a multiprocessor");

/// First word of the pair j of thread t in row (i, r) of a slice.
__device__ __forceinline__ size_t key_place(uint32_t rows_of_slice, uint32_t slice, uint32_t part, uint32_t pair, uint32_t row, uint32_t t) {
  return ((size_t(2 * slice + part) * kPairs + pair) * rows_of_slice + row) * kTransformThreads * 2 + 2 * t;
}

/// One canonical transformed polynomial a block: polynomial (bit, row, part), counted from `first`, to its places in the key.
template <class Field>
__global__ __launch_bounds__(kTransformThreads) void arrange_key(const uint64_t* polynomials, uint32_t first, uint32_t block, uint32_t rows, typename Field::Key* key_words) {
  const uint32_t index = first + blockIdx.x, part = index % 2, row = index / 2 % rows, bit = index / 2 / rows, t = threadIdx.x;
  const uint64_t* polynomial = polynomials + size_t(blockIdx.x) * kDegree;
#pragma unroll
  for (uint32_t pair = 0; pair < kPairs; pair++) {
    const uint32_t at = bottom_place(t, 2 * pair);
    store_pair(key_words + key_place(block * rows, bit / block, part, pair, bit % block * rows + row, t), Field::key_of(polynomial[at]), Field::key_of(polynomial[at + 1]));
  }
}

/// round(x 2^32 / q) mod 2^32, as in crypto/compression.cc.
__device__ __forceinline__ uint32_t switch_to_torus(uint64_t x) {
  const uint64_t estimate = uint64_t(__ddiv_rn(double(x) * 4294967296.0, double(kQ)));
  const int64_t rest = int64_t((x << 32) + (kQ - 1) / 2 - estimate * kQ);  // exact mod 2^64, between -q and 2 q
  return uint32_t(estimate) - uint32_t(rest < 0) + uint32_t(rest >= int64_t(kQ));
}

/// Coefficient `position` of (a, b) as lwe, by all threads.
__device__ __forceinline__ void extract(const uint64_t* a, const uint64_t* b, uint32_t position, uint32_t* lwe) {
  for (uint32_t j = threadIdx.x; j < kDegree; j += kRotationThreads) {
    const uint32_t switched = switch_to_torus(a[(position - j) & (kDegree - 1)]);
    lwe[j] = j <= position ? switched : 0u - switched;
  }
  if (threadIdx.x == 0) lwe[kDegree] = switch_to_torus(b[position]);
}
__device__ __forceinline__ void extract(const uint64_t* a, const uint64_t* b, uint32_t position, uint64_t* lwe) {
  for (uint32_t j = threadIdx.x; j < kDegree; j += kRotationThreads) {
    const uint64_t x = a[(position - j) & (kDegree - 1)];
    lwe[j] = j <= position ? x : negate_canonical(x);
  }
  if (threadIdx.x == 0) lwe[kDegree] = b[position];
}

template <class Field>
struct RotationArguments {
  RingConstants<Field> ring;
  const typename Field::Key* key_words;
  const uint32_t* exponents;
  const uint64_t* tables;
  size_t first_table;
  const uint32_t* indices;
  uint32_t dimension, stride, count, values_log;
  uint64_t* accumulators;
  uint32_t* results_u32;
  uint64_t* results_u64;
};

/// sum_i (X^(e_i) - 1) sum_r digits_r key_(i, r) at the places of this thread, for one part.
template <class Field, uint32_t levels, uint32_t block, uint32_t batch>
__device__ __forceinline__ void block_product(typename Field::Word (&out)[batch][kPoints], const typename Field::Word* digits, const typename Field::Key* powers,
                                              const typename Field::Key* key_words, uint32_t slice, uint32_t part, const uint32_t* const (&exponents)[batch], uint32_t t) {
  using Word = typename Field::Word;
  using Key = typename Field::Key;
  constexpr uint32_t kRows = 2 * levels;
  // More at once would not fit the registers.
  [[maybe_unused]] constexpr uint32_t kKeysAtOnce = levels * batch > 1 ? 1 : block;
  const uint32_t odd = (__brev(bottom_place(t, 0)) >> 20) + 1;  // 2 bit_reverse(place) + 1, eleven bits
#pragma unroll 1
  for (uint32_t pair = 0; pair < kPairs; pair++) {
    const uint32_t place = exchange_place(bottom_place(t, 2 * pair));
    // bits 1 and 7 of the place are bits 9 and 3 of its reverse
    const uint32_t odd_here = odd + (pair & 1) * 1024 + (pair >> 1) * 16;
    typename Field::Sum total[batch][2];
#pragma unroll
    for (uint32_t g = 0; g < batch; g++) total[g][0] = total[g][1] = Field::zero();
#pragma unroll kKeysAtOnce
    for (uint32_t i = 0; i < block; i++) {
      typename Field::Sum sum[batch][2];
#pragma unroll
      for (uint32_t g = 0; g < batch; g++) sum[g][0] = sum[g][1] = Field::zero();
#pragma unroll
      for (uint32_t row = 0; row < kRows; row++) {
        const Pair<Key> key = load_pair(key_words + key_place(block * kRows, slice, part, pair, i * kRows + row, t));
#pragma unroll
        for (uint32_t g = 0; g < batch; g++) {
          const Pair<Word> digit = load_pair(digits + (g * kRows + row) * kExchangeWords + place);
          Field::multiply_add(sum[g][0], digit.x, key.x);
          Field::multiply_add(sum[g][1], digit.y, key.y);
        }
      }
#pragma unroll
      for (uint32_t g = 0; g < batch; g++) {
        // The place after an even one has the exponent N e more: psi^(N e) = (-1)^e.
        const uint32_t exponent = __ldg(exponents[g] + i), at = exponent * odd_here & kExponentMask;
        Key power = powers[at & (kDegree - 1)];
        if (at & kDegree) power = Field::negate(power);
        const Key next = exponent & 1 ? Field::negate(power) : power;
        Field::multiply_add(total[g][0], Field::reduce(sum[g][0]), Field::minus_one(power));
        Field::multiply_add(total[g][1], Field::reduce(sum[g][1]), Field::minus_one(next));
      }
    }
#pragma unroll
    for (uint32_t g = 0; g < batch; g++) {
      const Word low = Field::reduce(total[g][0]), high = Field::reduce(total[g][1]);
#pragma unroll
      for (uint32_t k = 0; k < kPairs; k++)  // constant indices keep `out` in registers
        if (k == pair) out[g][2 * k] = low, out[g][2 * k + 1] = high;
    }
  }
}

template <class Field, uint32_t levels, uint32_t base_log, uint32_t block, uint32_t batch>
__global__ __launch_bounds__(kRotationThreads, 1) void rotate_blindly(const RotationArguments<Field> task) {
  using Word = typename Field::Word;
  using Key = typename Field::Key;
  using Map = RotationMap<levels, batch>;
  SOTTO_SHARED(shared);
  Word* digits = reinterpret_cast<Word*>(shared + Map::digits);
  uint64_t* accumulators = reinterpret_cast<uint64_t*>(shared + Map::accumulators);
  Key* powers = reinterpret_cast<Key*>(shared + Map::powers);
  const uint32_t t = threadIdx.x % kTransformThreads, part = threadIdx.x / kTransformThreads, first = blockIdx.x * batch;
  const auto lookup_of = [&](uint32_t g) { return first + g < task.count ? first + g : task.count - 1; };  // what is beyond repeats the last
  const auto own = [&](uint32_t g) { return accumulators + (2 * g + part) * kDegree; };

  for (uint32_t k = threadIdx.x; k < kDegree; k += kRotationThreads) powers[k] = task.ring.powers[k];
#pragma unroll
  for (uint32_t g = 0; g < batch; g++) {  // (0, table X^-body)
    const uint32_t lookup = lookup_of(g), body = task.exponents[size_t(lookup) * task.stride + task.dimension];
    const uint64_t* table = task.tables + (task.indices ? task.indices[lookup] - task.first_table : 0) * kDegree;
#pragma unroll
    for (uint32_t k = 0; k < kPoints; k++) {
      const uint32_t at = (top_place(t, k) + body) & kExponentMask;
      const uint64_t x = table[at & (kDegree - 1)];
      own(g)[top_place(t, k)] = !part ? 0 : at & kDegree ? negate_canonical(x) : x;
    }
  }

#pragma unroll 1
  for (uint32_t bit = 0; bit < task.dimension; bit += block) {
#pragma unroll 1
    for (uint32_t level = 0; level < levels; level++) {
      Word x[batch][kPoints];
      Word* exchange[batch];
#pragma unroll
      for (uint32_t g = 0; g < batch; g++) {
        exchange[g] = digits + (g * Map::rows + part * levels + level) * kExchangeWords;
#pragma unroll
        for (uint32_t k = 0; k < kPoints; k++) x[g][k] = Field::of_digit(digit_of<levels, base_log>(own(g)[top_place(t, k)], level));
      }
      forward_transform<Field, batch, true>(task.ring, x, exchange, t);
      write_bottom<batch>(x, exchange, t);
    }
    __syncthreads();  // the digits are there

    const uint32_t* exponents[batch];
#pragma unroll
    for (uint32_t g = 0; g < batch; g++) exponents[g] = task.exponents + size_t(lookup_of(g)) * task.stride + bit;
    Word x[batch][kPoints];
    block_product<Field, levels, block, batch>(x, digits, powers, task.key_words, bit / block, part, exponents, t);
    __syncthreads();  // the digits are no longer needed

    // The inverse exchanges in the last row of the part. With several levels the next step starts in another one, and its first barrier comes before this row is
    // written again; with one level it is the same row.
    Word* exchange[batch];
#pragma unroll
    for (uint32_t g = 0; g < batch; g++) exchange[g] = digits + (g * Map::rows + part * levels + levels - 1) * kExchangeWords;
    inverse_transform<Field, batch>(task.ring, x, exchange, t);
#pragma unroll
    for (uint32_t g = 0; g < batch; g++)
#pragma unroll
      for (uint32_t k = 0; k < kPoints; k++) own(g)[top_place(t, k)] = add_canonical(own(g)[top_place(t, k)], Field::canonical(x[g][k]));
    if (levels == 1) __syncthreads();
  }

  if (levels > 1) __syncthreads();  // the accumulators are there
  for (uint32_t g = 0; g < batch && first + g < task.count; g++) {
    const uint64_t *a = accumulators + 2 * g * kDegree, *b = a + kDegree;
    if (task.accumulators)
      for (uint32_t j = threadIdx.x; j < kCiphertextWords; j += kRotationThreads) task.accumulators[size_t(first + g) * kCiphertextWords + j] = a[j];
    for (uint32_t i = 0; i < 1u << task.values_log; i++) {
      const size_t at = ((size_t(first + g) << task.values_log) + i) * kLweWords;
      if (task.results_u32) extract(a, b, i, task.results_u32 + at);
      if (task.results_u64) extract(a, b, i, task.results_u64 + at);
    }
  }
}

template <class Field, uint32_t index, uint32_t block, uint32_t batch>
int32_t launch_rotation(Lane& lane, const RotationTask& task) {
  constexpr uint32_t kLevels = Context::kParameters.lookup_level_count[index], kBaseLog = Context::kParameters.lookup_base_log[index];
  const SmallSet& set = task.keys->small();
  const bool lwe = task.results != nullptr;
  RotationArguments<Field> arguments = {lane.gpu().constants<Field>(),
                                        static_cast<const typename Field::Key*>(task.key_words),
                                        task.exponents,
                                        task.tables,
                                        task.first_table,
                                        task.indices,
                                        task.dimension,
                                        small_row_words(set),
                                        task.count,
                                        task.values_log,
                                        task.accumulators,
                                        lwe && task.modulus == LookupModulus::torus32 ? static_cast<uint32_t*>(task.results) : nullptr,
                                        lwe && task.modulus == LookupModulus::ring ? static_cast<uint64_t*>(task.results) : nullptr};
  return lane.status(launch(rotate_blindly<Field, kLevels, kBaseLog, block, batch>, divide_up(task.count, batch), kRotationThreads, RotationMap<kLevels, batch>::bytes, lane.stream(), arguments),
                     "a blind rotation");
}

template <class Field, uint32_t block>
int32_t launch_setting(Lane& lane, const RotationTask& task) {
  const bool two = rotation_batch(lane.gpu(), task.keys->setting) == 2;
  switch (task.keys->setting % kTwinSettings) {
    case 1: return two ? launch_rotation<Field, 0, block, 2>(lane, task) : launch_rotation<Field, 0, block, 1>(lane, task);
    case 2:
      if constexpr (block == params::lwe_840_block3.block)
        if (two) return launch_rotation<Field, 1, block, 2>(lane, task);
      return launch_rotation<Field, 1, block, 1>(lane, task);
    default: return launch_rotation<Field, 2, block, 1>(lane, task);
  }
}

}  // namespace

uint32_t rotation_batch(const Gpu& gpu, uint32_t setting) {
  // Two lookups of two levels in the twin's blocks of one would spill registers.
  const size_t two = setting % kTwinSettings == 1 ? RotationMap<1, 2>::bytes : setting == 2 ? RotationMap<2, 2>::bytes : SIZE_MAX;
  return two <= gpu.shared_bytes() ? 2 : 1;
}

size_t rotation_key_bytes(const sotto_lookup_keys& keys) { return keys.rotation.size() * sizeof(uint64_t); }

int32_t upload_rotation_keys(Lane& lane, const sotto_lookup_keys& keys, void* key_words) {
  constexpr size_t kChunk = 512;  // polynomials: 8 MiB
  const size_t total = keys.rotation.size() / kDegree;
  uint64_t* staged = nullptr;
  if (const int32_t status = lane.reserve([&](Slices& slices) { staged = slices.take<uint64_t>(kChunk * kDegree); })) return status;
  for (size_t first = 0; first < total; first += kChunk) {
    const size_t count = total - first < kChunk ? total - first : kChunk;
    if (const int32_t status = lane.upload(staged, keys.rotation.data() + first * kDegree, count * kDegree * sizeof(uint64_t))) return status;
    const int32_t status = with_field(lane.gpu(), [&](auto field) {
      using Field = decltype(field);
      return lane.status(launch(arrange_key<Field>, uint32_t(count), kTransformThreads, 0, lane.stream(), staged, uint32_t(first), keys.small().block, keys.row_count(),
                                static_cast<typename Field::Key*>(key_words)),
                         "arranging keys");
    });
    if (status) return status;
  }
  return lane.wait();
}

int32_t rotate(Lane& lane, const RotationTask& task) {
  return with_field(lane.gpu(), [&](auto field) {
    using Field = decltype(field);
    return task.keys->small().block == 3 ? launch_setting<Field, 3>(lane, task) : launch_setting<Field, 1>(lane, task);
  });
}

}  // namespace sotto::cuda
