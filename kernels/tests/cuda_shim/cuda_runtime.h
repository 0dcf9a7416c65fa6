// Stands in for CUDA's header of this name when kernels are compiled for the processor (shim.hpp). Only what the kernels use; streams are synchronous.
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "shim.hpp"

#define SOTTO_CUDA_SHIM 1

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(n) alignas(n)
#define __constant__ static

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};
struct alignas(16) ulonglong2 {
  unsigned long long x, y;
};
struct alignas(16) double2 {
  double x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
struct alignas(8) uint2 {
  unsigned x, y;
};
struct alignas(4) char4 {
  signed char x, y, z, w;
};

#define threadIdx (::sotto::shim::current().thread)
#define blockIdx (::sotto::shim::current().block)
#define blockDim (::sotto::shim::current().block_size)
#define gridDim (::sotto::shim::current().grid_size)

#define SOTTO_SHIM_WAIT(scope)                                                        \
  ([] {                                                                               \
    static const ::sotto::shim::Site site(__FILE__, __LINE__, ::sotto::shim::Scope::scope); \
    site.wait();                                                                      \
  }())
#define __syncthreads() SOTTO_SHIM_WAIT(block)
#define __syncwarp(...) SOTTO_SHIM_WAIT(warp)

inline unsigned long long __umul64hi(unsigned long long x, unsigned long long y) {
  __extension__ using uint128 = unsigned __int128;
  return (unsigned long long)(uint128(x) * y >> 64);
}
inline double __fma_rn(double x, double y, double z) { return fma(x, y, z); }
inline double __dmul_rn(double x, double y) { return x * y; }
inline double __dadd_rn(double x, double y) { return x + y; }
inline double __ddiv_rn(double x, double y) { return x / y; }
inline double __longlong_as_double(long long x) {
  double d;
  memcpy(&d, &x, sizeof d);
  return d;
}
inline long long __double_as_longlong(double x) {
  long long l;
  memcpy(&l, &x, sizeof l);
  return l;
}
inline unsigned __brev(unsigned x) {
  unsigned reversed = 0;
  for (int i = 0; i < 32; i++) reversed |= (x >> i & 1) << (31 - i);
  return reversed;
}
inline unsigned __dp4a(unsigned a, unsigned b, unsigned c) {
  for (int i = 0; i < 4; i++) c += (a >> 8 * i & 255) * (b >> 8 * i & 255);
  return c;
}
inline unsigned __byte_perm(unsigned x, unsigned y, unsigned selector) {
  const unsigned long long bytes = (unsigned long long)y << 32 | x;
  unsigned out = 0;
  for (int i = 0; i < 4; i++) out |= unsigned(bytes >> 8 * (selector >> 4 * i & 7) & 255) << 8 * i;
  return out;
}
template <class T>
T __ldg(const T* x) { return *x; }

/// All lanes of the warp take part.
template <class T>
T sotto_shim_exchange(T value, unsigned from) {
  static_assert(sizeof(T) <= 8);
  uint64_t word = 0;
  memcpy(&word, &value, sizeof value);
  ::sotto::shim::lane_slot(threadIdx.x % 32) = word;
  SOTTO_SHIM_WAIT(warp);
  word = ::sotto::shim::lane_slot(from % 32);
  SOTTO_SHIM_WAIT(warp);
  memcpy(&value, &word, sizeof value);
  return value;
}
template <class T>
T __shfl_sync(unsigned, T value, unsigned lane) { return sotto_shim_exchange(value, lane); }
template <class T>
T __shfl_xor_sync(unsigned, T value, unsigned mask) { return sotto_shim_exchange(value, (threadIdx.x % 32) ^ mask); }
template <class T>
T __shfl_down_sync(unsigned, T value, unsigned delta) {
  const unsigned lane = threadIdx.x % 32;
  return sotto_shim_exchange(value, lane + delta < 32 ? lane + delta : lane);
}
/// One instruction of the matrix unit, by all lanes of the warp: the first one gathers the factors of all, multiplies, and hands the sums out. Which lane holds what is as the PTX ISA
/// has it for mma.m16n8k32 with bytes.
struct sotto_shim_fragments {
  unsigned *c;
  const unsigned *a;
  unsigned b[2];
};
inline void sotto_shim_multiply_fragments() {
  const auto of = [](unsigned lane) { return reinterpret_cast<const sotto_shim_fragments*>(::sotto::shim::lane_slot(lane)); };
  alignas(16) short rows[16][32], columns[8][32];
  for (unsigned lane = 0; lane < 32; lane++) {
    const sotto_shim_fragments& held = *of(lane);
    for (unsigned i = 0; i < 4; i++)
      for (unsigned byte = 0; byte < 4; byte++) rows[lane / 4 + 8 * (i % 2)][16 * (i / 2) + lane % 4 * 4 + byte] = (signed char)(held.a[i] >> 8 * byte);
    for (unsigned i = 0; i < 2; i++)
      for (unsigned byte = 0; byte < 4; byte++) columns[lane / 4][16 * i + lane % 4 * 4 + byte] = (unsigned char)(held.b[i] >> 8 * byte);
  }
  for (unsigned lane = 0; lane < 32; lane++)
    for (unsigned i = 0; i < 4; i++) {
      const short *row = rows[lane / 4 + 8 * (i / 2)], *column = columns[lane % 4 * 2 + i % 2];
      int sum = 0;
      for (int k = 0; k < 32; k++) sum += row[k] * column[k];
      of(lane)->c[i] += unsigned(sum);
    }
}
inline void sotto_shim_mma_s8u8(unsigned (&c)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
  const sotto_shim_fragments mine = {c, a, {b0, b1}};
  const unsigned lane = threadIdx.x % 32;
  ::sotto::shim::lane_slot(lane) = reinterpret_cast<uint64_t>(&mine);
  SOTTO_SHIM_WAIT(warp);
  if (lane == 0) sotto_shim_multiply_fragments();
  SOTTO_SHIM_WAIT(warp);
}
/// Fibers of one thread: nothing is concurrent.
template <class T>
T atomicAdd(T* x, T y) {
  const T old = *x;
  *x += y;
  return old;
}

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInsufficientDriver = 35,
  cudaErrorNoDevice = 100,
  cudaErrorInvalidDevice = 101,
  cudaErrorLaunchOutOfResources = 701,
  cudaErrorLaunchFailure = 719,
};
enum cudaDeviceAttr {
  cudaDevAttrMultiProcessorCount,
  cudaDevAttrMaxSharedMemoryPerBlockOptin,
  cudaDevAttrSingleToDoublePrecisionPerfRatio,
};
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize };
enum cudaMemcpyKind { cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice };
constexpr unsigned cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2, cudaHostAllocPortable = 1;
struct sotto_shim_stream;
struct sotto_shim_event;
using cudaStream_t = sotto_shim_stream*;
using cudaEvent_t = sotto_shim_event*;

