// The float loops in vectors of sixteen. Floor: 16 multiply-adds a cycle on Zen 4, 32 where both ports are 512 bits wide.
#if defined(__x86_64__)

// Before the target is set: what headers define inline must run on every processor.
#include <math.h>
#include <string.h>

#include <initializer_list>

#include "float/float_kernels.hpp"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512vl,avx2,fma")
#endif

#define SOTTO_FLOAT_BYTES 64
#define SOTTO_FLOAT_ROWS 12
#include "float/float_softmax.hpp"

namespace sotto {

const FloatKernels& avx512_float_kernels() {
  static constexpr FloatKernels kernels = {"avx512", gemm, attention, attention_gradient, cross_entropy, swiglu, swiglu_gradient};
  return kernels;
}

}  // namespace sotto

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif
