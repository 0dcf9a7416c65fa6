#include "crypto/pack.hpp"

#include "core/modular.hpp"

namespace sotto {

void automorphism(const Context& context, const sotto_evaluation_keys& keys, uint32_t level, const uint64_t* ciphertext, uint64_t* result, uint64_t* scratch) {
  const Ring& ring = context.ring;
  uint64_t* image = scratch;
  ring.automorphism(level, ciphertext, image);
  ring.kernels().gadget_product(ring.tables(), Context::kGadget, image, keys.key(level), result, result + kDegree, scratch + kDegree);
  ring.inverse(result);
  ring.inverse(result + kDegree);
  ring.automorphism(level, ciphertext + kDegree, image);
  ring.add(result + kDegree, result + kDegree, image);
}

uint64_t inverse_power_of_two(uint32_t exponent) { return inverse_mod(uint64_t(1) << exponent, kModulus); }

}  // namespace sotto
