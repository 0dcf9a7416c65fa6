// Which float loops go with which of the ring's back ends: it runs here, so do they.
#include <string.h>

#include "float/float_kernels.hpp"

namespace sotto {

const FloatKernels& select_float_kernels(const char* ring_backend) {
#if defined(__x86_64__)
  if (!strcmp(ring_backend, "avx512ifma")) return avx512_float_kernels();
  if (!strcmp(ring_backend, "avx2")) return avx2_float_kernels();
#endif
  (void)ring_backend;
  return portable_float_kernels();
}

}  // namespace sotto
