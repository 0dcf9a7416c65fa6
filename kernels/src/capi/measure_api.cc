// Unit costs of this machine, measured on made-up data of the right shape: what plans turn operation counts into time with.
#include <time.h>

#include <algorithm>

#include "capi/check.hpp"
#include "core/chacha20.hpp"
#include "crypto/encryption.hpp"
#include "crypto/pack.hpp"
#include "crypto/sampling.hpp"

using namespace sotto;

namespace {

double now_ns() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return double(t.tv_sec) * 1e9 + double(t.tv_nsec);
}

/// Smallest of `runs` times of body.
template <class Body>
double fastest_ns(int runs, Body body) {
  double best = 1e300;
  for (int i = 0; i < runs; i++) {
    const double start = now_ns();
    body();
    best = std::min(best, now_ns() - start);
  }
  return best;
}

}  // namespace

extern "C" int32_t sotto_measure(sotto_context* context, sotto_unit_costs* costs) {
  SOTTO_REQUIRE(context && costs, "context and costs must not be null");
  constexpr uint64_t kProducts = 256;
  const Ring& ring = context->ring;
  sotto_unit_costs measured = {};
  const int32_t status = parallel_for(context->pool, 1, [&](uint64_t, Workspace& workspace) {
    sotto_evaluation_keys keys;
    if (!keys.prepared.allocate(Context::kLogDegree * sotto_evaluation_keys::key_words())) return SOTTO_OUT_OF_MEMORY;
    const uint8_t seed[32] = {1};
    for (uint64_t i = 0; i < keys.prepared.size() / kDegree; i++) expand_mask(seed, i, keys.prepared.data() + i * kDegree);
    uint64_t* memory = workspace.words(2 * kCiphertextWords + pack_workspace_words(kProducts));
    if (!memory) return SOTTO_OUT_OF_MEMORY;
    uint64_t *input = memory, *polynomial = memory + kCiphertextWords, *tree = memory + 2 * kCiphertextWords;
    Buffer<uint8_t> record(seeded_record_bytes(40));
    if (!record.ok()) return SOTTO_OUT_OF_MEMORY;
    for (size_t i = 0; i < record.size(); i++) record[i] = uint8_t(i * 37);
    expand_mask(seed, 1000, polynomial);
    measured.expand_ns = fastest_ns(20, [&] {
      expand_seeded(record.data(), 40, input, input + kDegree);
      ring.forward(input), ring.forward(input + kDegree);
    });
    measured.ntt_ns = fastest_ns(50, [&] { for (int i = 0; i < 8; i++) ring.forward(polynomial); }) / 8;
    measured.product_ns = fastest_ns(20, [&] {
      ring.multiply(tree, polynomial, input), ring.multiply(tree + kDegree, polynomial, input + kDegree);
      ring.inverse(tree), ring.inverse(tree + kDegree);
    });
    auto product = [&](uint64_t, uint64_t* out) {
      ring.forward(polynomial);
      ring.multiply(out, polynomial, input), ring.multiply(out + kDegree, polynomial, input + kDegree);
    };
    measured.packed_product_ns = fastest_ns(8, [&] { PackTree<decltype(product)>(*context, keys, 0, kProducts, product).run(tree); }) / kProducts;
    return SOTTO_OK;
  });
  if (status) return out_of_memory("the measurement");
  *costs = measured;
  return SOTTO_OK;
}
