// The port in a library that was built without CUDA.
#include <string.h>

#include "backend/cuda/device.hpp"
#include "core/status.hpp"

namespace sotto {

bool is_device_name(const char* name) { return !strcmp(name, "cuda"); }

int32_t open_device(const char*, const Ring&, uint64_t, Device**) {
  return fail(SOTTO_UNSUPPORTED, "this library was built without CUDA: build the other one with \"deno task build:cuda\", or choose back end auto");
}

}  // namespace sotto
