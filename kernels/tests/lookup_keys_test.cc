// The keys of lookups: the small secrets, what keys weigh, which settings there are.
#include "lookup_support.hpp"

using namespace support;

TEST("the small secret has at most one 1 in a block, every state a quarter of the time") {
  const sotto::SmallSet& set = sotto::small_set(1);
  uint32_t states[4] = {};
  for (uint8_t seed = 0; seed < 100; seed++) {
    sotto::RandomSource random(seed_of(seed).data());
    std::vector<uint8_t> z(set.dimension);
    CHECK(sotto::sample_block_binary(set, random, z.data()));
    for (uint32_t i = 0; i < set.dimension; i += 3) {
      CHECK(z[i] + z[i + 1] + z[i + 2] <= 1);
      states[z[i] + 2 * z[i + 1] + 3 * z[i + 2]]++;
    }
  }
  for (uint32_t count : states) CHECK(count > 6600 && count < 7400);  // of 28,000: 7000 +- 5 sigma
}

TEST("the small secret of the twin is uniform binary") {
  const sotto::SmallSet& set = sotto::small_set(11);
  uint32_t ones = 0;
  for (uint8_t seed = 0; seed < 100; seed++) {
    sotto::RandomSource random(seed_of(seed).data());
    std::vector<uint8_t> z(set.dimension);
    CHECK(sotto::sample_block_binary(set, random, z.data()));
    for (uint8_t bit : z) {
      CHECK(bit <= 1);
      ones += bit;
    }
  }
  CHECK(ones > 43250 && ones < 44750);  // of 88,000: 44,000 +- 5 sigma
}

TEST("lookup keys travel in at most 25 MB (one level) and 45 MB (two levels), also those of the twin") {
  CHECK(sotto_lookup_keys_payload_bytes(1) <= 25000000 && sotto_lookup_keys_payload_bytes(11) <= 25000000);
  CHECK(sotto_lookup_keys_payload_bytes(2) <= 45000000);
  for (uint32_t unknown : {0u, 4u, 10u, 14u, 21u}) CHECK(sotto_lookup_keys_payload_bytes(unknown) == 0);
}

TEST("lookup keys of a wrong size, or of a setting that is not there, are refused") {
  Machine& machine = *machines().back();
  const Bytes payload = lookup_payload(machine, 1);
  sotto_lookup_keys* none = nullptr;
  CHECK(sotto_lookup_keys_load(machine.context, 2, payload.data(), payload.size(), &none) == SOTTO_MALFORMED && !none);
  CHECK(sotto_lookup_keys_load(machine.context, 11, payload.data(), payload.size(), &none) == SOTTO_MALFORMED && !none);
  CHECK(sotto_lookup_keys_load(machine.context, 4, payload.data(), payload.size(), &none) == SOTTO_INVALID_ARGUMENT && !none);
}
