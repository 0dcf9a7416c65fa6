// Blind rotation on a device.
#pragma once

#include "backend/cuda/lane.cuh"

namespace sotto::cuda {

/// What one launch rotates. Results are accumulators where these are not null, else extracted lwe.
struct RotationTask {
  const sotto_lookup_keys* keys;
  uint32_t dimension;         // bits of the key, a multiple of its block; the body's exponent follows theirs
  const void* key_words;      // on the device, in its order
  const uint32_t* exponents;  // count rows of small_row_words()
  const uint64_t* tables;
  size_t first_table;       // index of the first of `tables`
  const uint32_t* indices;  // table of each; null: all the first
  uint32_t count;
  uint64_t* accumulators;
  void* results;  // value i of lookup l at lwe l 2^values_log + i
  uint32_t values_log;
  LookupModulus modulus;
};

/// Lookups that one block of threads rotates together.
uint32_t rotation_batch(const Gpu& gpu, uint32_t setting);
size_t rotation_key_bytes(const sotto_lookup_keys& keys);
/// Brings the rotation keys, canonical and transformed, into the order of the device.
int32_t upload_rotation_keys(Lane& lane, const sotto_lookup_keys& keys, void* key_words);
int32_t rotate(Lane& lane, const RotationTask& task);

}  // namespace sotto::cuda
