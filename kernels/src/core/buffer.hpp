// An owned array, 64-byte aligned, whose allocation can fail without an exception.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

namespace sotto {

/// Overwrites memory that held a secret; the compiler may not drop it.
inline void wipe(void* memory, size_t size) {
  if (!memory) return;
  memset(memory, 0, size);
  __asm__ __volatile__("" : : "r"(memory) : "memory");
}

template <class T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t count) { allocate(count); }
  Buffer(Buffer&& other) noexcept : data_(other.data_), size_(other.size_) { other.data_ = nullptr, other.size_ = 0; }
  Buffer& operator=(Buffer&& other) noexcept {
    if (this != &other) {
      release();
      data_ = other.data_, size_ = other.size_;
      other.data_ = nullptr, other.size_ = 0;
    }
    return *this;
  }
  ~Buffer() { release(); }

  /// Uninitialised memory; false and empty when there is none.
  bool allocate(size_t count) {
    release();
    if (count > SIZE_MAX / 2 / sizeof(T)) return false;
    const size_t bytes = (count * sizeof(T) + 63) / 64 * 64;
    data_ = static_cast<T*>(aligned_alloc(64, bytes ? bytes : 64));
    size_ = data_ ? count : 0;
    return data_ != nullptr;
  }
  /// At least `count` elements; content is lost when it grows.
  bool reserve(size_t count) { return count <= size_ ? true : allocate(count); }
  bool copy_from(const T* source, size_t count) {
    if (!allocate(count)) return false;
    if (count) memcpy(data_, source, count * sizeof(T));
    return true;
  }
  void wipe_all() { wipe(data_, size_ * sizeof(T)); }

  bool ok() const { return data_ != nullptr; }
  size_t size() const { return size_; }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }

 private:
  void release() {
    free(data_);
    data_ = nullptr, size_ = 0;
  }
  T* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace sotto
