// Devices on the shim: their single steps against the reference, batches over several of them, keys that come and go, and every failure as a status.
#include "device_support.hpp"

using namespace support;
using namespace sotto;

namespace {

std::string last_error() {
  char text[256];
  sotto_last_error(text, sizeof text);
  return text;
}

/// Sets back what a test injected.
struct Calm {
  ~Calm() {
    shim::set_device_count(1);
    shim::set_shared_bytes(int(cuda::kShared90));
    shim::fail_allocation(0);
    shim::fail_pinned_allocation(0);
    shim::fail_launch(0);
    shim::lose_device(0);
  }
};

sotto_context* make_context(const char* backend, int32_t expected, uint32_t threads = 1) {
  sotto_context_options options = {};
  options.thread_count = threads;
  strcpy(options.backend, backend);
  sotto_context* context = nullptr;
  CHECK(sotto_context_create(&options, &context) == expected && (context != nullptr) == (expected == SOTTO_OK));
  return context;
}

Words transformed(sotto_context* context, Words polynomials) {
  CHECK(sotto_ntt(context, 0, polynomials.data(), polynomials.size() / N) == SOTTO_OK);
  return polynomials;
}

}  // namespace

TEST("steps of a rotation on a device equal the reference's, in every setting, one or two in a block of threads") {
  const Calm calm;
  const Words tables = random_polynomials(2, 6);
  for (size_t shared : {cuda::kShared80, cuda::kShared90}) {
    shim::set_shared_bytes(int(shared));
    for (const char* name : {"cuda-shim-integers", "cuda-shim-doubles"}) {
      Machine machine(name);
      for (uint32_t setting : kSettings) {
        sotto_lookup_keys keys;
        fill_short_keys(setting, keys);
        for (uint32_t count : {1u, 3u}) CHECK(rotate_on_device(machine, keys, count, tables) == rotate_by_reference(keys, count, tables));
      }
    }
  }
}

TEST("a device too small for rotations leaves lookups to the CPU") {
  const Calm calm;
  shim::set_shared_bytes(99 * 1024);
  Machine machine("cuda-shim");
  CHECK(machine.context->device->operations().transform.run && !machine.context->device->operations().lookup.run && !machine.context->device->operations().rotation.run);
  const Words data = random_polynomials(2, 4);
  CHECK(transformed(machine.context, data) == transformed(reference().context, data));
}

TEST("a batch is split over lanes and devices") {
  const Calm calm;
  shim::set_device_count(3);
  const Words data = random_polynomials(24, 4), expected = transformed(reference().context, data);
  sotto_context* context = make_context("cuda-shim", SOTTO_OK, 6);
  CHECK(context->device->gpu_count() == 3);
  const uint64_t before = shim::launch_count();
  CHECK(transformed(context, data) == expected);
  CHECK(shim::launch_count() - before == 6);  // two lanes a device, four polynomials each
  for (size_t count : {1u, 5u}) CHECK(transformed(context, Words(data.begin(), data.begin() + count * N)) == Words(expected.begin(), expected.begin() + count * N));
  CHECK(sotto_ntt(context, 0, Words(N).data(), 0) == SOTTO_OK);
  sotto_context_destroy(context);
}

