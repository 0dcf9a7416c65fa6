// Which matrix product goes with which of the ring's back ends on this processor.
#include <string.h>

#include "poly/matmul.hpp"
#include "poly/poly_kernels.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace sotto {
namespace {

#if defined(__x86_64__)
/// Intel SDM volume 2, CPUID: leaf 7 ecx bit 11 (AVX512_VNNI). Registers are saved and AVX512F is there if the ring's AVX-512 back end runs.
bool has_vnni() {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (ecx >> 11 & 1);
}
#endif

}  // namespace

const MatmulKernels* select_matmul_kernels(const char* name) {
  const PolyKernels* ring = select_kernels(name);
  if (!ring) return nullptr;
  if (!strcmp(ring->name, "ref")) return &ref_matmul_kernels();
#if defined(__x86_64__)
  if (!strcmp(ring->name, "avx512ifma")) return has_vnni() ? &avx512vnni_matmul_kernels() : &avx2_matmul_kernels();
  if (!strcmp(ring->name, "avx2")) return &avx2_matmul_kernels();
#endif
  return &portable_matmul_kernels();
}

}  // namespace sotto
