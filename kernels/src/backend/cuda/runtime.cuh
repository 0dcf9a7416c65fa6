// What every CUDA source starts from: the runtime, a typed launch, dynamic shared memory, statuses of its errors.
//
// The same sources are compiled for the processor against a header of the same name in tests/cuda_shim, which defines SOTTO_CUDA_SHIM.
#pragma once

#include <cuda_runtime.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.hpp"

/// The dynamic shared memory of the block, 16-byte aligned.
#ifdef SOTTO_CUDA_SHIM
#define SOTTO_SHARED(name) unsigned char* const name = ::sotto::shim::shared_memory()
#else
#define SOTTO_SHARED(name) extern __shared__ __align__(16) unsigned char name[]
#endif

namespace sotto::cuda {

constexpr uint32_t kWarp = 32;

/// The shared memory that a block may have without asking, and the most on sm_80 and on sm_90.
constexpr size_t kSharedStandard = 48 * 1024, kShared80 = 163 * 1024, kShared90 = 227 * 1024;

template <class T>
struct Same {
  using Type = T;
};

/// Starts kernel<<<grid, block, shared_bytes, stream>>>(arguments...).
template <class... Parameters>
cudaError_t launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, size_t shared_bytes, cudaStream_t stream, typename Same<Parameters>::Type... arguments) {
#ifdef SOTTO_CUDA_SHIM
  (void)stream;
  return sotto_shim_launch(kernel, grid, block, shared_bytes, arguments...);
#else
  if (shared_bytes > kSharedStandard)
    if (const cudaError_t error = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(shared_bytes))) return error;
  kernel<<<grid, block, shared_bytes, stream>>>(arguments...);
  return cudaGetLastError();
#endif
}

constexpr uint32_t divide_up(uint64_t x, uint64_t y) { return uint32_t((x + y - 1) / y); }

}  // namespace sotto::cuda
