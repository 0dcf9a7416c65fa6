// The negacyclic transform of N = 2048 by 256 threads, eight coefficients each in registers, of `batch` polynomials at a time.
//
// Levels (Longa & Naehrig 2016, algorithms 1 and 2; order as in poly/poly_kernels.hpp) in four passes; thread t, lane l, warp w of the 256 holds, k < 8:
//   pass 1   t + 256 k                        three levels    top place
//   pass 2   256 w + l + 32 k                 three levels
//   pass 3   256 w + 32 (l / 4) + l % 4 + 4 k three levels
//   pass 4   256 w + 128 (k / 4) + 4 l + k % 4   two levels   bottom place
// From pass 2 on a warp keeps to its own 256 coefficients: only the exchange between passes 1 and 2 crosses warps and needs the block's barrier.
//
// Memory map of one polynomial's exchange (words of 8 bytes): coefficient i at i + 2 (i / 16), 288 words a warp, 2304 in all. The two words after every 16 keep all four
// patterns free of bank conflicts: 16 lanes of a pass 3 read 36 (l / 4) + l % 4, which differ mod 16; 8 lanes of a pass 4 read 16 bytes each from unit 2 l + l / 4, which
// differ mod 8. Twiddles come from global memory, uniform over the block (pass 1) or the warp (pass 2), and stay in the first-level cache.
#pragma once

#include "backend/cuda/arithmetic.cuh"

