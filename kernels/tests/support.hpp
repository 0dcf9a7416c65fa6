// One context a back end, keys from fixed seeds, and the data that the tests share.
#pragma once

#include <stdint.h>
#include <string.h>

#include <string>
#include <vector>

#include "crypto/context.hpp"
#include "sotto/sotto.h"

namespace support {

constexpr uint32_t N = sotto::kDegree;
constexpr uint64_t q = sotto::kModulus;

using Words = std::vector<uint64_t>;
using Bytes = std::vector<uint8_t>;

/// A context with its keys, all from the same seeds whatever the back end.
struct Machine {
  sotto_context* context = nullptr;
  sotto_secret_key* secret = nullptr;
  sotto_evaluation_keys* keys = nullptr;
  Bytes key_payload;
  std::string name;

  explicit Machine(const char* backend);
  ~Machine();
  Machine(const Machine&) = delete;
  bool ok() const { return keys != nullptr; }
};

/// The reference, then every other back end this processor can run; prints which cannot.
const std::vector<Machine*>& machines();
inline Machine& reference() { return *machines()[0]; }
/// The back end of GPUs on the processor (tests/cuda_shim), once with each arithmetic: far slower than all others.
const std::vector<Machine*>& device_machines();
/// All of both lists, the reference first.
const std::vector<Machine*>& every_machine();

/// Deterministic numbers for test data.
struct Random {
  uint64_t state;
  uint64_t next() {  // splitmix64 (Steele, Lea, Flood 2014)
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  uint64_t below(uint64_t bound) { return next() % bound; }
};

/// Uniform canonical coefficients; some extreme ones mixed in.
Words random_polynomials(size_t count, uint64_t seed);
/// A 32-byte seed that starts with `value`.
Bytes seed_of(uint8_t value);
inline int64_t centred(uint64_t x) { return x > q / 2 ? int64_t(x) - int64_t(q) : int64_t(x); }
/// FNV-1a of the bytes, for known answers.
uint64_t fingerprint(const void* data, size_t size);

/// Encrypts int32 messages (count * stride) with the machine's secret key from a seed.
Bytes encrypt(Machine& machine, const std::vector<int32_t>& messages, uint32_t stride, uint64_t scale, uint32_t bits, uint8_t seed);
size_t seeded_bytes(uint32_t bits);

}  // namespace support
