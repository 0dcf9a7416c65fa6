// Lookups of the port: lwe to the device, key switch, modulus switch, rotation with extraction, results back. Parts of it alone for tests and tools.
#include <algorithm>

#include "backend/cuda/lookup_switch.cuh"
#include "backend/cuda/operations.cuh"
#include "backend/cuda/rotation.cuh"

namespace sotto::cuda {
namespace {

/// Waves of blocks of a run: the last wave may be short, and a cancelled job waits for the rest of a run.
constexpr uint32_t kWaves = 8;
/// Rows of a grid.
constexpr uint64_t kRowsMax = 65535;

uint64_t rotations_per_run(const Device& device, const sotto_lookup_keys& keys) {
  const Gpu& gpu = static_cast<const CudaDevice&>(device).gpu(0);
  return std::min<uint64_t>(kRowsMax, uint64_t(kWaves) * gpu.multiprocessor_count() * rotation_batch(gpu, keys.setting));
}

int32_t acquire_switching(Lane& lane, const sotto_lookup_keys& keys, ResidentUse& use) {
  return use.acquire(keys.id, Part::switching, switching_key_bytes(keys), [&](void* memory) { return upload_switching_key(lane, keys, memory); });
}
int32_t acquire_rotation(Lane& lane, const sotto_lookup_keys& keys, ResidentUse& use) {
  return use.acquire(keys.id, Part::rotation, rotation_key_bytes(keys), [&](void* memory) { return upload_rotation_keys(lane, keys, memory); });
}

uint64_t lookups_per_run(const Device& device, const LookupTask& task) { return rotations_per_run(device, *task.keys); }

int32_t run_lookups(Device& device, const LookupTask& task, uint64_t first, uint64_t count64) {
  const sotto_lookup_keys& keys = *task.keys;
  const LookupBatch& batch = task.batch;
  const uint32_t count = uint32_t(count64), stride = small_row_words(keys.small());
  const uint32_t* indices = batch.indices + first;
  const auto [lowest, highest] = std::minmax_element(indices, indices + count);
  const size_t first_table = *lowest, table_words = size_t(*highest - *lowest + 1) * kDegree, result_bytes = (size_t(count) << batch.values_log) * batch.lwe_bytes();

  LaneUse lane(device);
  if (const int32_t status = lane.ready()) return status;
  ResidentUse switching(*lane), rotation(*lane);
  if (const int32_t status = acquire_switching(*lane, keys, switching)) return status;
  if (const int32_t status = acquire_rotation(*lane, keys, rotation)) return status;
  uint32_t *lwe = nullptr, *small = nullptr, *exponents = nullptr, *which = nullptr;
  uint64_t* tables = nullptr;
  int8_t* digits = nullptr;
  uint8_t* results = nullptr;
  const int32_t reserved = lane->reserve([&](Slices& slices) {
    lwe = slices.take<uint32_t>(count * kLweWords);
    digits = slices.take<int8_t>(size_t(count) * kSwitchRows);
    small = slices.take<uint32_t>(size_t(count) * stride);
    exponents = slices.take<uint32_t>(size_t(count) * stride);
    which = slices.take<uint32_t>(count);
    tables = slices.take<uint64_t>(table_words);
    results = slices.take<uint8_t>(result_bytes);
  });
  if (reserved) return reserved;
  if (const int32_t status = lane->upload(lwe, batch.lwe + first * kLweWords, count * kLweWords * sizeof(uint32_t))) return status;
  if (const int32_t status = lane->upload(which, indices, count * sizeof(uint32_t))) return status;
  if (const int32_t status = lane->upload(tables, batch.tables + first_table * kDegree, table_words * sizeof(uint64_t))) return status;
  if (const int32_t status = switch_to_small(*lane, keys, switching_factor(keys, switching.memory()), lwe, count, digits, small)) return status;
  if (const int32_t status = switch_to_exponents(*lane, keys.small(), small, count, batch.values_log, exponents)) return status;
  const RotationTask rotated = {&keys, keys.small().dimension, rotation.as<void>(), exponents, tables, first_table, which, count, nullptr, results, batch.values_log, batch.modulus};
  if (const int32_t status = rotate(*lane, rotated)) return status;
  return lane->download(static_cast<uint8_t*>(batch.results) + (first << batch.values_log) * batch.lwe_bytes(), results, result_bytes);
}

uint64_t switches_per_run(const Device&, const KeySwitchBatch&) { return 4096; }

int32_t run_key_switches(Device& device, const KeySwitchBatch& batch, uint64_t first, uint64_t count64) {
  const sotto_lookup_keys& keys = *batch.keys;
  const uint32_t count = uint32_t(count64), stride = small_row_words(keys.small()), words = small_words(keys.small());
  LaneUse lane(device);
  if (const int32_t status = lane.ready()) return status;
  ResidentUse switching(*lane);
  if (const int32_t status = acquire_switching(*lane, keys, switching)) return status;
  uint32_t *lwe = nullptr, *small = nullptr;
  int8_t* digits = nullptr;
  const int32_t reserved = lane->reserve([&](Slices& slices) {
    lwe = slices.take<uint32_t>(count * kLweWords);
    digits = slices.take<int8_t>(size_t(count) * kSwitchRows);
    small = slices.take<uint32_t>(size_t(count) * stride);
  });
  if (reserved) return reserved;
  if (const int32_t status = lane->upload(lwe, batch.lwe + first * kLweWords, count * kLweWords * sizeof(uint32_t))) return status;
  if (const int32_t status = switch_to_small(*lane, keys, switching_factor(keys, switching.memory()), lwe, count, digits, small)) return status;
  Buffer<uint32_t> rows(size_t(count) * stride);
  if (!rows.ok()) return out_of_memory("key switches");
  if (const int32_t status = lane->download(rows.data(), small, rows.size() * sizeof(uint32_t))) return status;
  for (uint32_t i = 0; i < count; i++) std::copy_n(rows.data() + size_t(i) * stride, words, batch.small + (first + i) * words);
  return SOTTO_OK;
}

uint64_t rows_per_run(const Device& device, const RotationBatch& batch) { return rotations_per_run(device, *batch.keys); }

int32_t run_rotations(Device& device, const RotationBatch& batch, uint64_t first, uint64_t count64) {
  const sotto_lookup_keys& keys = *batch.keys;
  const uint32_t count = uint32_t(count64), stride = small_row_words(keys.small()), words = small_words(keys.small());
  Buffer<uint32_t> rows(size_t(count) * stride);
  if (!rows.ok()) return out_of_memory("exponents");
  for (uint32_t i = 0; i < count; i++) std::copy_n(batch.exponents + (first + i) * words, words, rows.data() + size_t(i) * stride);
  LaneUse lane(device);
  if (const int32_t status = lane.ready()) return status;
  ResidentUse rotation(*lane);
  if (const int32_t status = acquire_rotation(*lane, keys, rotation)) return status;
  uint32_t* exponents = nullptr;
  uint64_t *table = nullptr, *accumulators = nullptr;
  const int32_t reserved = lane->reserve([&](Slices& slices) {
    exponents = slices.take<uint32_t>(rows.size());
    table = slices.take<uint64_t>(kDegree);
    accumulators = slices.take<uint64_t>(count * kCiphertextWords);
  });
  if (reserved) return reserved;
  if (const int32_t status = lane->upload(exponents, rows.data(), rows.size() * sizeof(uint32_t))) return status;
  if (const int32_t status = lane->upload(table, batch.table, kDegree * sizeof(uint64_t))) return status;
  const RotationTask rotated = {&keys, keys.small().dimension, rotation.as<void>(), exponents, table, 0, nullptr, count, accumulators, nullptr, 0, LookupModulus::torus32};
  if (const int32_t status = rotate(*lane, rotated)) return status;
  return lane->download(batch.accumulators + first * kCiphertextWords, accumulators, count * kCiphertextWords * sizeof(uint64_t));
}

}  // namespace

void add_lookup(DeviceOperations& operations) {
  operations.lookup = {run_lookups, lookups_per_run};
  operations.key_switch = {run_key_switches, switches_per_run};
  operations.rotation = {run_rotations, rows_per_run};
}

}  // namespace sotto::cuda
