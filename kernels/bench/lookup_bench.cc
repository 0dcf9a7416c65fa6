// Times of lookups on one thread, batch of 64: whole, and its two costly stages, as `name value unit` lines.
//
// Floor of a rotation in setting 1 on AVX-512, N = 2048: 280 blocks of 4 transforms (2.4 us each) and a block product (5.3 us, ifma_block.hpp): 4.2 ms.
// Key switch: 16384 rows of 848 words a lookup, 13.9 M multiply-adds, 16 a cycle at best: 0.24 ms. Keys read once a tile of 16: 55 MB each, about
// 0.35 ms a lookup at 10 GB/s where they come from memory.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <algorithm>
#include <vector>

#include "crypto/lookup.hpp"
#include "sotto/sotto.h"

namespace {

constexpr size_t kBatch = 64;

double now_ms() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return double(t.tv_sec) * 1e3 + double(t.tv_nsec) / 1e6;
}

void require(int32_t status) {
  if (!status) return;
  char text[256];
  sotto_last_error(text, sizeof text);
  fprintf(stderr, "%s\n", text);
  exit(1);
}

template <class Body>
double best_ms(int runs, Body body) {
  double best = 1e300;
  for (int i = 0; i < runs; i++) {
    const double start = now_ms();
    body();
    best = std::min(best, now_ms() - start);
  }
  return best;
}

}  // namespace

int main() {
  sotto_context_options options = {};
  options.thread_count = 1;
  sotto_context* context = nullptr;
  sotto_secret_key* secret = nullptr;
  require(sotto_context_create(&options, &context));
  require(sotto_secret_key_generate(context, nullptr, &secret));
  std::vector<uint32_t> lwe(kBatch * sotto::kLweWords, 0x12345678), out(lwe.size()), small(kBatch * sotto::kSmallLweWords), indices(kBatch, 0);
  for (size_t i = 0; i < lwe.size(); i++) lwe[i] *= uint32_t(2 * i + 1);
  const std::vector<uint64_t> table(sotto::kDegree, uint64_t(1) << 45);
  for (uint32_t setting = 1; setting <= sotto::kSettingCount; setting++) {
    std::vector<uint8_t> payload(sotto_lookup_keys_payload_bytes(setting));
    sotto_lookup_keys* keys = nullptr;
    const double keygen = best_ms(1, [&] { require(sotto_lookup_keys_generate(context, secret, setting, nullptr, payload.data(), payload.size())); });
    const double load = best_ms(1, [&] { require(sotto_lookup_keys_load(context, setting, payload.data(), payload.size(), &keys)); });
    const double keyswitch = best_ms(3, [&] { require(sotto_lwe_keyswitch(context, keys, lwe.data(), kBatch, small.data())); }) / kBatch;
    const double whole = best_ms(3, [&] {
      sotto_job* job = nullptr;
      require(sotto_lookup_submit(context, keys, lwe.data(), kBatch, table.data(), 1, indices.data(), 0, out.data(), &job));
      require(sotto_job_wait(job));
      sotto_job_destroy(job);
    }) / kBatch;
    printf("lookup%u.key_bytes %zu bytes\nlookup%u.keygen %.1f ms\nlookup%u.load %.1f ms\n", setting, payload.size(), setting, keygen, setting, load);
    printf("lookup%u.keyswitch %.3f ms\nlookup%u.total %.3f ms\n", setting, keyswitch, setting, whole);
    sotto_lookup_keys_destroy(keys);
  }
  sotto_secret_key_destroy(secret);
  sotto_context_destroy(context);
}
