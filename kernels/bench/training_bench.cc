// Processor times of what training is made of, on one thread, as `name value unit` lines.
//
// Floors. External product: eight transforms, three digits of each part and two back. Automorphism: six digits and two back. Pack: six digits and one back for
// each merge or fold, one for each lwe, two back at the end. Each floor printed counts these transforms alone, at the measured time of whole ones; those inside
// a gadget product skip the last reduction and can be quicker.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <algorithm>
#include <vector>

#include "crypto/pack.hpp"
#include "crypto/rgsw.hpp"
#include "crypto/trace_pack.hpp"

namespace {

using namespace sotto;
using Words = std::vector<uint64_t>;

double now_ns() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return double(t.tv_sec) * 1e9 + double(t.tv_nsec);
}

void require(int32_t status) {
  if (!status) return;
  char text[256];
  sotto_last_error(text, sizeof text);
  fprintf(stderr, "%s\n", text);
  exit(1);
}

/// Best processor time of an item in runs of `count`.
template <class Body>
double best_ns(size_t count, Body body) {
  double best = 1e300;
  for (int run = 0; run < 20; run++) {
    const double start = now_ns();
    body();
    best = std::min(best, (now_ns() - start) / double(count));
  }
  return best;
}

struct Machine {
  sotto_context* context = nullptr;
  sotto_secret_key* secret = nullptr;
  sotto_training_keys* keys = nullptr;
  sotto_rgsw* rgsw = nullptr;
  std::vector<uint8_t> record = std::vector<uint8_t>(sotto_rgsw_record_bytes(0));
  const std::vector<int32_t> messages = std::vector<int32_t>(kDegree, 1);

  explicit Machine(const char* backend) {
    sotto_context_options options = {};
    options.thread_count = 1;
    strncpy(options.backend, backend, sizeof options.backend - 1);
    require(sotto_context_create(&options, &context));
    require(sotto_secret_key_generate(context, nullptr, &secret));
    std::vector<uint8_t> payload(sotto_training_keys_payload_bytes());
    require(sotto_training_keys_generate(context, secret, nullptr, payload.data(), payload.size()));
    require(sotto_training_keys_load(context, payload.data(), payload.size(), &keys));
    encrypt();
    require(sotto_rgsw_load(context, 0, record.data(), record.size(), &rgsw));
  }
  ~Machine() {
    sotto_rgsw_destroy(rgsw);
    sotto_training_keys_destroy(keys);
    sotto_secret_key_destroy(secret);
    sotto_context_destroy(context);
  }
  Machine(const Machine&) = delete;
  void encrypt() { require(sotto_rgsw_encrypt(context, secret, messages.data(), nullptr, record.data(), record.size())); }
};

void print(const char* name, double value) { printf("%s %.0f ns\n", name, value); }

Words random_words(size_t count) {
  Words words(count);
  uint64_t state = 1;
  for (auto& word : words) word = (state = state * 6364136223846793005u + 1442695040888963407u) % kModulus;
  return words;
}

double time_transform(Machine& machine) {
  Words words = random_words(64 * kDegree);
  return best_ns(64, [&] { require(sotto_ntt(machine.context, 0, words.data(), 64)); });
}

void time_rgsw(Machine& machine) {
  print("rgsw_encrypt", best_ns(1, [&] { machine.encrypt(); }));
  print("rgsw_load", best_ns(1, [&] {
          sotto_rgsw* loaded = nullptr;
          require(sotto_rgsw_load(machine.context, 0, machine.record.data(), machine.record.size(), &loaded));
          sotto_rgsw_destroy(loaded);
        }));
}

void time_packs(Machine& machine, size_t count, double transform) {
  constexpr size_t kPacks = 4;
  const Words lwe = random_words(kPacks * count * kRingLweWords);
  Words results(kPacks * kCiphertextWords);
  const double found = best_ns(kPacks, [&] { require(sotto_trace_pack(machine.context, machine.keys, lwe.data(), count, kPacks, results.data())); });
  const uint32_t levels = ceil_log2(count), switches = (1u << levels) - 1 + Context::kLogDegree - levels;
  printf("trace_pack_%zu %.0f ns\ntrace_pack_%zu_floor %.0f ns\n", count, found, count, (switches * (kTrainingGadget.level_count + 1) + double(count) + 2) * transform);
}

}  // namespace

int main(int argument_count, char** arguments) {
  Machine machine(argument_count > 1 ? arguments[1] : "auto");
  constexpr size_t kCount = 16;
  const Words in = random_words(kCount * kCiphertextWords);
  Words out(in.size());
  const double transform = time_transform(machine);
  print("transform", transform);
  time_rgsw(machine);
  print("external_product", best_ns(kCount, [&] { require(sotto_external_product(machine.context, machine.rgsw, in.data(), kCount, out.data())); }));
  print("external_product_floor", (kRgswRows + 2) * transform);
  print("training_automorphism", best_ns(kCount, [&] { require(sotto_training_automorphism(machine.context, machine.keys, 0, in.data(), kCount, out.data())); }));
  print("training_automorphism_floor", (kTrainingGadget.level_count + 2) * transform);
  for (size_t count : {size_t(8), size_t(32)}) time_packs(machine, count, transform);
  return 0;
}
