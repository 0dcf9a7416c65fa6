// What every operation shares: the ring of the pinned parameter set, the gadget of its keys, the worker threads.
#pragma once

#include <memory>

#include "core/worker_pool.hpp"
#include "poly/ring.hpp"
#include "sotto/params.generated.h"
#include "sotto/sotto.h"

namespace sotto {
class Device;
struct DeviceDeleter {
  void operator()(Device* device) const;
};
}  // namespace sotto

struct sotto_context {
  sotto::Ring ring;
  /// GPUs, if the context was made with any (backend/cuda/device.hpp).
  std::unique_ptr<sotto::Device, sotto::DeviceDeleter> device;
  sotto::WorkerPool pool;

  static constexpr const auto& kParameters = sotto::params::ring_2048_q50;
  static constexpr uint32_t kDegree = kParameters.ring_degree;
  static constexpr uint32_t kLogDegree = kParameters.log_degree;
  static constexpr uint64_t kModulus = kParameters.modulus;
  static constexpr uint32_t kModulusBits = 50;
  /// Gadget of the automorphism keys.
  static constexpr sotto::Gadget kGadget = {kParameters.trees_base_log, kParameters.trees_level_count};
  static constexpr uint32_t kSeedBytes = 32;
};

namespace sotto {
using Context = sotto_context;
constexpr uint32_t kDegree = Context::kDegree;
constexpr uint64_t kModulus = Context::kModulus;
/// Words of one ciphertext: a then b.
constexpr size_t kCiphertextWords = 2 * size_t(kDegree);
}  // namespace sotto
