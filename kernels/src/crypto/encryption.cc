#include "crypto/encryption.hpp"

#include <string.h>

#include "core/bits.hpp"
#include "core/modular.hpp"
#include "crypto/sampling.hpp"

namespace sotto {

bool encrypt_zero(const Context& context, const sotto_secret_key& key, RandomSource& random, uint64_t* a, uint64_t* b) {
  context.ring.forward(a);
  context.ring.multiply(b, a, key.transformed.data());
  context.ring.inverse(b);
  return add_noise(random, b);
}

void add_messages(const int32_t* messages, size_t count, uint64_t scale, uint64_t* b) {
  for (size_t j = 0; j < count; j++) b[j] = add_mod(b[j], multiply_mod(residue(messages[j], kModulus), scale, kModulus), kModulus);
}

size_t seeded_record_bytes(uint32_t bits) { return Context::kSeedBytes + packed_bytes(kDegree, bits); }

void write_seeded(const uint8_t seed[32], const uint64_t* b, uint32_t bits, uint8_t* record) {
  memcpy(record, seed, Context::kSeedBytes);
  const uint32_t dropped = Context::kModulusBits - bits;
  const uint64_t half = dropped ? uint64_t(1) << (dropped - 1) : 0, largest = (uint64_t(1) << bits) - 1;
  BitWriter writer(record + Context::kSeedBytes, kDegree, bits);
  for (uint32_t i = 0; i < kDegree; i++) {
    const uint64_t rounded = (b[i] + half) >> dropped;
    writer.put(rounded < largest ? rounded : largest);
  }
  writer.finish();
}

void read_packed(const uint8_t* bytes, uint32_t bits, uint64_t* b) {
  const uint32_t dropped = Context::kModulusBits - bits;
  BitReader reader(bytes, kDegree, bits);
  for (uint32_t i = 0; i < kDegree; i++) {
    const uint64_t value = reader.get() << dropped;  // below 2^50 < 2 q
    b[i] = residue(int64_t(value - kModulus), kModulus);
  }
}

void expand_seeded(const uint8_t* record, uint32_t bits, uint64_t* a, uint64_t* b) {
  expand_mask(record, 0, a);
  read_packed(record + Context::kSeedBytes, bits, b);
}

void phase(const Context& context, const sotto_secret_key& key, const uint64_t* a, const uint64_t* b, uint64_t* out, uint64_t* scratch) {
  memcpy(scratch, a, kDegree * sizeof(uint64_t));
  context.ring.forward(scratch);
  context.ring.multiply(scratch, scratch, key.transformed.data());
  context.ring.inverse(scratch);
  context.ring.subtract(out, b, scratch);
}

bool encrypt_public(const Context& context, const uint8_t* record, RandomSource& random, uint64_t* ciphertext) {
  uint64_t *a = ciphertext, *b = ciphertext + kDegree;
  sotto_secret_key ephemeral;  // u, wiped on return
  if (!ephemeral.allocate() || !sample_ternary(random, ephemeral.coefficients.data(), kDegree)) return false;
  ephemeral.derive(context.ring);
  expand_seeded(record, Context::kModulusBits, a, b);
  for (uint64_t* part : {a, b}) {
    context.ring.forward(part);
    context.ring.multiply(part, part, ephemeral.transformed.data());
    context.ring.inverse(part);
    if (!add_noise(random, part)) return false;
  }
  return true;
}

}  // namespace sotto
