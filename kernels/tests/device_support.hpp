// Single steps of a device on the shim, called past the port, so that they can be as small as they please.
#pragma once

#include "backend/cuda/lookup_switch.cuh"
#include "backend/cuda/matmul.cuh"
#include "backend/cuda/rotation.cuh"
#include "cuda_shim/shim.hpp"
#include "harness.hpp"
#include "support.hpp"

namespace support {

inline sotto::cuda::CudaDevice& device_of(Machine& machine) { return static_cast<sotto::cuda::CudaDevice&>(*machine.context->device); }

/// Device memory of a test, from and to vectors.
template <class T>
class DeviceArray {
 public:
  DeviceArray(sotto::cuda::Lane& lane, size_t count) : lane_(lane), count_(count) {
    unsigned char* memory = nullptr;
    CHECK(lane.gpu().allocate(count * sizeof(T), "a test", &memory) == SOTTO_OK);
    data_ = reinterpret_cast<T*>(memory);
  }
  DeviceArray(sotto::cuda::Lane& lane, const std::vector<T>& values) : DeviceArray(lane, values.size()) {
    CHECK(lane.upload(data_, values.data(), count_ * sizeof(T)) == SOTTO_OK);
  }
  ~DeviceArray() { cudaFree(data_); }
  DeviceArray(const DeviceArray&) = delete;
  T* data() { return data_; }
  std::vector<T> values() {
    std::vector<T> out(count_);
    CHECK(lane_.download(out.data(), data_, count_ * sizeof(T)) == SOTTO_OK);
    return out;
  }

 private:
  sotto::cuda::Lane& lane_;
  size_t count_;
  T* data_;
};

/// `batch` products of random factors, A number z modulo left_count. Left rows are padded with values that must not matter.
struct DeviceProduct {
  uint32_t rows, columns, depth, batch, left_count;
  std::vector<int8_t> left;
  std::vector<uint32_t> right, start;  // columns one after the other; what C holds before

  DeviceProduct(uint32_t rows, uint32_t columns, uint32_t depth, uint32_t batch = 1, uint32_t left_count = 1);
  /// C, or 2^out_shift start + C where that is not negative.
  std::vector<uint32_t> by_device(Machine& machine, int32_t* status, int32_t out_shift = -1) const;
  std::vector<uint32_t> by_definition(int32_t out_shift = -1) const;
};

/// Two blocks of a rotation key made of random polynomials, canonical.
constexpr uint32_t kShortBlocks = 2;
void fill_short_keys(uint32_t setting, sotto_lookup_keys& keys);
/// Exponents of `count` rotations over those blocks, padded to rows.
std::vector<uint32_t> short_exponents(const sotto_lookup_keys& keys, uint32_t count);
inline uint32_t short_dimension(const sotto_lookup_keys& keys) { return kShortBlocks * keys.small().block; }

struct ShortRotation {
  int32_t status;
  Words accumulators;
  std::vector<uint32_t> lwe;
  bool operator==(const ShortRotation&) const = default;
};
/// Rotations by the device, each of one of two tables, with their extraction to two values on the torus.
ShortRotation rotate_on_device(Machine& machine, const sotto_lookup_keys& keys, uint32_t count, const Words& tables);
/// The same by the reference.
ShortRotation rotate_by_reference(const sotto_lookup_keys& keys, uint32_t count, const Words& tables);

}  // namespace support
