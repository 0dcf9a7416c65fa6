// The job handle of the C ABI.
#pragma once

#include <memory>

#include "crypto/context.hpp"

struct sotto_job {
  sotto::Context* context;
  std::unique_ptr<sotto::Job> work;
};

namespace sotto {

/// Wraps submitted work for the caller; cancels and frees it when there is no memory for the handle.
int32_t hand_out(Context* context, Job* work, sotto_job** job);

}  // namespace sotto
