#include "core/worker_pool.hpp"

#include "core/status.hpp"

namespace sotto {

WorkerPool::WorkerPool() {
  pthread_mutex_init(&mutex_, nullptr);
  pthread_cond_init(&wake_, nullptr);
  pthread_cond_init(&done_, nullptr);
}

WorkerPool::~WorkerPool() {
  pthread_mutex_lock(&mutex_);
  stopping_ = true;
  pthread_cond_broadcast(&wake_);
  pthread_mutex_unlock(&mutex_);
  for (uint32_t i = 0; i < thread_count_; i++) pthread_join(threads_[i], nullptr);
  pthread_cond_destroy(&done_);
  pthread_cond_destroy(&wake_);
  pthread_mutex_destroy(&mutex_);
}

bool WorkerPool::start(uint32_t thread_count) {
  if (!threads_.allocate(thread_count)) return false;
  for (; thread_count_ < thread_count; thread_count_++)
    if (pthread_create(&threads_[thread_count_], nullptr, worker_main, this)) return false;
  return true;
}

void WorkerPool::submit(Job& job, uint64_t item_count, uint32_t active_limit) {
  job.item_count_ = item_count;
  job.active_limit_ = active_limit ? active_limit : thread_count_;
  if (!item_count) return;
  pthread_mutex_lock(&mutex_);
  job.finished_ = false;
  Job** link = &first_;
  while (*link) link = &(*link)->following_;
  *link = &job;
  pthread_cond_broadcast(&wake_);
  pthread_mutex_unlock(&mutex_);
}

int32_t WorkerPool::wait(Job& job) {
  pthread_mutex_lock(&mutex_);
  while (!job.finished_) pthread_cond_wait(&done_, &mutex_);
  const int32_t status = job.status_;
  pthread_mutex_unlock(&mutex_);
  return status;
}

void WorkerPool::remove(Job* job) {
  for (Job** link = &first_; *link; link = &(*link)->following_)
    if (*link == job) {
      *link = job->following_;
      job->following_ = nullptr;
      return;
    }
}

Job* WorkerPool::take() {
  for (Job* job = first_; job; job = job->following_) {
    if (job->active_ >= job->active_limit_) continue;
    remove(job);
    Job** link = &first_;
    while (*link) link = &(*link)->following_;
    *link = job;
    return job;
  }
  return nullptr;
}

void* WorkerPool::worker_main(void* pool) {
  static_cast<WorkerPool*>(pool)->work();
  return nullptr;
}

void WorkerPool::work() {
  Workspace workspace;
  pthread_mutex_lock(&mutex_);
  for (;;) {
    Job* job = take();
    if (!job) {
      if (stopping_) break;
      pthread_cond_wait(&wake_, &mutex_);
      continue;
    }
    const uint64_t item = job->next_++;
    if (job->next_ == job->item_count_) remove(job);
    job->active_++;
    pthread_mutex_unlock(&mutex_);
    const int32_t status = job->cancelled() ? fail(SOTTO_CANCELLED, "cancelled") : job->run(item, workspace);
    job->done_.fetch_add(1, std::memory_order_release);
    pthread_mutex_lock(&mutex_);
    job->active_--;
    if (status && !job->status_) {
      job->status_ = status;
      remove(job);
      job->next_ = job->item_count_;
    }
    const bool all_taken = job->next_ == job->item_count_;
    if (all_taken && job->active_ == 0) {
      job->finished_ = true;
      pthread_cond_broadcast(&done_);
    } else if (!all_taken) {
      pthread_cond_signal(&wake_);
    }
  }
  pthread_mutex_unlock(&mutex_);
}

}  // namespace sotto
