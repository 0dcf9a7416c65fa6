#include "crypto/compression.hpp"

#include <math.h>

#include "core/bits.hpp"
#include "core/modular.hpp"

namespace sotto {

uint64_t switch_to_power_of_two(uint64_t x, uint32_t bits) {
  // floor((x 2^bits + (q - 1) / 2) / q): estimate the quotient by doubles, then correct by the exact remainder.
  constexpr uint64_t kHalf = (kModulus - 1) / 2;
  const uint64_t estimate = uint64_t(double(x) * double(uint64_t(1) << bits) / double(kModulus));
  const uint64_t rest = (x << bits) + kHalf - estimate * kModulus;  // exact mod 2^64, between -q and 2 q
  const int64_t low = -int64_t(int64_t(rest) < 0), high = int64_t(rest) >= int64_t(kModulus);
  return (estimate + uint64_t(low + high)) & ((uint64_t(1) << bits) - 1);
}

size_t compressed_bytes(size_t useful_count, uint32_t bits) { return packed_bytes(kDegree, bits) + packed_bytes(useful_count, bits); }

uint8_t* compress(const uint64_t* a, const uint64_t* b, uint32_t bits, const uint32_t* positions, size_t count, uint8_t* out) {
  BitWriter mask(out, kDegree, bits);
  for (uint32_t i = 0; i < kDegree; i++) mask.put(switch_to_power_of_two(a[i], bits));
  BitWriter body(mask.finish(), count, bits);
  for (size_t i = 0; i < count; i++) body.put(switch_to_power_of_two(b[positions[i]], bits));
  return body.finish();
}

void decrypt_compressed(const Context& context, const sotto_secret_key& key, const uint8_t* bytes, uint32_t bits, const uint32_t* positions, size_t count, double scale, double* values,
                        uint64_t* scratch) {
  BitReader mask(bytes, kDegree, bits);
  for (uint32_t i = 0; i < kDegree; i++) scratch[i] = mask.get();
  // a s over the integers: |a s| <= N 2^bits <= 2^48 < q / 2, so the product mod q, centred, is exact.
  context.ring.forward(scratch);
  context.ring.multiply(scratch, scratch, key.transformed.data());
  context.ring.inverse(scratch);
  BitReader body(bytes + packed_bytes(kDegree, bits), count, bits);
  const double unit = double(kModulus) / double(uint64_t(1) << bits) / scale;
  for (size_t i = 0; i < count; i++) {
    const uint64_t product = scratch[positions[i]];
    const int64_t centred = int64_t(product) - int64_t(kModulus & -uint64_t(product > kModulus / 2));
    const uint64_t wrapped = (body.get() - uint64_t(centred)) << (64 - bits);  // mod 2^bits in the top bits
    values[i] = nearbyint(double(int64_t(wrapped) >> (64 - bits)) * unit);
  }
}

}  // namespace sotto
