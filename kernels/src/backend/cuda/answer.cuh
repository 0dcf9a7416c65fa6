// Answers on a device: a ciphertext to coefficient order, switched to 2^bits and packed as crypto/compression.cc does.
//
// Memory map: exchange 18,432 bytes, values 16,384 bytes; 34,816 in all.
#pragma once

#include "backend/cuda/ring_steps.cuh"

namespace sotto::cuda {

constexpr size_t kAnswerValues = kExchangeWords * sizeof(uint64_t), kAnswerShared = kAnswerValues + kDegree * sizeof(uint64_t);
static_assert(kAnswerShared == 34816 && kAnswerShared <= kSharedStandard);

/// Where the useful coefficients are: o at (o mod 2^useful_log) block + (o / 2^useful_log) step.
struct AnswerPlaces {
  uint32_t count, useful_log, block, step;
};

/// round(x 2^bits / q) mod 2^bits (crypto/compression.cc).
__device__ __forceinline__ uint64_t switch_to_bits(uint64_t x, uint32_t bits) {
  const uint64_t estimate = uint64_t(__ddiv_rn(double(x) * double(uint64_t(1) << bits), double(kQ)));
  const int64_t rest = int64_t((x << bits) + (kQ - 1) / 2 - estimate * kQ);  // exact mod 2^64, between -q and 2 q
  return (estimate - uint64_t(rest < 0) + uint64_t(rest >= int64_t(kQ))) & ((uint64_t(1) << bits) - 1);
}

/// `count` values of 8 to 56 bits each, a byte a thread; the end of what was written.
__device__ __forceinline__ uint8_t* write_packed(const uint64_t* values, uint32_t count, uint32_t bits, uint8_t* out) {
  const uint32_t bytes = (count * bits + 7) / 8;
  for (uint32_t byte = threadIdx.x; byte < bytes; byte += kTransformThreads) {
    const uint32_t first = 8 * byte / bits, offset = 8 * byte - first * bits;
    uint64_t word = values[first] >> offset;
    if (bits - offset < 8 && first + 1 < count) word |= values[first + 1] << (bits - offset);
    out[byte] = uint8_t(word);
  }
  return out + bytes;
}

/// load(part, place): the transformed ciphertext, canonical. noise: of the mask, null: none; flood: of the useful coefficients of the body, null: none.
template <class Field, class Load>
__device__ __forceinline__ void write_answer(const RingConstants<Field>& ring, unsigned char* shared, Load load, const uint64_t* noise, const uint64_t* flood, const AnswerPlaces& places, uint32_t bits,
                                             uint8_t* out) {
  using Word = typename Field::Word;
  Word* const exchange[1] = {reinterpret_cast<Word*>(shared)};
  uint64_t *values = reinterpret_cast<uint64_t*>(shared + kAnswerValues), *useful = reinterpret_cast<uint64_t*>(shared);
  const uint32_t t = threadIdx.x;
#pragma unroll 1
  for (uint32_t part = 0; part < 2; part++) {
    Word x[1][kPoints];
#pragma unroll
    for (uint32_t k = 0; k < kPoints; k++) x[0][k] = Field::of_canonical(load(part, k));
    inverse_transform<Field, 1>(ring, x, exchange, t);  // its barrier: the mask is written
#pragma unroll
    for (uint32_t k = 0; k < kPoints; k++) {
      const uint32_t at = top_place(t, k);
      const uint64_t value = Field::canonical(x[0][k]);
      values[at] = part ? value : switch_to_bits(noise ? add_canonical(value, noise[at]) : value, bits);
    }
    __syncthreads();
    if (!part) out = write_packed(values, kDegree, bits, out);
  }
  for (uint32_t o = t; o < places.count; o += kTransformThreads) {  // nobody reads the exchange any more
    const uint64_t value = values[(o & ((1u << places.useful_log) - 1)) * places.block + (o >> places.useful_log) * places.step];
    useful[o] = switch_to_bits(flood ? add_canonical(value, flood[o]) : value, bits);
  }
  __syncthreads();
  write_packed(useful, places.count, bits, out);
}

}  // namespace sotto::cuda
