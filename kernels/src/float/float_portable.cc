// The float loops in vectors of four, which every processor has.
#define SOTTO_FLOAT_BYTES 16
#define SOTTO_FLOAT_ROWS 4
#include "float/float_softmax.hpp"

namespace sotto {

const FloatKernels& portable_float_kernels() {
  static constexpr FloatKernels kernels = {"portable", gemm, attention, attention_gradient, cross_entropy, swiglu, swiglu_gradient};
  return kernels;
}

}  // namespace sotto
