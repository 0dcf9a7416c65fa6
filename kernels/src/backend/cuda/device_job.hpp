// Jobs and blocking calls that run an operation of the port, piece by piece on the workers.
#pragma once

#include <algorithm>
#include <new>
#include <type_traits>

#include "backend/cuda/device.hpp"
#include "core/status.hpp"

namespace sotto {

/// The operation of the context's devices, null when it has none or they do not have it, or all are lost and the CPU has all it needs.
template <class Batch>
const DeviceOperation<Batch>* on_device(const Context& context, DeviceOperation<Batch> DeviceOperations::* operation) {
  if (!context.device) return nullptr;
  const DeviceOperation<Batch>& found = context.device->operations().*operation;
  return found.run && !(found.processor_ready && context.device->lost()) ? &found : nullptr;
}

/// One item of the job: a run of the operation.
template <class Batch>
class DeviceJob final : public Job {
 public:
  static_assert(std::is_trivially_copyable<Batch>::value, "wiped when the job ends: it may hold a seed");
  DeviceJob(Device& device, const DeviceOperation<Batch>& operation, const Batch& batch, uint64_t count)
      : device_(device), operation_(operation), batch_(batch), count_(count) {
    // No longer runs than spread over all lanes.
    const uint64_t share = (count + device.lane_count() - 1) / device.lane_count();
    items_per_run_ = std::max<uint64_t>(1, std::min(operation.items_per_run(device, batch), share));
  }
  ~DeviceJob() override { wipe(&batch_, sizeof batch_); }
  uint64_t run_count() const { return (count_ + items_per_run_ - 1) / items_per_run_; }

  int32_t run(uint64_t item, Workspace&) override {
    const uint64_t first = item * items_per_run_;
    return operation_.run(device_, batch_, first, std::min(items_per_run_, count_ - first));
  }

 private:
  Device& device_;
  const DeviceOperation<Batch>& operation_;
  Batch batch_;
  uint64_t count_, items_per_run_;
};

/// Submits `count` items. thread_count: as for the same job on the CPU, at most this many runs at once.
template <class Batch>
int32_t submit_on_device(Context& context, const DeviceOperation<Batch>& operation, const Batch& batch, uint64_t count, uint32_t thread_count, Job** job) {
  auto* created = new (std::nothrow) DeviceJob<Batch>(*context.device, operation, batch, count);
  if (!created) return out_of_memory("a job");
  const uint32_t lanes = context.device->lane_count();
  context.pool.submit(*created, created->run_count(), thread_count ? std::min(thread_count, lanes) : lanes);
  *job = created;
  return SOTTO_OK;
}

/// Runs `count` items and waits. The message of a failure stays with the worker that met it, so the caller is given a plain one.
template <class Batch>
int32_t run_on_device(Context& context, const DeviceOperation<Batch>& operation, const Batch& batch, uint64_t count) {
  DeviceJob<Batch> job(*context.device, operation, batch, count);
  context.pool.submit(job, job.run_count(), context.device->lane_count());
  const int32_t status = context.pool.wait(job);
  return status ? fail(status, "%s", status == SOTTO_OUT_OF_MEMORY ? "not enough memory on the device" : "a device failed") : SOTTO_OK;
}

}  // namespace sotto
