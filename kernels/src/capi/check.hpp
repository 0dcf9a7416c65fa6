// Argument checks shared by the C ABI.
#pragma once

#include "core/status.hpp"
#include "crypto/context.hpp"

#define SOTTO_REQUIRE(condition, ...) \
  do {                                \
    if (!(condition)) return sotto::fail(SOTTO_INVALID_ARGUMENT, __VA_ARGS__); \
  } while (0)

namespace sotto {

/// Fails unless a buffer that the caller says has `given` bytes has the `needed` ones exactly.
inline int32_t check_size(const char* name, uint64_t given, uint64_t needed) {
  if (given == needed) return SOTTO_OK;
  return fail(SOTTO_MALFORMED, "%s has %llu bytes, %llu are needed", name, (unsigned long long)given, (unsigned long long)needed);
}

/// Records and polynomials a call may name: far above any memory, far below overflow of sizes.
constexpr uint64_t kCountMax = uint64_t(1) << 32;

inline bool all_canonical(const uint64_t* values, size_t count) {
  uint64_t largest = 0;
  for (size_t i = 0; i < count; i++) largest = values[i] > largest ? values[i] : largest;
  return largest < kModulus;
}

}  // namespace sotto
