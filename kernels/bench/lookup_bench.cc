// Processor times of lookups on one thread, whole and by stage, as `name value unit` lines; with --count N, counts errors of N exact four-bit lookups on all cores instead.
//
// Floors. Key switch: 16384 (n + 1) multiply-adds a lookup, 13.8 M; a VNNI instruction does 64 byte products, a quarter of each multiply-add, and two start a
// cycle: 0.12 ms at 3.7 GHz. Rotation: n / block blocks of 2 (levels + 1) transforms at the measured time, and a block product: the floor printed counts the
// transforms alone. Each key is read once a tile, key bytes / 16 a lookup: what memory has to give beside the arithmetic. Modulus switch: n + 1 words, one
// pass; extraction: N words, one pass; both are below 1 % of a lookup.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <algorithm>
#include <string>
#include <vector>

#include "crypto/lookup.hpp"
#include "sotto/sotto.h"

namespace {

double now_ms(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return double(t.tv_sec) * 1e3 + double(t.tv_nsec) / 1e6;
}

void require(int32_t status) {
  if (!status) return;
  char text[256];
  sotto_last_error(text, sizeof text);
  fprintf(stderr, "%s\n", text);
  exit(1);
}

/// Processor time: with one worker, that of the work, whatever else the machine does.
template <class Body>
double best_ms(int runs, Body body) {
  double best = 1e300;
  for (int i = 0; i < runs; i++) {
    const double start = now_ms(CLOCK_PROCESS_CPUTIME_ID);
    body();
    best = std::min(best, now_ms(CLOCK_PROCESS_CPUTIME_ID) - start);
  }
  return best;
}

struct Machine {
  sotto_context* context = nullptr;
  sotto_secret_key* secret = nullptr;
  Machine(const char* backend, uint32_t thread_count) {
    sotto_context_options options = {};
    options.thread_count = thread_count;
    strncpy(options.backend, backend, sizeof options.backend - 1);
    require(sotto_context_create(&options, &context));
    require(sotto_secret_key_generate(context, nullptr, &secret));
  }
  ~Machine() {
    sotto_secret_key_destroy(secret);
    sotto_context_destroy(context);
  }
  Machine(const Machine&) = delete;
};

std::vector<uint32_t> random_words(size_t count) {
  sotto::RandomSource random(nullptr);
  std::vector<uint32_t> words(count);
  if (!random.fill(words.data(), count * sizeof(uint32_t))) require(SOTTO_SYSTEM);
  return words;
}

struct Lookup {
  const sotto_lookup_keys* keys;
  std::vector<uint32_t> lwe, indices, out;
  std::vector<uint64_t> table;
  Lookup(const sotto_lookup_keys* keys, size_t count) : keys(keys), lwe(random_words(count * sotto::kLweWords)), indices(count, 0), out(lwe.size()), table(sotto::kDegree, uint64_t(1) << 45) {}
  void run(sotto_context* context) {
    sotto_lookup_shape shape = {};
    shape.count = indices.size(), shape.table_count = 1;
    sotto_job* job = nullptr;
    require(sotto_lookup_submit(context, keys, lwe.data(), table.data(), indices.data(), &shape, out.data(), out.size() * sizeof(uint32_t), &job));
    require(sotto_job_wait(job));
    sotto_job_destroy(job);
  }
};

void print(const std::string& name, double value, const char* unit) {
  printf("%s %.4f %s\n", name.c_str(), value, unit);
  fflush(stdout);
}

/// The stages of a lookup, one by one, milliseconds a lookup.
void measure_stages(const Machine& machine, Lookup& lookup, const std::string& name) {
  const size_t count = lookup.indices.size(), words = sotto::small_words(lookup.keys->small());
  std::vector<uint32_t> small(count * words), exponents(small.size());
  std::vector<uint64_t> accumulators(count * sotto::kCiphertextWords);
  const auto stage = [&](const char* what, auto body) { print(name + "." + what, best_ms(3, body) / double(count), "ms"); };
  stage("keyswitch", [&] { require(sotto_lwe_keyswitch(machine.context, lookup.keys, lookup.lwe.data(), count, small.data())); });
  stage("modulus_switch", [&] { require(sotto_modulus_switch(lookup.keys, small.data(), count, 0, exponents.data())); });
  stage("rotation", [&] { require(sotto_blind_rotate(machine.context, lookup.keys, exponents.data(), count, lookup.table.data(), accumulators.data())); });
  stage("extraction", [&] {
    for (size_t i = 0; i < count; i++) {
      const uint64_t* accumulator = accumulators.data() + i * sotto::kCiphertextWords;
      sotto::extract_u32(accumulator, accumulator + sotto::kDegree, 0, lookup.out.data() + i * sotto::kLweWords);
    }
  });
}

void print_floors(const sotto_lookup_keys& keys, const sotto_unit_costs& costs, const std::string& name) {
  const sotto::SmallSet& set = keys.small();
  const double blocks = set.dimension / set.block, transforms = 2 * (sotto::lookup_gadget(keys.setting).level_count + 1);
  print(name + ".floor.keyswitch", 4.0 * sotto::kSwitchRows * sotto::small_words(set) / 128 / 3.7e6, "ms");
  print(name + ".floor.rotation_transforms", blocks * transforms * costs.ntt_ns / 1e6, "ms");
  print(name + ".floor.tile_switching_bytes", double(keys.switching.size()), "bytes");
  print(name + ".floor.tile_rotation_bytes", double(keys.rotation.size() * sizeof(uint64_t)), "bytes");
}

void measure_setting(const Machine& machine, uint32_t setting, const sotto_unit_costs& costs) {
  const std::string name = "lookup" + std::to_string(setting);
  std::vector<uint8_t> payload(sotto_lookup_keys_payload_bytes(setting));
  sotto_lookup_keys* keys = nullptr;
  print(name + ".key_bytes", double(payload.size()), "bytes");
  print(name + ".keygen", best_ms(1, [&] { require(sotto_lookup_keys_generate(machine.context, machine.secret, setting, nullptr, payload.data(), payload.size())); }), "ms");
  print(name + ".load", best_ms(1, [&] { require(sotto_lookup_keys_load(machine.context, setting, payload.data(), payload.size(), &keys)); }), "ms");
  print_floors(*keys, costs, name);
  for (size_t batch : {64, 256}) {
    Lookup lookup(keys, batch);
    if (batch == 64) measure_stages(machine, lookup, name);
    print(name + ".total" + std::to_string(batch), best_ms(2, [&] { lookup.run(machine.context); }) / double(batch), "ms");
  }
  sotto_lookup_keys_destroy(keys);
}

/// x -> 7 x + 3 mod 16, four bits and a padding bit: slots of N / 16 positions centred on the messages.
uint32_t permuted(uint32_t x) { return (7 * x + 3) % 16; }
std::vector<uint64_t> nibble_table() {
  std::vector<uint64_t> table(sotto::kDegree);
  for (uint32_t j = 0; j < sotto::kDegree; j++) {
    const uint32_t slot = (j + sotto::kDegree / 32) / (sotto::kDegree / 16);
    const uint64_t value = sotto::kModulus / 32 * permuted(slot % 16);
    table[j] = slot < 16 || value == 0 ? value : sotto::kModulus - value;
  }
  return table;
}

uint32_t phase_of(const sotto_secret_key& key, const uint32_t* lwe) {
  uint32_t phase = lwe[sotto::kDegree];
  for (uint32_t j = 0; j < sotto::kDegree; j++) phase -= lwe[j] * uint32_t(key.coefficients[j] - 3 * (key.coefficients[j] >> 1));
  return phase;
}

/// Lookups of random messages in batches; how many came out wrong.
void count_errors(const Machine& machine, uint32_t setting, size_t count) {
  constexpr uint32_t unit = 1u << 27;
  std::vector<uint8_t> payload(sotto_lookup_keys_payload_bytes(setting));
  sotto_lookup_keys* keys = nullptr;
  require(sotto_lookup_keys_generate(machine.context, machine.secret, setting, nullptr, payload.data(), payload.size()));
  require(sotto_lookup_keys_load(machine.context, setting, payload.data(), payload.size(), &keys));
  size_t errors = 0;
  const double start = now_ms(CLOCK_MONOTONIC);
  for (size_t done = 0; done < count;) {
    const size_t batch = std::min<size_t>(count - done, 4096);
    Lookup lookup(keys, batch);
    lookup.table = nibble_table();
    const std::vector<uint32_t> messages = random_words(batch);
    for (size_t i = 0; i < batch; i++) {
      uint32_t* lwe = lookup.lwe.data() + i * sotto::kLweWords;
      lwe[sotto::kDegree] += messages[i] % 16 * unit - phase_of(*machine.secret, lwe);
    }
    lookup.run(machine.context);
    for (size_t i = 0; i < batch; i++)
      errors += (phase_of(*machine.secret, lookup.out.data() + i * sotto::kLweWords) + unit / 2) / unit != permuted(messages[i] % 16);
    done += batch;
  }
  sotto_lookup_keys_destroy(keys);
  print("lookup" + std::to_string(setting) + ".count", double(count), "lookups");
  print("lookup" + std::to_string(setting) + ".errors", double(errors), "lookups");
  print("lookup" + std::to_string(setting) + ".time", (now_ms(CLOCK_MONOTONIC) - start) / 1e3, "s");
}

}  // namespace

// lookup_bench [--backend NAME] [--setting N] [--count N]
int main(int count, char** arguments) {
  std::string backend;
  size_t lookups = 0;
  std::vector<uint32_t> settings = {1, 2, 3};
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string name = arguments[i];
    if (name == "--backend") backend = arguments[i + 1];
    if (name == "--setting") settings = {uint32_t(strtoul(arguments[i + 1], nullptr, 10))};
    if (name == "--count") lookups = strtoul(arguments[i + 1], nullptr, 10);
  }
  for (uint32_t setting : settings)
    if (!sotto::is_setting(setting)) {
      fprintf(stderr, "setting %u is not one of 1, 2, 3, 11, 12, 13\n", setting);
      return 1;
    }
  if (lookups) {
    count_errors(Machine(backend.c_str(), 0), settings[0], lookups);
    return 0;
  }
  const Machine machine(backend.c_str(), 1);
  sotto_unit_costs costs = {};
  require(sotto_measure(machine.context, &costs));
  print("lookup.ntt", costs.ntt_ns, "ns");
  for (uint32_t setting : settings) measure_setting(machine, setting, costs);
}