namespace sotto::cuda {

constexpr uint32_t kTransformThreads = 256, kPoints = 8;
static_assert(kTransformThreads * kPoints == kDegree, "the passes are made for N = 2048");
constexpr uint32_t kExchangeWords = kDegree + 2 * (kDegree / 16), kWarpWords = kExchangeWords / (kTransformThreads / kWarp);
static_assert(kExchangeWords == 2304 && kWarpWords == 288);

/// Constants of a field on a device. roots[i] = psi^bit_reverse(i), inverse_roots likewise of psi^-1; the last level of the inverse has the factor 1/N:
/// scale on sums, scaled_root on differences. powers[k] = psi^k as keys, k < N.
template <class Field>
struct RingConstants {
  const typename Field::Factor *roots, *inverse_roots;
  const typename Field::Key* powers;
  typename Field::Factor scale, scaled_root;
};

__device__ __forceinline__ uint32_t exchange_place(uint32_t i) { return i + 2 * (i / 16); }
/// The coefficient or transformed index that thread t holds as value k before the forward and after the inverse transform.
__device__ __forceinline__ uint32_t top_place(uint32_t t, uint32_t k) { return t + kTransformThreads * k; }
/// The transformed index that thread t holds as value k after the forward and before the inverse transform.
__device__ __forceinline__ uint32_t bottom_place(uint32_t t, uint32_t k) { return 256 * (t / kWarp) + 128 * (k / 4) + 4 * (t % kWarp) + k % 4; }
__device__ __forceinline__ uint32_t second_place(uint32_t t, uint32_t k) { return 256 * (t / kWarp) + t % kWarp + 32 * k; }
__device__ __forceinline__ uint32_t third_place(uint32_t t, uint32_t k) { return 256 * (t / kWarp) + 32 * (t % kWarp / 4) + t % 4 + 4 * k; }

template <class Word>
struct PairOf;
template <>
struct PairOf<uint64_t> {
  using Type = ulonglong2;
};
template <>
struct PairOf<double> {
  using Type = double2;
};
/// Two neighbouring words in one access of 16 bytes.
template <class Word>
using Pair = typename PairOf<Word>::Type;
template <class Word>
__device__ __forceinline__ void store_pair(Word* at, Word x, Word y) {
  Pair<Word> pair;
  pair.x = x, pair.y = y;
  *reinterpret_cast<Pair<Word>*>(at) = pair;
}
template <class Word>
__device__ __forceinline__ Pair<Word> load_pair(const Word* at) { return *reinterpret_cast<const Pair<Word>*>(at); }

template <uint32_t batch, class Word, class Place>
__device__ __forceinline__ void write_exchange(const Word (&x)[batch][kPoints], Word* const (&exchange)[batch], uint32_t t, Place place) {
#pragma unroll
  for (uint32_t g = 0; g < batch; g++)
#pragma unroll
    for (uint32_t k = 0; k < kPoints; k++) exchange[g][exchange_place(place(t, k))] = x[g][k];
}
template <uint32_t batch, class Word, class Place>
__device__ __forceinline__ void read_exchange(Word (&x)[batch][kPoints], Word* const (&exchange)[batch], uint32_t t, Place place) {
#pragma unroll
  for (uint32_t g = 0; g < batch; g++)
#pragma unroll
    for (uint32_t k = 0; k < kPoints; k++) x[g][k] = exchange[g][exchange_place(place(t, k))];
}
/// The bottom place in pairs.
template <uint32_t batch, class Word>
__device__ __forceinline__ void write_bottom(const Word (&x)[batch][kPoints], Word* const (&exchange)[batch], uint32_t t) {
#pragma unroll
  for (uint32_t g = 0; g < batch; g++)
#pragma unroll
    for (uint32_t k = 0; k < kPoints; k += 2) store_pair(exchange[g] + exchange_place(bottom_place(t, k)), x[g][k], x[g][k + 1]);
}
template <uint32_t batch, class Word>
__device__ __forceinline__ void read_bottom(Word (&x)[batch][kPoints], Word* const (&exchange)[batch], uint32_t t) {
#pragma unroll
  for (uint32_t g = 0; g < batch; g++)
#pragma unroll
    for (uint32_t k = 0; k < kPoints; k += 2) {
      const Pair<Word> pair = load_pair(exchange[g] + exchange_place(bottom_place(t, k)));
      x[g][k] = pair.x, x[g][k + 1] = pair.y;
    }
}

/// Three levels on eight values, `group` the group of the first level that they belong to (counted from 2^level as the roots are).
template <class Field, uint32_t batch>
__device__ __forceinline__ void forward_three(typename Field::Word (&x)[batch][kPoints], const typename Field::Factor* roots, uint32_t group) {
#pragma unroll
  for (uint32_t half = 4, count = 1; half; half /= 2, count *= 2)
#pragma unroll
    for (uint32_t i = 0; i < count; i++) {
      const typename Field::Factor w = roots[count * group + i];
#pragma unroll
      for (uint32_t j = 0; j < half; j++)
#pragma unroll
        for (uint32_t g = 0; g < batch; g++) Field::forward_butterfly(x[g][2 * half * i + j], x[g][2 * half * i + j + half], w);
    }
}
template <class Field, uint32_t batch>
__device__ __forceinline__ void forward_two(typename Field::Word (&x)[batch][kPoints], const typename Field::Factor* roots, uint32_t group_low, uint32_t group_high) {
#pragma unroll
  for (uint32_t h = 0; h < 2; h++) {
    const uint32_t group = h ? group_high : group_low;
    const typename Field::Factor first = roots[group], low = roots[2 * group], high = roots[2 * group + 1];
#pragma unroll
    for (uint32_t g = 0; g < batch; g++) {
      typename Field::Word* four = x[g] + 4 * h;
      Field::forward_butterfly(four[0], four[2], first);
      Field::forward_butterfly(four[1], four[3], first);
      Field::forward_butterfly(four[0], four[1], low);
      Field::forward_butterfly(four[2], four[3], high);
    }
  }
}

template <class Field, uint32_t batch>
__device__ __forceinline__ void settle_all(typename Field::Word (&x)[batch][kPoints]) {
#pragma unroll
  for (uint32_t g = 0; g < batch; g++)
#pragma unroll
    for (uint32_t k = 0; k < kPoints; k++) x[g][k] = Field::settle(x[g][k]);
}

/// Top place -> bottom place. Nobody may be reading the exchanges when the first thread comes; when the last one leaves, a warp's part of them is its own.
/// small: the values are digits, far below q; else at most canonical. Results settled.
template <class Field, uint32_t batch, bool small>
__device__ __forceinline__ void forward_transform(const RingConstants<Field>& ring, typename Field::Word (&x)[batch][kPoints], typename Field::Word* const (&exchange)[batch], uint32_t t) {
  const uint32_t warp = t / kWarp, lane = t % kWarp;
  forward_three<Field, batch>(x, ring.roots, 1);
  if (!small) settle_all<Field, batch>(x);
  write_exchange<batch>(x, exchange, t, top_place);
  __syncthreads();
  read_exchange<batch>(x, exchange, t, second_place);
  forward_three<Field, batch>(x, ring.roots, 8 + warp);
  settle_all<Field, batch>(x);
  write_exchange<batch>(x, exchange, t, second_place);
  __syncwarp();
  read_exchange<batch>(x, exchange, t, third_place);
  forward_three<Field, batch>(x, ring.roots, 64 + 8 * warp + lane / 4);  // five levels from settled values stay below 4.2
  write_exchange<batch>(x, exchange, t, third_place);
  __syncwarp();
  read_bottom<batch>(x, exchange, t);
  forward_two<Field, batch>(x, ring.roots, 512 + 64 * warp + lane, 512 + 64 * warp + 32 + lane);
  settle_all<Field, batch>(x);
}

/// The mirror of forward_three; `level`: levels done before.
template <class Field, uint32_t batch, uint32_t level>
__device__ __forceinline__ void inverse_three(typename Field::Word (&x)[batch][kPoints], const typename Field::Factor* roots, uint32_t group) {
#pragma unroll
  for (uint32_t i = 0; i < 4; i++) {
    const typename Field::Factor w = roots[4 * group + i];
#pragma unroll
    for (uint32_t g = 0; g < batch; g++) Field::template inverse_butterfly<level + 1>(x[g][2 * i], x[g][2 * i + 1], w);
  }
#pragma unroll
  for (uint32_t i = 0; i < 2; i++) {
    const typename Field::Factor w = roots[2 * group + i];
#pragma unroll
    for (uint32_t j = 0; j < 2; j++)
#pragma unroll
      for (uint32_t g = 0; g < batch; g++) Field::template inverse_butterfly<level + 2>(x[g][4 * i + j], x[g][4 * i + j + 2], w);
  }
  const typename Field::Factor w = roots[group];
#pragma unroll
  for (uint32_t j = 0; j < 4; j++)
#pragma unroll
    for (uint32_t g = 0; g < batch; g++) Field::template inverse_butterfly<level + 3>(x[g][j], x[g][j + 4], w);
}

/// Bottom place -> top place, with the factor 1/N. In below 2 (integers) or settled (doubles); out below 2. A warp's part of the exchanges must be its own;
/// when the last thread leaves, all are being read.
template <class Field, uint32_t batch>
__device__ __forceinline__ void inverse_transform(const RingConstants<Field>& ring, typename Field::Word (&x)[batch][kPoints], typename Field::Word* const (&exchange)[batch], uint32_t t) {
  const uint32_t warp = t / kWarp, lane = t % kWarp;
#pragma unroll
  for (uint32_t h = 0; h < 2; h++) {
    const uint32_t group = 512 + 64 * warp + 32 * h + lane;
    const typename Field::Factor last = ring.inverse_roots[group], low = ring.inverse_roots[2 * group], high = ring.inverse_roots[2 * group + 1];
#pragma unroll
    for (uint32_t g = 0; g < batch; g++) {
      typename Field::Word* four = x[g] + 4 * h;
      Field::template inverse_butterfly<1>(four[0], four[1], low);
      Field::template inverse_butterfly<1>(four[2], four[3], high);
      Field::template inverse_butterfly<2>(four[0], four[2], last);
      Field::template inverse_butterfly<2>(four[1], four[3], last);
    }
  }
  settle_all<Field, batch>(x);
  write_bottom<batch>(x, exchange, t);
  __syncwarp();
  read_exchange<batch>(x, exchange, t, third_place);
  inverse_three<Field, batch, 2>(x, ring.inverse_roots, 64 + 8 * warp + lane / 4);
  settle_all<Field, batch>(x);
  write_exchange<batch>(x, exchange, t, third_place);
  __syncwarp();
  read_exchange<batch>(x, exchange, t, second_place);
  inverse_three<Field, batch, 5>(x, ring.inverse_roots, 8 + warp);
  settle_all<Field, batch>(x);
  write_exchange<batch>(x, exchange, t, second_place);
  __syncthreads();
  read_exchange<batch>(x, exchange, t, top_place);
  // Levels 9 and 10 as before, the last one with the factor 1/N.
#pragma unroll
  for (uint32_t i = 0; i < 4; i++) {
    const typename Field::Factor w = ring.inverse_roots[4 + i];
#pragma unroll
    for (uint32_t g = 0; g < batch; g++) Field::template inverse_butterfly<9>(x[g][2 * i], x[g][2 * i + 1], w);
  }
#pragma unroll
  for (uint32_t i = 0; i < 2; i++) {
    const typename Field::Factor w = ring.inverse_roots[2 + i];
#pragma unroll
    for (uint32_t j = 0; j < 2; j++)
#pragma unroll
      for (uint32_t g = 0; g < batch; g++) Field::template inverse_butterfly<10>(x[g][4 * i + j], x[g][4 * i + j + 2], w);
  }
#pragma unroll
  for (uint32_t g = 0; g < batch; g++)
#pragma unroll
    for (uint32_t j = 0; j < 4; j++) {
      const typename Field::Word u = x[g][j], v = x[g][j + 4];
      x[g][j] = Field::multiply(Field::add(u, v), ring.scale);
      x[g][j + 4] = Field::multiply(Field::template subtract<11>(u, v), ring.scaled_root);
    }
}

}  // namespace sotto::cuda
