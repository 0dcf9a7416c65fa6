#include "crypto/evaluation_keys.hpp"

#include <string.h>

#include "core/bits.hpp"
#include "core/modular.hpp"
#include "crypto/encryption.hpp"
#include "crypto/sampling.hpp"

namespace sotto {
namespace {
constexpr uint32_t kLevels = Context::kGadget.level_count;
constexpr size_t kGadgetRows = size_t(Context::kLogDegree) * kLevels;
size_t body_bytes() { return packed_bytes(kDegree, Context::kModulusBits); }
uint64_t gadget_factor(uint32_t row) {
  const uint32_t dropped = Context::kModulusBits - Context::kGadget.base_log * kLevels;
  return uint64_t(1) << (dropped + Context::kGadget.base_log * (kLevels - 1 - row));
}
}  // namespace

size_t evaluation_keys_payload_bytes() { return Context::kSeedBytes + (kGadgetRows + 1) * body_bytes(); }

bool generate_evaluation_keys(const Context& context, const sotto_secret_key& key, RandomSource& random, uint8_t* payload) {
  Buffer<uint64_t> memory(3 * size_t(kDegree));
  if (!memory.ok() || !random.fill(payload, Context::kSeedBytes)) return false;
  uint64_t *image = memory.data(), *a = image + kDegree, *b = a + kDegree;
  bool good = true;
  for (size_t row = 0; good && row <= kGadgetRows; row++) {
    expand_mask(payload, row, a);
    good = encrypt_zero(context, key, random, a, b);
    if (row < kGadgetRows) {
      const uint32_t level = 1 + uint32_t(row / kLevels);
      if (row % kLevels == 0) context.ring.automorphism(level, key.residues.data(), image);
      for (uint32_t i = 0; i < kDegree; i++) b[i] = subtract_mod(b[i], multiply_mod(image[i], gadget_factor(uint32_t(row % kLevels)), kModulus), kModulus);
    }
    BitWriter writer(payload + Context::kSeedBytes + row * body_bytes(), kDegree, Context::kModulusBits);
    for (uint32_t i = 0; i < kDegree; i++) writer.put(b[i]);
    writer.finish();
  }
  memory.wipe_all();
  return good;
}

bool load_evaluation_keys(Context& context, const uint8_t* payload, sotto_evaluation_keys& keys) {
  if (!keys.prepared.allocate(kGadgetRows * kCiphertextWords) || !keys.zero.allocate(kCiphertextWords)) return false;
  if (context.device && !keys.transformed.allocate(keys.prepared.size())) return false;
  return parallel_for(context.pool, kGadgetRows + 1, [&](uint64_t row, Workspace&) {
    uint64_t* a = row < kGadgetRows ? keys.prepared.data() + row * kCiphertextWords : keys.zero.data();
    uint64_t* b = a + kDegree;
    expand_mask(payload, row, a);
    read_packed(payload + Context::kSeedBytes + row * body_bytes(), Context::kModulusBits, b);
    for (uint64_t* part : {a, b}) {
      context.ring.forward(part);
      if (row < kGadgetRows && context.device) memcpy(keys.transformed.data() + (part - keys.prepared.data()), part, kDegree * sizeof(uint64_t));
      if (row < kGadgetRows) context.ring.kernels().prepare_key(context.ring.tables(), part);
    }
    return SOTTO_OK;
  }) == SOTTO_OK;
}

}  // namespace sotto
