// The port's side of CUDA: lanes, devices, and the table of operations.
#include <string.h>

#include <algorithm>
#include <memory>
#include <new>

#include "backend/cuda/lane.cuh"
#include "backend/cuda/operations.cuh"

namespace sotto {
namespace cuda {

int32_t Lane::open(Gpu& gpu) {
  gpu_ = &gpu;
  if (const int32_t failed = status(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream")) return failed;
  for (cudaEvent_t& event : events_)
    if (const int32_t failed = status(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "making an event")) return failed;
  void* pinned = nullptr;
  if (const int32_t failed = status(cudaHostAlloc(&pinned, 2 * kHalfBytes, cudaHostAllocPortable), "pinned memory")) return failed;
  pinned_ = static_cast<unsigned char*>(pinned);
  return SOTTO_OK;
}

Lane::~Lane() {
  if (!gpu_) return;
  cudaSetDevice(gpu_->ordinal());
  if (memory_) cudaFree(memory_);
  if (pinned_) cudaFreeHost(pinned_);
  for (cudaEvent_t event : events_)
    if (event) cudaEventDestroy(event);
  if (stream_) cudaStreamDestroy(stream_);
}

int32_t Lane::grow(size_t bytes) {
  if (bytes <= memory_bytes_) return SOTTO_OK;
  if (memory_) {
    if (const int32_t failed = status(cudaFree(memory_), "freeing device memory")) return failed;
    memory_ = nullptr;
    memory_bytes_ = 0;
  }
  if (const int32_t failed = gpu_->allocate(bytes, "a run", &memory_)) return failed;
  memory_bytes_ = bytes;
  return SOTTO_OK;
}

int32_t Lane::wait() { return status(cudaStreamSynchronize(stream_), "a computation"); }

int32_t Lane::begin_piece(uint64_t piece, unsigned char** half) {
  *half = pinned_ + piece % 2 * kHalfBytes;
  return status(cudaEventSynchronize(events_[piece % 2]), "a copy to the device");  // also before the first pieces: an earlier copy may still travel
}

int32_t Lane::send_piece(uint64_t piece, void* to, size_t bytes) {
  if (const int32_t failed = status(cudaMemcpyAsync(to, pinned_ + piece % 2 * kHalfBytes, bytes, cudaMemcpyHostToDevice, stream_), "a copy to the device")) return failed;
  return status(cudaEventRecord(events_[piece % 2], stream_), "a copy to the device");
}

int32_t Lane::upload(void* to, const void* from, size_t bytes) {
  for (size_t at = 0, piece = 0; at < bytes; at += kHalfBytes, piece++) {
    const size_t size = std::min(kHalfBytes, bytes - at);
    unsigned char* half = nullptr;
    if (const int32_t failed = begin_piece(piece, &half)) return failed;
    memcpy(half, static_cast<const unsigned char*>(from) + at, size);
    if (const int32_t failed = send_piece(piece, static_cast<unsigned char*>(to) + at, size)) return failed;
  }
  return SOTTO_OK;
}

int32_t Lane::download(void* to, const void* from, size_t bytes) {
  const size_t pieces = (bytes + kHalfBytes - 1) / kHalfBytes;
  const auto size_of = [&](size_t piece) { return std::min(kHalfBytes, bytes - piece * kHalfBytes); };
  for (size_t piece = 0; piece <= pieces; piece++) {
    if (piece < pieces) {
      unsigned char* half = pinned_ + piece % 2 * kHalfBytes;
      const auto* source = static_cast<const unsigned char*>(from) + piece * kHalfBytes;
      if (const int32_t failed = status(cudaMemcpyAsync(half, source, size_of(piece), cudaMemcpyDeviceToHost, stream_), "a copy from the device")) return failed;
      if (const int32_t failed = status(cudaEventRecord(events_[piece % 2], stream_), "a copy from the device")) return failed;
    }
    if (!piece) continue;
    if (const int32_t failed = status(cudaEventSynchronize(events_[(piece - 1) % 2]), "a computation")) return failed;
    memcpy(static_cast<unsigned char*>(to) + (piece - 1) * kHalfBytes, pinned_ + (piece - 1) % 2 * kHalfBytes, size_of(piece - 1));
  }
  return SOTTO_OK;
}

CudaDevice::CudaDevice() { pthread_cond_init(&freed_, nullptr); }

CudaDevice::~CudaDevice() { pthread_cond_destroy(&freed_); }

int32_t CudaDevice::open(const char* name, const Ring& ring, uint64_t key_bytes, const Arithmetic* wanted) {
  strncpy(name_, name, sizeof name_ - 1);
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error || count < 1) return fail(SOTTO_UNSUPPORTED, "no CUDA device: %s", error ? cudaGetErrorString(error) : "the driver names none");
  for (uint32_t i = 0; i < std::min(uint32_t(count), kGpusMax); i++) {
    if (const int32_t status = gpus_[i].open(int(i), ring, key_bytes, wanted)) return status;
    for (uint32_t lane = 0; lane < kLanesPerGpu; lane++)
      if (const int32_t status = lanes_[i * kLanesPerGpu + lane].open(gpus_[i])) return status;
    gpu_count_ = i + 1;
  }
  size_t shared_bytes = kShared90;
  for (uint32_t i = 0; i < gpu_count_; i++) shared_bytes = std::min(shared_bytes, gpus_[i].shared_bytes());
  add_operations(operations_, shared_bytes);
  return SOTTO_OK;
}

Lane* CudaDevice::take() {
  Guard guard(mutex_);
  for (;;) {
    Lane* best = nullptr;
    uint32_t most = 0, alive = 0;
    for (uint32_t i = 0; i < gpu_count_; i++) {
      if (gpus_[i].lost()) continue;
      alive++;
      Lane* free_lane = nullptr;
      uint32_t free_count = 0;
      for (uint32_t lane = 0; lane < kLanesPerGpu; lane++)
        if (!lanes_[i * kLanesPerGpu + lane].busy_) free_lane = &lanes_[i * kLanesPerGpu + lane], free_count++;
      if (free_count > most) best = free_lane, most = free_count;
    }
    if (best) {
      best->busy_ = true;
      return best;
    }
    if (!alive) return nullptr;
    pthread_cond_wait(&freed_, mutex_.native());
  }
}

void CudaDevice::give_back(Lane& lane) {
  Guard guard(mutex_);
  lane.busy_ = false;
  pthread_cond_broadcast(&freed_);
}

namespace {

/// Names of a context that wants this device: the plain one chooses the arithmetic by GPU.
#ifdef SOTTO_CUDA_SHIM
constexpr const char *kName = "cuda-shim", *kIntegersName = "cuda-shim-integers", *kDoublesName = "cuda-shim-doubles";
#else
constexpr const char *kName = "cuda", *kIntegersName = "cuda-integers", *kDoublesName = "cuda-doubles";
#endif

}  // namespace
}  // namespace cuda

bool is_device_name(const char* name) { return !strcmp(name, cuda::kName) || !strcmp(name, cuda::kIntegersName) || !strcmp(name, cuda::kDoublesName); }

int32_t open_device(const char* name, const Ring& ring, uint64_t key_bytes, Device** device) {
  std::unique_ptr<cuda::CudaDevice> created(new (std::nothrow) cuda::CudaDevice);
  if (!created) return out_of_memory("a device");
  constexpr cuda::Arithmetic kIntegers = cuda::Arithmetic::integers, kDoubles = cuda::Arithmetic::doubles;
  const cuda::Arithmetic* wanted = !strcmp(name, cuda::kIntegersName) ? &kIntegers : !strcmp(name, cuda::kDoublesName) ? &kDoubles : nullptr;
  if (const int32_t status = created->open(name, ring, key_bytes, wanted)) return status;
  *device = created.release();
  return SOTTO_OK;
}

}  // namespace sotto
