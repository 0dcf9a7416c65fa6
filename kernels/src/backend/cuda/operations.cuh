// The operations that devices have. To add one: its batch in device.hpp, its run and its items in a source of its own, its line in add_operations().
#pragma once

#include "backend/cuda/device.hpp"
#include "backend/cuda/lane.cuh"

namespace sotto::cuda {

void add_transform(DeviceOperations& operations);
/// Key switch, rotation and whole lookups.
void add_lookup(DeviceOperations& operations);
/// Answers of networks, trees in mode `leaves`, linear scores.
void add_answers(DeviceOperations& operations);
void add_leaves(DeviceOperations& operations);
void add_linear(DeviceOperations& operations);
/// External products, automorphisms, packs with a trace.
void add_training(DeviceOperations& operations);
void add_layer(DeviceOperations& operations);
void add_token_product(DeviceOperations& operations);

/// shared_bytes: what a block may have on every GPU.
inline void add_operations(DeviceOperations& operations, size_t shared_bytes) {
  add_transform(operations);
  add_answers(operations);
  add_leaves(operations);
  add_linear(operations);
  add_training(operations);
  add_layer(operations);
  add_token_product(operations);
  if (shared_bytes >= kShared80) add_lookup(operations);  // smaller GPUs leave lookups to the CPU
}

}  // namespace sotto::cuda
