#include "crypto/answer_mask.hpp"

#include "core/modular.hpp"
#include "crypto/sampling.hpp"

namespace sotto {

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
    uint32_t flood;
    if (!random.fill(&flood, sizeof flood)) return false;
    const int64_t noise = int64_t(flood >> (31 - kFloodLog)) - (int64_t(1) << kFloodLog);
    b[positions[i]] = add_mod(b[positions[i]], residue(noise, kModulus), kModulus);
  }
  return true;
}

}  // namespace sotto
