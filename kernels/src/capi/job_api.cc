#include "capi/job.hpp"

#include <new>

#include "capi/check.hpp"

using namespace sotto;

int32_t sotto::hand_out(Context* context, Job* work, sotto_job** job) {
  auto* created = new (std::nothrow) sotto_job{context, std::unique_ptr<Job>(work)};
  if (created) {
    *job = created;
    return SOTTO_OK;
  }
  work->cancel();
  context->pool.wait(*work);
  delete work;
  return out_of_memory("a job");
}

extern "C" uint32_t sotto_job_progress(const sotto_job* job) { return job ? job->work->progress() : 0; }

extern "C" void sotto_job_cancel(sotto_job* job) {
  if (job) job->work->cancel();
}

extern "C" int32_t sotto_job_wait(sotto_job* job) {
  SOTTO_REQUIRE(job, "job must not be null");
  const int32_t status = job->context->pool.wait(*job->work);
  if (status == SOTTO_CANCELLED) return fail(status, "cancelled");
  if (status == SOTTO_OUT_OF_MEMORY) return out_of_memory("the evaluation");
  return status;
}

extern "C" void sotto_job_destroy(sotto_job* job) {
  if (!job) return;
  job->work->cancel();
  job->context->pool.wait(*job->work);
  delete job;
}
