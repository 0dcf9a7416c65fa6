#include "support.hpp"

#include <memory>

#include "harness.hpp"

namespace support {

Machine::Machine(const char* backend) : name(backend) {
  sotto_context_options options = {};
  options.thread_count = 2;
  strncpy(options.backend, backend, sizeof options.backend - 1);
  if (sotto_context_create(&options, &context)) return;
  const Bytes secret_seed = seed_of(1), key_seed = seed_of(2);
  key_payload.resize(sotto_evaluation_keys_payload_bytes());
  if (sotto_secret_key_generate(context, secret_seed.data(), &secret)) return;
  if (sotto_evaluation_keys_generate(context, secret, key_seed.data(), key_payload.data(), key_payload.size())) return;
  sotto_evaluation_keys_load(context, key_payload.data(), key_payload.size(), &keys);
}

Machine::~Machine() {
  sotto_evaluation_keys_destroy(keys);
  sotto_secret_key_destroy(secret);
  sotto_context_destroy(context);
}

namespace {

std::vector<Machine*> make_machines(std::initializer_list<const char*> names) {
  static std::vector<std::unique_ptr<Machine>> owned;
  std::vector<Machine*> made;
  for (const char* name : names) {
    auto machine = std::make_unique<Machine>(name);
    if (machine->ok()) {
      made.push_back(machine.get());
      owned.push_back(std::move(machine));
    } else {
      printf("(back end %s left out: this processor cannot run it)\n", name);
    }
  }
  return made;
}

}  // namespace

const std::vector<Machine*>& machines() {
  static const std::vector<Machine*> all = make_machines({"ref", "portable", "avx2", "avx512ifma"});
  return all;
}

const std::vector<Machine*>& device_machines() {
  static const std::vector<Machine*> all = make_machines({"cuda-shim-integers", "cuda-shim-doubles"});
  return all;
}

const std::vector<Machine*>& every_machine() {
  static const std::vector<Machine*> all = [] {
    std::vector<Machine*> both = machines();
    both.insert(both.end(), device_machines().begin(), device_machines().end());
    return both;
  }();
  return all;
}

Words random_polynomials(size_t count, uint64_t seed) {
  Random random{seed};
  Words words(count * N);
  for (auto& word : words) {
    const uint64_t kind = random.below(64);
    word = kind == 0 ? 0 : kind == 1 ? q - 1 : kind == 2 ? q / 2 : kind == 3 ? q / 2 + 1 : random.below(q);
  }
  return words;
}

Bytes seed_of(uint8_t value) {
  Bytes seed(32, 0);
  seed[0] = value;
  return seed;
}

uint64_t fingerprint(const void* data, size_t size) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < size; i++) hash = (hash ^ static_cast<const uint8_t*>(data)[i]) * 0x100000001b3u;
  return hash;
}

size_t seeded_bytes(uint32_t bits) { return 32 + (size_t(N) * bits + 7) / 8; }

Bytes encrypt(Machine& machine, const std::vector<int32_t>& messages, uint32_t stride, uint64_t scale, uint32_t bits, uint8_t seed) {
  sotto_encrypt_shape shape = {};
  shape.ciphertext_count = messages.size() / stride;
  shape.stride = stride, shape.scale = scale, shape.bits = bits;
  Bytes records(shape.ciphertext_count * seeded_bytes(bits));
  const Bytes noise_seed = seed_of(seed);
  CHECK(sotto_encrypt(machine.context, machine.secret, messages.data(), &shape, noise_seed.data(), records.data(), records.size()) == SOTTO_OK);
  return records;
}

}  // namespace support
