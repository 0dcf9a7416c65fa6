// One GPU: its limits, the constants of the ring, and the keys and models that are resident on it.
#pragma once

#include <pthread.h>

#include <atomic>

#include "backend/cuda/transform.cuh"
#include "core/resident_id.hpp"

namespace sotto::cuda {

/// A thread may lock it again: filling a cache may need room, which the cache makes.
class Mutex {
 public:
  Mutex() {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&mutex_, &attributes);
    pthread_mutexattr_destroy(&attributes);
  }
  ~Mutex() { pthread_mutex_destroy(&mutex_); }
  Mutex(const Mutex&) = delete;
  void lock() { pthread_mutex_lock(&mutex_); }
  void unlock() { pthread_mutex_unlock(&mutex_); }
  pthread_mutex_t* native() { return &mutex_; }

 private:
  pthread_mutex_t mutex_;
};
class Guard {
 public:
  explicit Guard(Mutex& mutex) : mutex_(mutex) { mutex_.lock(); }
  ~Guard() { mutex_.unlock(); }
  Guard(const Guard&) = delete;

 private:
  Mutex& mutex_;
};

enum class Arithmetic { integers, doubles };
/// Which of a handle's copies on a device.
enum class Part : uint32_t { whole, switching, rotation, forward, backward };

class Gpu;

/// Device memory with the content of a handle, kept until it is the least recently used and room is needed.
struct Resident {
  uint64_t id;
  Part part;
  unsigned char* memory;
  size_t bytes;
  uint64_t last_use;
  uint32_t users;
  bool retired;
  Resident* following;
};

class ResidentCache final : public ResidentObserver {
 public:
  ~ResidentCache() override;
  void open(Gpu& gpu, uint64_t limit_bytes);
  void close();

  /// The copy, made by fill(memory) -> status if it is not there; to be released.
  template <class Fill>
  int32_t acquire(uint64_t id, Part part, size_t bytes, Fill fill, Resident** resident) {
    Guard guard(mutex_);
    if (Resident* found = find(id, part)) return take(*found, resident);
    Resident* made = nullptr;
    if (const int32_t status = make(id, part, bytes, &made)) return status;
    take(*made, resident);  // before it is filled, so that nothing drops it meanwhile
    const int32_t status = fill(made->memory);
    if (status) {
      remove(made);
      *resident = nullptr;
    }
    return status;
  }
  void release(Resident& resident);
  void retire(uint64_t id) override;
  /// Frees the least recently used copy that nobody uses; false when there is none.
  bool evict();
  uint64_t bytes();

 private:
  Resident* find(uint64_t id, Part part);
  int32_t take(Resident& found, Resident** resident);
  int32_t make(uint64_t id, Part part, size_t bytes, Resident** made);
  bool evict_one();
  void free_retired();
  void remove(Resident* resident);

  Gpu* gpu_ = nullptr;
  Mutex mutex_;
  Resident* first_ = nullptr;  // guarded, as the rest
  uint64_t limit_ = 0, used_ = 0, clock_ = 0;
};

class Gpu {
 public:
  Gpu() = default;
  ~Gpu();
  Gpu(const Gpu&) = delete;

  int32_t open(int ordinal, const Ring& ring, uint64_t key_bytes, const Arithmetic* wanted);
  /// Makes it the calling thread's device.
  int32_t select();

  /// The status and message of a runtime error; remembers when the device is lost. `what` completes "... failed".
  int32_t status(cudaError_t error, const char* what);
  bool lost() const { return lost_.load(std::memory_order_relaxed); }

  /// Device memory; room is made by dropping keys that nobody uses.
  int32_t allocate(size_t bytes, const char* what, unsigned char** memory);

  int ordinal() const { return ordinal_; }
  uint32_t multiprocessor_count() const { return multiprocessors_; }
  size_t shared_bytes() const { return shared_bytes_; }
  Arithmetic arithmetic() const { return arithmetic_; }
  ResidentCache& residents() { return residents_; }

  template <class Field>
  const RingConstants<Field>& constants() const;

 private:
  template <class Field>
  int32_t make_constants(const Ring& ring, RingConstants<Field>& constants);

  int ordinal_ = -1;  // not opened
  uint32_t multiprocessors_ = 1;
  size_t shared_bytes_ = kSharedStandard;
  Arithmetic arithmetic_ = Arithmetic::integers;
  std::atomic<bool> lost_{false};
  unsigned char* tables_ = nullptr;
  RingConstants<IntegerField> integers_{};
  RingConstants<DoubleField> doubles_{};
  ResidentCache residents_;
};

template <>
inline const RingConstants<IntegerField>& Gpu::constants<IntegerField>() const { return integers_; }
template <>
inline const RingConstants<DoubleField>& Gpu::constants<DoubleField>() const { return doubles_; }

/// body(field) with the field of this GPU.
template <class Body>
int32_t with_field(const Gpu& gpu, Body body) { return gpu.arithmetic() == Arithmetic::doubles ? body(DoubleField()) : body(IntegerField()); }

}  // namespace sotto::cuda
