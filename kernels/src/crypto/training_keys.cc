#include "crypto/training_keys.hpp"

#include <string.h>

#include "core/bits.hpp"
#include "core/modular.hpp"
#include "crypto/encryption.hpp"
#include "crypto/sampling.hpp"

namespace sotto {
namespace {

constexpr uint32_t kLevels = kTrainingGadget.level_count;
constexpr size_t kGadgetRows = size_t(kTrainingKeyCount) * kLevels;

size_t body_bytes() { return packed_bytes(kDegree, Context::kModulusBits); }

uint64_t gadget_factor(uint32_t level) { return uint64_t(1) << (Context::kModulusBits - kTrainingGadget.base_log * (level + 1)); }

}  // namespace

void apply_automorphism(const Ring& ring, uint32_t index, const uint64_t* x, uint64_t* out) {
  if (index != kConjugation) return ring.automorphism(index, x, out);
  out[0] = x[0];
  for (uint32_t i = 1; i < kDegree; i++) out[kDegree - i] = negate_mod(x[i], kModulus);
}

size_t training_keys_payload_bytes() { return Context::kSeedBytes + kGadgetRows * body_bytes(); }

bool generate_training_keys(const Context& context, const sotto_secret_key& key, RandomSource& random, uint8_t* payload) {
  Buffer<uint64_t> memory(3 * size_t(kDegree));
  if (!memory.ok() || !random.fill(payload, Context::kSeedBytes)) return false;
  uint64_t *image = memory.data(), *a = image + kDegree, *b = a + kDegree;
  bool good = true;
  for (size_t row = 0; good && row < kGadgetRows; row++) {
    const uint32_t level = uint32_t(row % kLevels);
    if (level == 0) apply_automorphism(context.ring, uint32_t(row / kLevels), key.residues.data(), image);
    expand_mask(payload, row, a);
    good = encrypt_zero(context, key, random, a, b);
    for (uint32_t i = 0; i < kDegree; i++) b[i] = subtract_mod(b[i], multiply_mod(image[i], gadget_factor(level), kModulus), kModulus);
    BitWriter writer(payload + Context::kSeedBytes + row * body_bytes(), kDegree, Context::kModulusBits);
    for (uint32_t i = 0; i < kDegree; i++) writer.put(b[i]);
    writer.finish();
  }
  memory.wipe_all();
  return good;
}

bool load_training_keys(Context& context, const uint8_t* payload, sotto_training_keys& keys) {
  if (!keys.prepared.allocate(kGadgetRows * kCiphertextWords) || (context.device && !keys.transformed.allocate(kGadgetRows * kCiphertextWords))) return false;
  return parallel_for(context.pool, kGadgetRows, [&](uint64_t row, Workspace&) {
    uint64_t *a = keys.prepared.data() + row * kCiphertextWords, *b = a + kDegree;
    expand_mask(payload, row, a);
    read_packed(payload + Context::kSeedBytes + row * body_bytes(), Context::kModulusBits, b);
    for (uint64_t* part : {a, b}) {
      context.ring.forward(part);
      if (context.device) memcpy(keys.transformed.data() + (part - keys.prepared.data()), part, kDegree * sizeof(uint64_t));
      context.ring.kernels().prepare_key(context.ring.tables(), part);
    }
    return SOTTO_OK;
  }) == SOTTO_OK;
}

void training_automorphism(const Context& context, const sotto_training_keys& keys, uint32_t index, const uint64_t* ciphertext, uint64_t* result, uint64_t* scratch) {
  const Ring& ring = context.ring;
  uint64_t *image = scratch, *result_b = result + kDegree;
  apply_automorphism(ring, index, ciphertext, image);
  ring.kernels().gadget_product(ring.tables(), kTrainingGadget, image, keys.key(index), result, result_b, scratch + kDegree);
  ring.inverse(result);
  ring.inverse(result_b);
  apply_automorphism(ring, index, ciphertext + kDegree, image);
  ring.add(result_b, result_b, image);
}

}  // namespace sotto
