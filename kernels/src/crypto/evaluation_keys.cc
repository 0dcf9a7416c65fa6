#include "crypto/evaluation_keys.hpp"

#include <string.h>

#include "core/bits.hpp"
#include "core/modular.hpp"
#include "crypto/encryption.hpp"
#include "crypto/sampling.hpp"

namespace sotto {
namespace {
constexpr uint32_t kLevels = Context::kGadget.level_count;
size_t body_bytes() { return packed_bytes(kDegree, Context::kModulusBits); }
uint64_t gadget_factor(uint32_t row) {
  const uint32_t dropped = Context::kModulusBits - Context::kGadget.base_log * kLevels;
  return uint64_t(1) << (dropped + Context::kGadget.base_log * (kLevels - 1 - row));
}
}  // namespace

size_t evaluation_keys_payload_bytes() { return Context::kSeedBytes + size_t(Context::kLogDegree) * kLevels * body_bytes(); }

bool generate_evaluation_keys(const Context& context, const sotto_secret_key& key, RandomSource& random, uint8_t* payload) {
  Buffer<uint64_t> memory(3 * size_t(kDegree));
  if (!memory.ok() || !random.fill(payload, Context::kSeedBytes)) return false;
  uint64_t *image = memory.data(), *a = image + kDegree, *b = a + kDegree;
  uint8_t* out = payload + Context::kSeedBytes;
  bool good = true;
  for (uint32_t level = 1; good && level <= Context::kLogDegree; level++) {
    context.ring.automorphism(level, key.residues.data(), image);
    for (uint32_t row = 0; good && row < kLevels; row++) {
      expand_mask(payload, uint64_t(level - 1) * kLevels + row, a);
      good = encrypt_zero(context, key, random, a, b);
      for (uint32_t i = 0; i < kDegree; i++) b[i] = subtract_mod(b[i], multiply_mod(image[i], gadget_factor(row), kModulus), kModulus);
      BitWriter writer(out, Context::kModulusBits);
      for (uint32_t i = 0; i < kDegree; i++) writer.put(b[i]);
      out = writer.finish();
    }
  }
  memory.wipe_all();
  return good;
}

bool load_evaluation_keys(Context& context, const uint8_t* payload, sotto_evaluation_keys& keys) {
  const size_t rows = size_t(Context::kLogDegree) * kLevels;
  if (!keys.prepared.allocate(rows * kCiphertextWords)) return false;
  return parallel_for(context.pool, rows, [&](uint64_t row, Workspace&) {
    uint64_t *a = keys.prepared.data() + row * kCiphertextWords, *b = a + kDegree;
    expand_mask(payload, row, a);
    read_packed(payload + Context::kSeedBytes + row * body_bytes(), Context::kModulusBits, b);
    for (uint64_t* part : {a, b}) {
      context.ring.forward(part);
      context.ring.kernels().prepare_key(context.ring.tables(), part);
    }
    return SOTTO_OK;
  }) == SOTTO_OK;
}

}  // namespace sotto
