#include "core/resident_id.hpp"

#include <pthread.h>

#include <atomic>

namespace sotto {
namespace {

std::atomic<uint64_t> next_id{1};
pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
ResidentObserver* first = nullptr;  // guarded

}  // namespace

void watch_residents(ResidentObserver& observer) {
  pthread_mutex_lock(&mutex);
  observer.following_ = first;
  first = &observer;
  pthread_mutex_unlock(&mutex);
}

void unwatch_residents(ResidentObserver& observer) {
  pthread_mutex_lock(&mutex);
  for (ResidentObserver** link = &first; *link; link = &(*link)->following_)
    if (*link == &observer) {
      *link = observer.following_;
      break;
    }
  pthread_mutex_unlock(&mutex);
}

ResidentId::ResidentId() : value_(next_id++) {}

ResidentId::~ResidentId() {
  pthread_mutex_lock(&mutex);
  for (ResidentObserver* observer = first; observer; observer = observer->following_) observer->retire(value_);
  pthread_mutex_unlock(&mutex);
}

void ResidentId::renew() {
  pthread_mutex_lock(&mutex);
  for (ResidentObserver* observer = first; observer; observer = observer->following_) observer->retire(value_);
  value_ = next_id++;
  pthread_mutex_unlock(&mutex);
}

}  // namespace sotto
