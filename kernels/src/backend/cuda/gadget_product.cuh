// The gadget product of one polynomial by a block of 256 threads: sum_l transform(digit_l(x)) key_l, for both parts of the key at once.
//
// Memory map: two exchanges of 18,432 bytes that the transforms use in turn: the barrier inside a transform also says that everybody has left the exchange of the
// transform before it, so none is needed between levels. Registers: eight words, sixteen sums; coefficients are read again for each level.
// Key order: row, part, index, as transformed: a warp reads 512 bytes of a part in two accesses of 16 bytes a lane.
// Cost: a transform a level and 16 products a thread and level: integers 2,112 + 2 * 2,048 * 14 / 64 = 3,000 cycles of a multiprocessor of H100 for each level, doubles
// 1,900 + 2 * 2,048 * 9 / 64 = 2,500.
#pragma once

#include "backend/cuda/ring_steps.cuh"

namespace sotto::cuda {

constexpr size_t kGadgetShared = 2 * kExchangeWords * sizeof(uint64_t);
static_assert(kGadgetShared == 36864 && kGadgetShared <= kSharedStandard && 4 * kGadgetShared <= kShared80);

/// The exchanges in turn; uniform over the block.
template <class Field>
class Exchanges {
 public:
  using Word = typename Field::Word;
  __device__ __forceinline__ explicit Exchanges(unsigned char* shared) : memory_(reinterpret_cast<Word*>(shared)) {}
  __device__ __forceinline__ Word* next() {
    turn_ ^= 1;
    return memory_ + turn_ * kExchangeWords;
  }

 private:
  Word* memory_;
  uint32_t turn_ = 0;
};

/// Reduced after each level: below 12 after six (integers), at most 3 (doubles). 128-bit sums would not fit the registers of two blocks.
template <class Field>
struct GadgetSums {
  typename Field::Word part[2][kPoints];
  __device__ __forceinline__ void clear() {
#pragma unroll
    for (uint32_t k = 0; k < kPoints; k++) part[0][k] = part[1][k] = Field::of_canonical(0);
  }
  __device__ __forceinline__ uint64_t canonical(uint32_t which, uint32_t k) const { return Field::canonical_of_any(part[which][k]); }
};

/// coefficient(k): canonical, at the top places; at most six rows in all.
template <class Field, uint32_t levels, uint32_t base_log, class Coefficient>
__device__ __forceinline__ void add_gadget_product(const RingConstants<Field>& ring, Coefficient coefficient, const typename Field::Key* key, GadgetSums<Field>& sums, Exchanges<Field>& exchanges,
                                                   uint32_t t) {
  using Word = typename Field::Word;
#pragma unroll 1
  for (uint32_t level = 0; level < levels; level++) {
    __asm__ __volatile__("" : "+r"(t));  // its addresses are computed in every level: kept from one to the next they take registers that the sums need
    Word* const exchange[1] = {exchanges.next()};
    Word digits[1][kPoints];
#pragma unroll
    for (uint32_t k = 0; k < kPoints; k++) digits[0][k] = Field::of_digit(digit_of<levels, base_log>(coefficient(k), level));
    forward_transform<Field, 1, true>(ring, digits, exchange, t);
#pragma unroll
    for (uint32_t part = 0; part < 2; part++)
#pragma unroll
      for (uint32_t k = 0; k < kPoints; k += 2) {
        const Pair<typename Field::Key> pair = load_pair(key + (2 * level + part) * kDegree + bottom_place(t, k));
        const auto add = [&](uint32_t at, typename Field::Key factor) {
          typename Field::Sum sum = Field::zero();
          Field::multiply_add(sum, digits[0][at], factor);
          sums.part[part][at] = Field::add(sums.part[part][at], Field::reduce(sum));
        };
        add(k, pair.x);
        add(k + 1, pair.y);
      }
  }
}

}  // namespace sotto::cuda
