#include "crypto/lwe_inputs.hpp"

#include <string.h>

#include <algorithm>
#include <new>

#include "backend/cuda/device_job.hpp"
#include "core/status.hpp"
#include "crypto/compression.hpp"
#include "crypto/encryption.hpp"

namespace sotto {
namespace {

// One item: one ciphertext of one row.
class InputsJob final : public Job {
 public:
  InputsJob(const uint8_t* records, const sotto_inputs_shape& shape, uint32_t* lwe) : records_(records), shape_(shape), lwe_(lwe) {}

  int32_t run(uint64_t item, Workspace& workspace) override {
    uint64_t* ciphertext = workspace.words(kCiphertextWords + kDegree);
    if (!ciphertext) return SOTTO_OUT_OF_MEMORY;
    uint64_t *a = ciphertext, *b = a + kDegree;
    uint32_t* masks = reinterpret_cast<uint32_t*>(b + kDegree);
    const uint64_t row = item / shape_.ciphertexts_per_row, chunk = item % shape_.ciphertexts_per_row, first = chunk * kDegree;
    if (first >= shape_.count) return SOTTO_OK;
    expand_seeded(records_ + item * seeded_record_bytes(shape_.input_bits), shape_.input_bits, a, b);
    write_masks(a, masks);
    uint32_t* out = lwe_ + (row * shape_.row_stride + first) * kLweWords;
    const uint32_t count = uint32_t(std::min<uint64_t>(shape_.count - first, kDegree));
    for (uint32_t position = 0; position < count; position++, out += kLweWords) {
      memcpy(out, masks + kDegree - 1 - position, kDegree * sizeof(uint32_t));
      out[kDegree] = uint32_t(switch_to_power_of_two(b[position], 32));
    }
    return SOTTO_OK;
  }

 private:
  // The masks of all coefficients, side by side: that of coefficient p is a_p .. a_0, -a_(N-1) .. -a_(p+1), the N words from N - 1 - p of what is written.
  static void write_masks(const uint64_t* a, uint32_t* masks) {
    for (uint32_t i = 0; i < kDegree; i++) {
      const uint32_t word = uint32_t(switch_to_power_of_two(a[i], 32));
      masks[kDegree - 1 - i] = word;
      masks[2 * kDegree - 1 - i] = 0u - word;
    }
  }

  const uint8_t* records_;
  const sotto_inputs_shape shape_;
  uint32_t* lwe_;
};

}  // namespace

int32_t submit_inputs(Context& context, const uint8_t* records, const sotto_inputs_shape& shape, uint32_t* lwe, Job** job) {
  if (const auto* operation = on_device(context, &DeviceOperations::inputs))
    return submit_on_device(context, *operation, InputsBatch{records, shape, lwe}, shape.row_count * shape.ciphertexts_per_row, shape.thread_count, job);
  auto* created = new (std::nothrow) InputsJob(records, shape, lwe);
  if (!created) return out_of_memory("a job");
  context.pool.submit(*created, shape.row_count * shape.ciphertexts_per_row, shape.thread_count);
  *job = created;
  return SOTTO_OK;
}

}  // namespace sotto
