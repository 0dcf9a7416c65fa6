// Random layers on lwe, and what a back end makes of them.
#pragma once

#include <memory>

#include "crypto/lwe_layer.hpp"
#include "support.hpp"

namespace support {

using Lwe = std::vector<uint32_t>;

struct LayerDeleter {
  void operator()(sotto_layer* layer) const { sotto_layer_destroy(layer); }
};

/// Random weights, indices (some of them padding) and offsets.
struct LayerData {
  sotto_layer_shape shape = {};
  std::vector<int8_t> weights;
  Lwe indices, offsets;

  LayerData(uint32_t inputs, uint32_t patches, uint32_t groups, uint32_t rows, uint32_t depth);
  uint32_t channels() const { return shape.group_count * shape.rows_per_group; }
  std::unique_ptr<sotto_layer, LayerDeleter> create(Machine& machine) const;
};

Lwe random_lwe(size_t count, uint64_t seed);
inline sotto_layer_range range_of(uint64_t rows, uint64_t stride, uint32_t first, uint32_t count, uint32_t threads = 0) { return {rows, stride, first, count, threads, 0}; }
Lwe apply_layer(Machine& machine, const LayerData& data, const Lwe& inputs, const sotto_layer_range& range);

}  // namespace support
