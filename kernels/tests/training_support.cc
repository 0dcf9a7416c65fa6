#include "training_support.hpp"

#include <math.h>

namespace support {

Bytes training_payload(Machine& machine) {
  Bytes payload(sotto_training_keys_payload_bytes());
  const Bytes seed = seed_of(41);
  CHECK(sotto_training_keys_generate(machine.context, machine.secret, seed.data(), payload.data(), payload.size()) == SOTTO_OK);
  return payload;
}

TrainingKeys load_training_keys(Machine& machine, const Bytes& payload) {
  sotto_training_keys* keys = nullptr;
  CHECK(sotto_training_keys_load(machine.context, payload.data(), payload.size(), &keys) == SOTTO_OK);
  return TrainingKeys(keys, sotto_training_keys_destroy);
}

TrainingKeys training_keys() {
  static TrainingKeys keys;
  if (!keys) keys = load_training_keys(*machines().back(), training_payload(*machines().back()));
  return keys;
}

Bytes rgsw_record(Machine& machine, uint32_t kind, const Integers& messages, uint8_t seed) {
  Bytes record(sotto_rgsw_record_bytes(kind));
  const Bytes noise_seed = seed_of(seed), key_seed = seed_of(42);
  if (kind == kSeeded) {
    CHECK(sotto_rgsw_encrypt(machine.context, machine.secret, messages.data(), noise_seed.data(), record.data(), record.size()) == SOTTO_OK);
    return record;
  }
  Bytes public_key(seeded_bytes(50));
  CHECK(sotto_public_key_generate(machine.context, machine.secret, key_seed.data(), public_key.data(), public_key.size()) == SOTTO_OK);
  CHECK(sotto_rgsw_encrypt_public(machine.context, public_key.data(), public_key.size(), messages.data(), noise_seed.data(), record.data(), record.size()) == SOTTO_OK);
  return record;
}

Rgsw load_rgsw(Machine& machine, uint32_t kind, const Bytes& record) {
  sotto_rgsw* rgsw = nullptr;
  CHECK(sotto_rgsw_load(machine.context, kind, record.data(), record.size(), &rgsw) == SOTTO_OK);
  return Rgsw(rgsw, sotto_rgsw_destroy);
}

Words external_product(Machine& machine, const Rgsw& rgsw, const Words& ciphertexts) {
  Words results(ciphertexts.size());
  CHECK(sotto_external_product(machine.context, rgsw.get(), ciphertexts.data(), ciphertexts.size() / (2 * N), results.data()) == SOTTO_OK);
  return results;
}

Integers random_integers(size_t count, int32_t bound, uint64_t seed) {
  Random random{seed};
  Integers integers(count);
  for (auto& integer : integers) integer = int32_t(random.below(2 * uint64_t(bound) + 1)) - bound;
  return integers;
}

std::vector<int64_t> negacyclic(const Integers& x, const Integers& y) {
  std::vector<int64_t> product(N);
  for (uint32_t i = 0; i < N; i++) {
    if (x[i] == 0) continue;
    for (uint32_t j = 0; j < N; j++) (i + j < N ? product[i + j] : product[i + j - N]) += (i + j < N ? 1 : -1) * int64_t(x[i]) * y[j];
  }
  return product;
}

Words negacyclic_mod_q(Machine& machine, const Integers& x, const uint64_t* y) {
  const sotto::Ring& ring = machine.context->ring;
  sotto::Buffer<uint64_t> left(N), right(N);
  for (uint32_t i = 0; i < N; i++) left[i] = uint64_t(x[i] < 0 ? x[i] + int64_t(q) : x[i]), right[i] = y[i];
  ring.forward(left.data());
  ring.forward(right.data());
  ring.multiply(left.data(), left.data(), right.data());
  ring.inverse(left.data());
  return Words(left.data(), left.data() + N);
}

Words ciphertexts_of(Machine& machine, const Integers& messages, uint64_t scale, uint8_t seed) {
  const Bytes records = encrypt(machine, messages, N, scale, 50, seed);
  Words ciphertexts(messages.size() * 2);
  CHECK(sotto_expand(machine.context, records.data(), records.size(), 50, ciphertexts.data(), messages.size() / N) == SOTTO_OK);
  return ciphertexts;
}

Words phases_of(Machine& machine, const Words& ciphertexts) {
  Words phases(ciphertexts.size() / 2);
  CHECK(sotto_phase(machine.context, machine.secret, ciphertexts.data(), phases.size() / N, phases.data()) == SOTTO_OK);
  return phases;
}

std::vector<int64_t> rounded_phases(Machine& machine, const Words& ciphertexts, uint64_t scale) {
  std::vector<int64_t> rounded;
  for (uint64_t phase : phases_of(machine, ciphertexts)) rounded.push_back(llround(double(centred(phase)) / double(scale)));
  return rounded;
}

std::string last_error() {
  char text[256];
  sotto_last_error(text, sizeof text);
  return text;
}

void check_answer(const char* stage, uint64_t actual, uint64_t expected) {
  if (actual == expected) return;
  char text[128];
  snprintf(text, sizeof text, "%s: 0x%016llx, expected 0x%016llx", stage, (unsigned long long)actual, (unsigned long long)expected);
  harness::report_failure(__FILE__, __LINE__, text);
}

}  // namespace support
