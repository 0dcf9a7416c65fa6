#include "crypto/answer_mask.hpp"

#include <string.h>

#include "core/modular.hpp"
#include "crypto/sampling.hpp"

namespace sotto {
namespace {

bool draw_flood(RandomSource& random, uint64_t* flood) {
  uint32_t bits;
  if (!random.fill(&bits, sizeof bits)) return false;
  *flood = residue(int64_t(bits >> (31 - kFloodLog)) - (int64_t(1) << kFloodLog), kModulus);
  return true;
}

}  // namespace

bool randomise_answer(const Context& context, const sotto_evaluation_keys& keys, RandomSource& random, const uint32_t* positions, size_t count, uint64_t* ciphertext) {
  sotto_secret_key ephemeral;
  if (!ephemeral.allocate() || !sample_ternary(random, ephemeral.coefficients.data(), kDegree)) return false;
  ephemeral.derive(context.ring);
  for (uint32_t part = 0; part < 2; part++) {
    context.ring.multiply_add(ciphertext + part * kDegree, ephemeral.transformed.data(), keys.zero.data() + part * kDegree);
    context.ring.inverse(ciphertext + part * kDegree);
  }
  if (!add_noise(random, ciphertext)) return false;
  uint64_t* b = ciphertext + kDegree;
  for (size_t i = 0; i < count; i++) {
    uint64_t flood;
    if (!draw_flood(random, &flood)) return false;
    b[positions[i]] = add_mod(b[positions[i]], flood, kModulus);
  }
  return true;
}

bool draw_answer_mask(RandomSource& random, size_t count, uint8_t* ternary, uint64_t* noise, uint64_t* flood) {
  if (!sample_ternary(random, ternary, kDegree)) return false;
  memset(noise, 0, kDegree * sizeof(uint64_t));
  if (!add_noise(random, noise)) return false;
  for (size_t i = 0; i < count; i++)
    if (!draw_flood(random, flood + i)) return false;
  return true;
}

}  // namespace sotto