const char* cudaGetErrorString(cudaError_t error);
cudaError_t cudaGetLastError();
cudaError_t cudaGetDeviceCount(int* count);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device);
cudaError_t cudaMemGetInfo(size_t* free, size_t* total);
cudaError_t cudaMalloc(void** memory, size_t bytes);
cudaError_t cudaFree(void* memory);
cudaError_t cudaHostAlloc(void** memory, size_t bytes, unsigned flags);
cudaError_t cudaFreeHost(void* memory);
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream);
cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t stream);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
cudaError_t cudaEventSynchronize(cudaEvent_t event);
template <class Kernel>
cudaError_t cudaFuncSetAttribute(Kernel*, cudaFuncAttribute, int) { return cudaSuccess; }

/// Every thread of every block, then back: what <<<>>> does on a device.
template <class... Parameters>
cudaError_t sotto_shim_launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, size_t shared_bytes, Parameters... arguments) {
  const ::sotto::shim::Index g = {grid.x, grid.y, grid.z}, b = {block.x, block.y, block.z};
  if (const int error = ::sotto::shim::begin_launch(g, b, shared_bytes)) return cudaError_t(error);
  return ::sotto::shim::run_grid(g, b, shared_bytes, [&] { kernel(arguments...); }) ? cudaSuccess : cudaErrorLaunchFailure;
}
