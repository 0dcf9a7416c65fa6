// Every barrier of every kernel is needed: without any one of them some result changes, in the ascending or in the descending order of threads.
#include <algorithm>
#include <functional>

#include "device_ring_support.hpp"
#include "device_support.hpp"

using namespace support;
using namespace sotto;

namespace {

/// Bytes that all kernels together compute; a status counts as a result. An operation that is added belongs here with its smallest batch.
std::vector<std::function<Words()>> operations() {
  std::vector<std::function<Words()>> all;
  for (Machine* machine : device_machines()) {
    for (uint32_t direction : {0u, 1u})
      all.push_back([=] {
        Words x = random_polynomials(1, 21);
        x.push_back(uint64_t(sotto_ntt(machine->context, direction, x.data(), 1)));
        return x;
      });
    for (uint32_t setting : {1u, 2u})
      all.push_back([=] {
        sotto_lookup_keys keys;
        fill_short_keys(setting, keys);
        const ShortRotation found = rotate_on_device(*machine, keys, 1, random_polynomials(2, 6));
        Words words = found.accumulators;
        words.insert(words.end(), found.lwe.begin(), found.lwe.end());
        words.push_back(uint64_t(found.status));
        return words;
      });
  }
  all.push_back([] {
    const DeviceProduct product(20, 20, 150);  // three turns of the loop over the depth
    int32_t status = SOTTO_OK;
    const std::vector<uint32_t> out = product.by_device(*device_machines()[0], &status);
    Words words(out.begin(), out.end());
    words.push_back(uint64_t(status));
    return words;
  });
  all.push_back([] {
    cuda::LaneUse lane(device_of(*device_machines()[0]));
    Random random{5};
    const SmallSet& set = small_set(1);
    std::vector<uint32_t> small(small_row_words(set));
    for (uint32_t& x : small) x = uint32_t(random.next());
    DeviceArray<uint32_t> rows(*lane, small), exponents(*lane, small.size());
    const int32_t status = cuda::switch_to_exponents(*lane, set, rows.data(), 1, 0, exponents.data());
    const std::vector<uint32_t> out = exponents.values();
    Words words(out.begin(), out.begin() + small_words(set));
    words.push_back(uint64_t(status));
    return words;
  });
  for (const auto& operation : ring_operations(*device_machines()[0])) all.push_back(operation);
  return all;
}

/// Whether any operation computes something else now.
bool changes(const std::vector<std::function<Words()>>& all, const std::vector<Words>& expected) {
  for (size_t i = 0; i < all.size(); i++)
    if (all[i]() != expected[i]) return true;
  return false;
}

}  // namespace

TEST("results do not depend on the order of threads, and no barrier can be left out") {
  const auto all = operations();
  std::vector<Words> expected;
  for (const auto& operation : all) expected.push_back(operation());
  shim::set_order(shim::Order::descending);
  CHECK(!changes(all, expected));
  size_t count = 0;
  for (const shim::Barrier& barrier : shim::barriers()) {
    if (barrier.file.find("backend/cuda") == std::string::npos) continue;
    count++;
    shim::mute(barrier);
    bool caught = false;
    for (shim::Order order : {shim::Order::ascending, shim::Order::descending}) {
      shim::set_order(order);
      caught = caught || changes(all, expected);
    }
    if (!caught) harness::report_failure(__FILE__, __LINE__, "nothing changes without the barrier at " + barrier.name());
  }
  shim::mute({"", 0});
  shim::set_order(shim::Order::ascending);
  printf("  %zu barriers\n", count);
  CHECK(count >= 10);
}
