// The two instructions behind integer products: the int8 matrix unit, and copies to shared memory that run beside the arithmetic (sm_80 on).
#pragma once

#include "backend/cuda/runtime.cuh"

namespace sotto::cuda {

/// C += A B mod 2^32 of a warp, A 16 x 32 signed and B 32 x 8 unsigned bytes, by the PTX ISA's mma.m16n8k32. With g = lane / 4 and t = lane % 4 a lane holds, four bytes a register,
///   a[i]: row g + 8 (i % 2), depth 16 (i / 2) + 4 t ..;  b[i]: column g, depth 16 i + 4 t ..;  c[i]: row g + 8 (i / 2), column 2 t + i % 2.
/// Sums wrap.
__device__ __forceinline__ void mma_s8u8(uint32_t (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
#ifdef SOTTO_CUDA_SHIM
  sotto_shim_mma_s8u8(c, a, b0, b1);
#else
  asm("mma.sync.aligned.m16n8k32.row.col.s32.s8.u8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#endif
}

/// Copies of 16 bytes, aligned, from global to shared memory. They are there after wait(), for other threads after a barrier behind it.
template <uint32_t most>
class AsyncCopies {
 public:
  __device__ __forceinline__ void add(void* shared, const void* global) {
#ifdef SOTTO_CUDA_SHIM
    memset(shared, 0xa5, 16);  // as late as the hardware may be
    to_[count_] = shared, from_[count_++] = global;
#else
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(uint32_t(__cvta_generic_to_shared(shared))), "l"(global) : "memory");
#endif
  }
  __device__ __forceinline__ void wait() {
#ifdef SOTTO_CUDA_SHIM
    while (count_) count_--, memcpy(to_[count_], from_[count_], 16);
#else
    asm volatile("cp.async.wait_all;" ::: "memory");
#endif
  }

#ifdef SOTTO_CUDA_SHIM
 private:
  void* to_[most];
  const void* from_[most];
  uint32_t count_ = 0;
#endif
};

}  // namespace sotto::cuda
