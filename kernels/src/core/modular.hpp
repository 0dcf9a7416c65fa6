// Arithmetic modulo a prime q < 2^50, readable, exact and without branches on values (they may be secret); the fast forms live in the back ends.
#pragma once

#include <stdint.h>

namespace sotto {

struct Wide {
  uint64_t high, low;
};

/// Full 64 x 64 -> 128-bit product.
inline Wide multiply_wide(uint64_t x, uint64_t y) {
#ifdef __SIZEOF_INT128__
  __extension__ using uint128 = unsigned __int128;
  const uint128 product = uint128(x) * y;
  return {uint64_t(product >> 64), uint64_t(product)};
#else
  const uint64_t x0 = uint32_t(x), x1 = x >> 32, y0 = uint32_t(y), y1 = y >> 32;
  const uint64_t low = x0 * y0, middle = x1 * y0 + (low >> 32), cross = x0 * y1 + uint32_t(middle);
  return {x1 * y1 + (middle >> 32) + (cross >> 32), (cross << 32) | uint32_t(low)};
#endif
}

/// The residue of a signed integer, |x| < q. No branch.
inline uint64_t residue(int64_t x, uint64_t q) { return uint64_t(x + int64_t(q & uint64_t(x >> 63))); }

inline uint64_t add_mod(uint64_t x, uint64_t y, uint64_t q) { return residue(int64_t(x + y - q), q); }

inline uint64_t subtract_mod(uint64_t x, uint64_t y, uint64_t q) { return residue(int64_t(x - y), q); }

inline uint64_t negate_mod(uint64_t x, uint64_t q) { return subtract_mod(0, x, q); }

/// x y mod q for x, y < q < 2^50: quotient by doubles, corrected by at most one q either way (|error of x y / q| < 1, since it is below 2^50).
inline uint64_t multiply_mod(uint64_t x, uint64_t y, uint64_t q) {
  const uint64_t quotient = uint64_t(double(x) * double(y) / double(q));
  const uint64_t rest = residue(int64_t(x * y - quotient * q), q);  // exact mod 2^64, between -q and 2 q before
  return residue(int64_t(rest - q), q);
}

inline uint64_t power_mod(uint64_t base, uint64_t exponent, uint64_t q) {
  uint64_t result = 1;
  for (; exponent; exponent >>= 1, base = multiply_mod(base, base, q))
    if (exponent & 1) result = multiply_mod(result, base, q);
  return result;
}

inline uint64_t inverse_mod(uint64_t x, uint64_t q) { return power_mod(x, q - 2, q); }

}  // namespace sotto
