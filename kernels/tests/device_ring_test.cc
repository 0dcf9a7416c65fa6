// Ring circuits on devices: that they run there, and that what fails there is a status for that request alone.
#include "device_ring_support.hpp"
#include "device_support.hpp"

using namespace support;
using namespace sotto;

TEST("every ring circuit runs on the device, with the bytes of the reference") {
  const auto expected = ring_operations(reference());
  for (Machine* machine : device_machines()) {
    const auto found = ring_operations(*machine);
    for (size_t i = 0; i < found.size(); i++) {
      const uint64_t before = shim::launch_count();
      CHECK(found[i]() == expected[i]());
      CHECK(shim::launch_count() > before);
    }
  }
}

TEST("a ring circuit whose memory or launch fails is a status, and its next call gives the same bytes") {
  Machine& machine = *device_machines()[0];
  for (const auto& operation : ring_operations(machine)) {
    const Words expected = operation();
    CHECK(expected.back() == uint64_t(SOTTO_OK));
    shim::fail_launch(1);
    CHECK(operation().back() == uint64_t(SOTTO_DEVICE_FAILED));
    CHECK(operation() == expected);
  }
  for (size_t i = 0; i < ring_operations(machine).size(); i++) {
    Machine fresh("cuda-shim");  // nothing to drop for room
    const auto operation = ring_operations(fresh)[i];
    shim::fail_allocation(1);
    CHECK(operation().back() == uint64_t(SOTTO_OUT_OF_MEMORY));
    CHECK(operation().back() == uint64_t(SOTTO_OK));
  }
}

TEST("a device that is lost fails one ring circuit of its context; the CPU computes the next ones") {
  Machine& other = reference();
  const Words expected = ring_operations(other)[0]();
  {
    Machine machine("cuda-shim");
    const auto all = ring_operations(machine);
    shim::lose_device(1);
    CHECK(all[0]().back() == uint64_t(SOTTO_DEVICE_FAILED));
    const uint64_t launches = shim::launch_count();
    const auto wanted = ring_operations(other);
    for (size_t i = 0; i < all.size(); i++) CHECK(all[i]() == wanted[i]());
    CHECK(shim::launch_count() == launches);
    CHECK(ring_operations(other)[0]() == expected);
  }
  shim::lose_device(0);
  Machine again("cuda-shim");
  CHECK(ring_operations(again)[0]() == expected);
}