TEST("copies on a device go when others need the room, when their handle does, and never while they are used") {
  const uint64_t before = shim::allocated_bytes();
  {
    cuda::Gpu gpu;
    CHECK(gpu.open(0, reference().context->ring, 1000, nullptr) == SOTTO_OK);
    cuda::ResidentCache& cache = gpu.residents();
    int filled = 0;
    const auto use = [&](const ResidentId& id, size_t bytes, int32_t fill_status = SOTTO_OK) {
      cuda::Resident* resident = nullptr;
      const int32_t status = cache.acquire(id.value(), cuda::Part::whole, bytes, [&](void*) { return filled++, fill_status; }, &resident);
      CHECK((status == SOTTO_OK) == (resident != nullptr));
      if (resident) cache.release(*resident);
      return status;
    };
    ResidentId a, b;
    CHECK(use(a, 400) == SOTTO_OK && use(b, 400) == SOTTO_OK && use(a, 400) == SOTTO_OK && filled == 2 && cache.bytes() == 800);
    {
      ResidentId c;
      CHECK(use(c, 400) == SOTTO_OK && filled == 3 && cache.bytes() == 800);  // b went
      CHECK(use(a, 400) == SOTTO_OK && filled == 3);
    }
    CHECK(use(b, 500) == SOTTO_OK && filled == 4 && cache.bytes() == 900);  // c is dead, a stayed
    CHECK(use(a, 400) == SOTTO_OK && filled == 4);
    a.renew();
    CHECK(use(a, 400) == SOTTO_OK && filled == 5 && cache.bytes() == 900);
    ResidentId large, failing;
    CHECK(use(large, 1001) == SOTTO_OUT_OF_MEMORY && filled == 5);
    CHECK(use(failing, 100, SOTTO_DEVICE_FAILED) == SOTTO_DEVICE_FAILED && filled == 6 && cache.bytes() == 900);
    cuda::Resident* held = nullptr;
    CHECK(cache.acquire(b.value(), cuda::Part::whole, 500, [](void*) { return SOTTO_SYSTEM; }, &held) == SOTTO_OK);
    CHECK(use(large, 600) == SOTTO_OUT_OF_MEMORY && last_error().find("in use") != std::string::npos);
    cache.release(*held);
    CHECK(use(large, 600) == SOTTO_OK && cache.bytes() == 600);
    // A full device makes room too.
    shim::fail_allocation(1);
    unsigned char* memory = nullptr;
    CHECK(gpu.allocate(10, "a test", &memory) == SOTTO_OK && cache.bytes() == 0);
    cudaFree(memory);
  }
  CHECK(shim::allocated_bytes() == before);
}

TEST("without a device a context is refused with a message that says so") {
  const Calm calm;
  shim::set_device_count(0);
  make_context("cuda-shim", SOTTO_UNSUPPORTED);
  CHECK(last_error() == "no CUDA device: no CUDA-capable device is detected");
  make_context("cuda", SOTTO_UNSUPPORTED);  // the name of the real ones: no CPU back end is called so
}

TEST("memory that a device does not have is a status, and what was taken is given back") {
  const Calm calm;
  const uint64_t before = shim::allocated_bytes();
  shim::fail_allocation(1);
  make_context("cuda-shim", SOTTO_OUT_OF_MEMORY);
  shim::fail_pinned_allocation(2);
  make_context("cuda-shim", SOTTO_OUT_OF_MEMORY);
  CHECK(shim::allocated_bytes() == before);
  sotto_context* context = make_context("cuda-shim", SOTTO_OK);
  const Words data = random_polynomials(3, 4);
  Words x = data;
  shim::fail_allocation(1);
  CHECK(sotto_ntt(context, 0, x.data(), 3) == SOTTO_OUT_OF_MEMORY && x == data);
  CHECK(last_error() == "not enough memory on the device");
  CHECK(transformed(context, data) == transformed(reference().context, data));
  sotto_context_destroy(context);
  CHECK(shim::allocated_bytes() == before);
}

TEST("a launch that fails is a status, and the next one works") {
  const Calm calm;
  const Words data = random_polynomials(2, 4);
  Machine& machine = *device_machines()[0];
  for (uint64_t launch : {1u, 2u}) {
    sotto_lookup_keys keys;
    fill_short_keys(1, keys);
    shim::fail_launch(launch);
    CHECK(launch == 1 || rotate_on_device(machine, keys, 1, data).status == SOTTO_DEVICE_FAILED);  // the second launch, after the keys were arranged
    Words x = data;
    if (launch == 1) CHECK(sotto_ntt(machine.context, 0, x.data(), 2) == SOTTO_DEVICE_FAILED && x == data);
    CHECK(transformed(machine.context, data) == transformed(reference().context, data));
  }
}

TEST("a device that is lost is a status once; then the CPU computes what it can, and other contexts go on") {
  const Calm calm;
  const Words data = random_polynomials(2, 4);
  {
    Machine machine("cuda-shim");
    shim::lose_device(1);
    Words x = data;
    CHECK(sotto_ntt(machine.context, 0, x.data(), 2) == SOTTO_DEVICE_FAILED && x == data);
    CHECK(last_error() == "a device failed" && machine.context->device->lost());
    const uint64_t launches = shim::launch_count();
    CHECK(transformed(machine.context, data) == transformed(reference().context, data) && shim::launch_count() == launches);
    CHECK(transformed(machines().back()->context, data) == transformed(reference().context, data));
    CHECK(encrypt(machine, {1, 2, 3}, 3, 1, 40, 9) == encrypt(reference(), {1, 2, 3}, 3, 1, 40, 9));  // what the CPU computes still works
  }
  shim::lose_device(0);
  Machine machine("cuda-shim");
  CHECK(transformed(machine.context, data) == transformed(reference().context, data));
}
