// The port to GPUs: batched operations that a context made with back end `cuda` hands to its devices. Plain C++, so that the rest of the library needs no CUDA.
//
// An operation is two functions in a table. Where `run` is null the devices do not have the operation, and the CPU kernels compute it; the results are the same bytes.
// Callers check arguments first and then choose once, in the submit function: on_device() names the operation or null. Each run takes items [first, first + count) of
// a batch, blocks until their results are in the caller's memory, and is called from several worker threads at a time, so that batches spread over lanes and devices.
#pragma once

#include "crypto/evaluation_keys.hpp"
#include "crypto/leaf_matrix.hpp"
#include "crypto/lookup.hpp"
#include "crypto/lwe_layer.hpp"
#include "crypto/rgsw.hpp"
#include "crypto/token_product.hpp"
#include "crypto/training_keys.hpp"
#include "crypto/weight_matrix.hpp"

namespace sotto {

class Device;

template <class Batch>
struct DeviceOperation {
  int32_t (*run)(Device&, const Batch&, uint64_t first, uint64_t count) = nullptr;
  /// Most items of one run: enough to fill a device, few enough to be cancelled soon.
  uint64_t (*items_per_run)(const Device&, const Batch&) = nullptr;
  /// Handles keep the form of the CPU's kernels too: these go on at their speed when every device is lost.
  bool processor_ready = false;
};

// Batches: what the C ABI's submit functions have checked. Memory belongs to the caller. Items are named first.

/// Polynomials of N canonical coefficients, in place.
struct TransformBatch {
  uint64_t* polynomials;
  bool inverse;
};
/// Lookups of a LookupBatch.
struct LookupTask {
  const sotto_lookup_keys* keys;
  LookupBatch batch;
};
/// lwe under the ring's secret -> rows of small_words() under the small one.
struct KeySwitchBatch {
  const sotto_lookup_keys* keys;
  const uint32_t* lwe;
  uint32_t* small;
};
/// Rows of small_words() exponents -> accumulators, all of the same table.
struct RotationBatch {
  const sotto_lookup_keys* keys;
  const uint32_t* exponents;
  const uint64_t* table;
  uint64_t* accumulators;
};
/// Ciphertexts of rows.
struct InputsBatch {
  const uint8_t* records;
  sotto_inputs_shape shape;
  uint32_t* lwe;
};
/// Patches of data rows: item = row * range.patch_count + patch.
struct LayerBatch {
  const sotto_layer* layer;
  const uint32_t* inputs;
  sotto_layer_range range;
  uint32_t* outputs;
};
/// Records.
struct AnswersBatch {
  const sotto_evaluation_keys* keys;
  const uint32_t* lwe;
  sotto_lwe_answers_shape shape;
  uint8_t seed[32];
  uint8_t* answers;
};
/// Rows times groups of outputs, as in the job on the CPU.
struct LeavesBatch {
  const sotto_leaf_matrix* matrix;
  const sotto_evaluation_keys* keys;
  const uint8_t* rows;
  sotto_evaluate_shape shape;
  uint8_t seed[32];
  uint8_t* answers;
};
/// Input ciphertexts.
struct LinearBatch {
  const sotto_weight_matrix* matrix;
  const uint8_t* rows;
  sotto_evaluate_shape shape;
  uint8_t* answers;
};
/// Ciphertexts.
struct ExternalProductBatch {
  const sotto_rgsw* rgsw;
  const uint64_t* ciphertexts;
  uint64_t* results;
};
/// Ciphertexts.
struct TrainingAutomorphismBatch {
  const sotto_training_keys* keys;
  uint32_t index;
  const uint64_t* ciphertexts;
  uint64_t* results;
};
/// Packs of `lwe_count`.
struct TracePackBatch {
  const sotto_training_keys* keys;
  const uint64_t* lwe;
  uint64_t lwe_count;
  uint64_t* results;
};
/// Rows of the answer.
struct TokenProductBatch {
  const sotto_token_matrix* matrix;
  uint32_t direction, parts;
  uint8_t mask_seed[32];
  const uint8_t* bodies;
  sotto_token_shape shape;
  uint8_t* answers;
};

struct DeviceOperations {
  DeviceOperation<TransformBatch> transform;
  DeviceOperation<LookupTask> lookup;
  DeviceOperation<KeySwitchBatch> key_switch;
  DeviceOperation<RotationBatch> rotation;
  DeviceOperation<InputsBatch> inputs;
  DeviceOperation<LayerBatch> layer;
  DeviceOperation<AnswersBatch> answers;
  DeviceOperation<LeavesBatch> leaves;
  DeviceOperation<LinearBatch> linear;
  DeviceOperation<ExternalProductBatch> external_product;
  DeviceOperation<TrainingAutomorphismBatch> training_automorphism;
  DeviceOperation<TracePackBatch> trace_pack;
  DeviceOperation<TokenProductBatch> token_product;
};

/// All GPUs that a context uses.
class Device {
 public:
  virtual ~Device() = default;
  /// "cuda", or what the tests call theirs.
  virtual const char* name() const = 0;
  virtual uint32_t gpu_count() const = 0;
  /// Runs that make progress at the same time: more only wait.
  virtual uint32_t lane_count() const = 0;
  /// Every GPU is gone; none comes back in this context.
  virtual bool lost() const = 0;

  const DeviceOperations& operations() const { return operations_; }

 protected:
  DeviceOperations operations_;
};

/// Whether a context of this name wants a device, whether or not this build has any.
bool is_device_name(const char* name);
/// Finds the GPUs and makes their tables; key_bytes: device memory that keys and models may fill, 0: half of each device's.
/// SOTTO_UNSUPPORTED when there is no device or this build has none.
int32_t open_device(const char* name, const Ring& ring, uint64_t key_bytes, Device** device);

}  // namespace sotto
