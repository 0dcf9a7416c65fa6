// Worker threads and the jobs they share: a job is `item_count` independent items; workers take items of all jobs in turn.
#pragma once

#include <pthread.h>
#include <stdint.h>

#include <atomic>

#include "core/buffer.hpp"

namespace sotto {

/// Scratch memory of one worker, kept between items; grows to the largest request.
class Workspace {
 public:
  /// `words` aligned 64-bit words, content undefined; null when there is no memory. One array at a time.
  uint64_t* words(size_t count) { return memory_.reserve(count) ? memory_.data() : nullptr; }

 private:
  Buffer<uint64_t> memory_;
};

class WorkerPool;

/// Derive, implement run(); submit; wait. Destroy only after wait.
class Job {
 public:
  virtual ~Job() = default;
  /// One item on one worker; a status of sotto.h. Never throws, never blocks on other items.
  virtual int32_t run(uint64_t item, Workspace& workspace) = 0;

  void cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }
  /// Done items in 1/65536.
  uint32_t progress() const {
    return item_count_ ? uint32_t(done_.load(std::memory_order_acquire) * 65536 / item_count_) : 65536;
  }

 private:
  friend class WorkerPool;
  uint64_t item_count_ = 0;
  uint64_t next_ = 0;            // guarded by the pool's mutex
  uint32_t active_ = 0;          // workers inside run(), guarded
  uint32_t active_limit_ = 0;    // guarded
  int32_t status_ = 0;           // first failure, guarded
  bool finished_ = true;         // guarded
  Job* following_ = nullptr;     // queue, guarded
  std::atomic<uint64_t> done_{0};
  std::atomic<bool> cancelled_{false};
};

class WorkerPool {
 public:
  WorkerPool();
  ~WorkerPool();
  /// False when a thread cannot be started.
  bool start(uint32_t thread_count);
  uint32_t thread_count() const { return thread_count_; }

  /// Items 0 .. item_count - 1, on at most `active_limit` workers at once (0: all). The job belongs to the caller.
  void submit(Job& job, uint64_t item_count, uint32_t active_limit);
  /// Blocks until no worker is inside the job; its status.
  int32_t wait(Job& job);
  int32_t run(Job& job, uint64_t item_count) {
    submit(job, item_count, 0);
    return wait(job);
  }

 private:
  static void* worker_main(void* pool);
  void work();
  Job* take();  // next job with an item to run, moved to the end of the queue; null when there is none
  void remove(Job* job);

  pthread_mutex_t mutex_;
  pthread_cond_t wake_, done_;
  Job* first_ = nullptr;
  bool stopping_ = false;
  uint32_t thread_count_ = 0;
  Buffer<pthread_t> threads_;
};

/// The calling function's items as a job: body(item, workspace) -> status.
template <class Body>
class BodyJob final : public Job {
 public:
  explicit BodyJob(Body body) : body_(body) {}
  int32_t run(uint64_t item, Workspace& workspace) override { return body_(item, workspace); }

 private:
  Body body_;
};

/// Runs body for every item on all workers and waits.
template <class Body>
int32_t parallel_for(WorkerPool& pool, uint64_t item_count, Body body) {
  BodyJob<Body> job(body);
  return pool.run(job, item_count);
}

}  // namespace sotto
