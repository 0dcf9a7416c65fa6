// Which back end this processor, and the operating system's saved register state, can run.
#include <string.h>

#include "poly/poly_kernels.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace sotto {
namespace {

#if defined(__x86_64__)

/// Intel SDM volume 2, CPUID: leaf 1 ecx bits 12 (FMA), 27 (OSXSAVE), 28 (AVX); leaf 7 ebx bits 5 (AVX2), 16 (AVX512F), 17 (DQ), 21 (IFMA), 31 (VL).
constexpr uint32_t fma_bit = 1u << 12, osxsave_bit = 1u << 27, avx_bit = 1u << 28;
constexpr uint32_t avx2_bit = 1u << 5, avx512f_bit = 1u << 16, avx512dq_bit = 1u << 17, avx512ifma_bit = 1u << 21, avx512vl_bit = 1u << 31;
/// XCR0: the state that the operating system saves: xmm 1, ymm 2; opmask 5, zmm 6 and 7.
constexpr uint32_t ymm_state = 0x06, zmm_state = 0xE6;

bool has_all(uint32_t word, uint32_t bits) { return (word & bits) == bits; }

/// XGETBV of register 0, as an instruction, since the intrinsic needs a compiler flag. Only after OSXSAVE was seen.
uint32_t saved_state() {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

struct Features {
  bool avx2 = false, avx512ifma = false;
};

Features detect() {
  Features found;
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !has_all(ecx, fma_bit | osxsave_bit | avx_bit)) return found;
  if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return found;
  const uint32_t state = saved_state();
  found.avx2 = has_all(state, ymm_state) && has_all(ebx, avx2_bit);
  found.avx512ifma = found.avx2 && has_all(state, zmm_state) && has_all(ebx, avx512f_bit | avx512dq_bit | avx512ifma_bit | avx512vl_bit);
  return found;
}

#endif

const PolyKernels& fastest() {
#if defined(__x86_64__)
  const Features features = detect();
  if (features.avx512ifma) return avx512ifma_kernels();
  if (features.avx2) return avx2_kernels();
#endif
  return portable_kernels();
}

}  // namespace

const PolyKernels* select_kernels(const char* name) {
  if (!name || !*name) return &fastest();
  if (!strcmp(name, "ref")) return &ref_kernels();
  if (!strcmp(name, "portable")) return &portable_kernels();
#if defined(__x86_64__)
  const Features features = detect();
  if (!strcmp(name, "avx2")) return features.avx2 ? &avx2_kernels() : nullptr;
  if (!strcmp(name, "avx512ifma")) return features.avx512ifma ? &avx512ifma_kernels() : nullptr;
#endif
  return nullptr;
}

}  // namespace sotto
