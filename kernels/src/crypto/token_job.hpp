// The last step of every call on tokens: a job and its items to the pool.
#pragma once

#include "core/status.hpp"
#include "crypto/context.hpp"

namespace sotto {

/// Submits a job made with new (std::nothrow), of created->item_count() items, and hands it out.
template <class Created>
int32_t submit_token_job(Context& context, Created* created, uint32_t thread_count, Job** job) {
  if (!created) return out_of_memory("a job");
  context.pool.submit(*created, created->item_count(), thread_count);
  *job = created;
  return SOTTO_OK;
}

}  // namespace sotto
