#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <memory>
#include <new>

#include "backend/cuda/device_job.hpp"
#include "capi/check.hpp"

using namespace sotto;

namespace {

uint32_t default_thread_count() {
  const long cores = sysconf(_SC_NPROCESSORS_ONLN);
  return cores < 1 ? 1 : uint32_t(cores);
}

/// The CPU's kernels of a context; with devices they compute what these have no operation for.
const PolyKernels* choose_kernels(const char* name) {
  if (!name[0] || !strcmp(name, "auto") || !strcmp(name, "cpu") || is_device_name(name)) return select_kernels(nullptr);
  return select_kernels(name);
}

}  // namespace

extern "C" int32_t sotto_context_create(const sotto_context_options* options, sotto_context** context) {
  SOTTO_REQUIRE(options && context, "options and context must not be null");
  SOTTO_REQUIRE(options->thread_count <= 4096, "thread_count %u is above 4096", options->thread_count);
  SOTTO_REQUIRE(memchr(options->backend, 0, sizeof options->backend), "the back end's name is not terminated");
  const PolyKernels* kernels = choose_kernels(options->backend);
  if (!kernels) return fail(SOTTO_UNSUPPORTED, "back end \"%s\" is unknown or this processor cannot run it; use auto, cpu, cuda, ref, portable, avx2 or avx512ifma", options->backend);
  std::unique_ptr<sotto_context> created(new (std::nothrow) sotto_context);
  if (!created) return out_of_memory("a context");
  const auto& p = sotto_context::kParameters;
  if (!created->ring.create(*kernels, p.log_degree, p.modulus, p.root_of_unity)) return out_of_memory("the ring's tables");
  if (is_device_name(options->backend)) {
    Device* device = nullptr;
    if (const int32_t status = open_device(options->backend, created->ring, uint64_t(options->device_key_mebibytes) << 20, &device)) return status;
    created->device.reset(device);
  }
  if (!created->pool.start(options->thread_count ? options->thread_count : default_thread_count())) return fail(SOTTO_SYSTEM, "worker threads cannot be started");
  *context = created.release();
  return SOTTO_OK;
}

extern "C" void sotto_context_destroy(sotto_context* context) { delete context; }

extern "C" int32_t sotto_context_describe(const sotto_context* context, sotto_context_info* info) {
  SOTTO_REQUIRE(context && info, "context and info must not be null");
  sotto_context_info described = {};
  strncpy(described.backend, context->device ? context->device->name() : context->ring.kernels().name, sizeof described.backend - 1);
  strncpy(described.parameter_set, sotto_context::kParameters.name, sizeof described.parameter_set - 1);
  described.thread_count = context->pool.thread_count();
  described.ring_degree = kDegree;
  described.modulus = kModulus;
  described.automorphism_count = sotto_context::kLogDegree;
  described.level_count = sotto_context::kGadget.level_count;
  *info = described;
  return SOTTO_OK;
}

extern "C" int32_t sotto_ntt(sotto_context* context, uint32_t direction, uint64_t* polynomials, size_t count) {
  SOTTO_REQUIRE(context && polynomials && direction <= 1 && count < kCountMax, "sotto_ntt: null argument, or direction not 0 or 1");
  SOTTO_REQUIRE(all_canonical(polynomials, count * kDegree), "a coefficient is not below the modulus");
  if (const auto* operation = on_device(*context, &DeviceOperations::transform)) return run_on_device(*context, *operation, TransformBatch{polynomials, direction == 1}, count);
  Buffer<uint64_t> aligned(kDegree);
  if (!aligned.ok()) return out_of_memory("a polynomial");
  for (size_t i = 0; i < count; i++) {
    memcpy(aligned.data(), polynomials + i * kDegree, kDegree * sizeof(uint64_t));
    direction ? context->ring.inverse(aligned.data()) : context->ring.forward(aligned.data());
    memcpy(polynomials + i * kDegree, aligned.data(), kDegree * sizeof(uint64_t));
  }
  return SOTTO_OK;
}
