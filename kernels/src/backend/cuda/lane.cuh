// A lane: one stream of one GPU with the memory of a run. Copies go through pinned memory in two halves, so that the processor fills one while the other travels.
#pragma once

#include <string.h>

#include "backend/cuda/device.hpp"
#include "backend/cuda/gpu.cuh"

namespace sotto::cuda {

/// Arrays one after the other, each at a multiple of 256 bytes. With a null base it only counts.
class Slices {
 public:
  explicit Slices(unsigned char* base) : base_(base) {}
  template <class T>
  T* take(size_t count) {
    const size_t at = used_;
    used_ += (count * sizeof(T) + 255) / 256 * 256;
    return base_ ? reinterpret_cast<T*>(base_ + at) : nullptr;
  }
  size_t used() const { return used_; }

 private:
  unsigned char* base_;
  size_t used_ = 0;
};

class Lane {
 public:
  Lane() = default;
  ~Lane();
  Lane(const Lane&) = delete;
  int32_t open(Gpu& gpu);

  Gpu& gpu() { return *gpu_; }
  cudaStream_t stream() const { return stream_; }

  /// Device memory for the run: carve(slices) takes its arrays, once to count and once for good. What an earlier run left is overwritten.
  template <class Carve>
  int32_t reserve(Carve carve) {
    Slices count(nullptr);
    carve(count);
    if (const int32_t status = grow(count.used())) return status;
    Slices slices(memory_);
    carve(slices);
    return SOTTO_OK;
  }
  /// In the order of the stream; the caller's memory is free again on return.
  int32_t upload(void* to, const void* from, size_t bytes);
  /// As upload, rows of row_bytes from anywhere: source(i) -> where row i is.
  template <class Source>
  int32_t upload_rows(void* to, uint64_t rows, size_t row_bytes, Source source) {
    const uint64_t rows_at_once = kHalfBytes / row_bytes;
    for (uint64_t first = 0, piece = 0; first < rows; first += rows_at_once, piece++) {
      const uint64_t count = rows - first < rows_at_once ? rows - first : rows_at_once;
      unsigned char* half = nullptr;
      if (const int32_t failed = begin_piece(piece, &half)) return failed;
      for (uint64_t i = 0; i < count; i++) memcpy(half + i * row_bytes, source(first + i), row_bytes);
      if (const int32_t failed = send_piece(piece, static_cast<unsigned char*>(to) + first * row_bytes, count * row_bytes)) return failed;
    }
    return SOTTO_OK;
  }
  /// Waits for all that was started before; the bytes are there on return.
  int32_t download(void* to, const void* from, size_t bytes);
  /// The status of a launch; `what` completes "... failed".
  int32_t status(cudaError_t error, const char* what) { return gpu_->status(error, what); }
  int32_t wait();

 private:
  friend class CudaDevice;
  static constexpr size_t kHalfBytes = size_t(4) << 20;
  int32_t grow(size_t bytes);
  /// Waits until a half of the pinned memory is free, for piece 0, 1, .. of a copy in turn.
  int32_t begin_piece(uint64_t piece, unsigned char** half);
  int32_t send_piece(uint64_t piece, void* to, size_t bytes);

  Gpu* gpu_ = nullptr;
  cudaStream_t stream_ = nullptr;
  cudaEvent_t events_[2] = {};
  unsigned char *pinned_ = nullptr, *memory_ = nullptr;
  size_t memory_bytes_ = 0;
  bool busy_ = false;  // guarded by the device's mutex
};

constexpr uint32_t kGpusMax = 16, kLanesPerGpu = 2;

class CudaDevice final : public Device {
 public:
  CudaDevice();
  ~CudaDevice() override;
  int32_t open(const char* name, const Ring& ring, uint64_t key_bytes, const Arithmetic* wanted);

  const char* name() const override { return name_; }
  uint32_t gpu_count() const override { return gpu_count_; }
  uint32_t lane_count() const override { return gpu_count_ * kLanesPerGpu; }
  bool lost() const override {
    for (uint32_t i = 0; i < gpu_count_; i++)
      if (!gpus_[i].lost()) return false;
    return true;
  }
  const Gpu& gpu(uint32_t i) const { return gpus_[i]; }
  Gpu& gpu(uint32_t i) { return gpus_[i]; }

 private:
  friend class LaneUse;
  /// A free lane of the GPU with the most of them; waits for one. Null when every GPU is lost.
  Lane* take();
  void give_back(Lane& lane);

  char name_[24] = "";
  Gpu gpus_[kGpusMax];
  Lane lanes_[kGpusMax * kLanesPerGpu];
  uint32_t gpu_count_ = 0;
  Mutex mutex_;
  pthread_cond_t freed_;
};

/// A lane for one run, its GPU chosen on this thread.
class LaneUse {
 public:
  explicit LaneUse(Device& device) : device_(static_cast<CudaDevice&>(device)), lane_(device_.take()) {}
  ~LaneUse() {
    if (lane_) device_.give_back(*lane_);
  }
  LaneUse(const LaneUse&) = delete;
  /// SOTTO_DEVICE_FAILED when no device is left.
  int32_t ready() { return lane_ ? lane_->gpu().select() : fail(SOTTO_DEVICE_FAILED, "every device was lost: restart the server, or choose another back end"); }
  Lane& operator*() { return *lane_; }
  Lane* operator->() { return lane_; }

 private:
  CudaDevice& device_;
  Lane* lane_;
};

/// A resident copy for the length of a run.
class ResidentUse {
 public:
  explicit ResidentUse(Lane& lane) : lane_(lane) {}
  ~ResidentUse() {
    if (resident_) lane_.gpu().residents().release(*resident_);
  }
  ResidentUse(const ResidentUse&) = delete;
  /// fill(memory) -> status makes the copy on the lane's stream and waits for it.
  template <class Fill>
  int32_t acquire(const ResidentId& id, Part part, size_t bytes, Fill fill) {
    return lane_.gpu().residents().acquire(id.value(), part, bytes, fill, &resident_);
  }
  void* memory() const { return resident_->memory; }
  template <class T>
  const T* as() const { return reinterpret_cast<const T*>(resident_->memory); }

 private:
  Lane& lane_;
  Resident* resident_ = nullptr;
};

}  // namespace sotto::cuda
