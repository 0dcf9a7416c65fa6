// Names the content of a handle for the caches that keep copies of it elsewhere, in the memory of devices: an address may be used again, a name never is.
#pragma once

#include <stdint.h>

namespace sotto {

/// A cache that is told which names are dead.
class ResidentObserver {
 public:
  virtual ~ResidentObserver() = default;
  /// On the thread that destroys or changes the handle; must be quick.
  virtual void retire(uint64_t id) = 0;

 private:
  friend class ResidentId;
  friend void watch_residents(ResidentObserver&);
  friend void unwatch_residents(ResidentObserver&);
  ResidentObserver* following_ = nullptr;
};

void watch_residents(ResidentObserver& observer);
void unwatch_residents(ResidentObserver& observer);

class ResidentId {
 public:
  ResidentId();
  ~ResidentId();
  ResidentId(const ResidentId&) = delete;
  ResidentId& operator=(const ResidentId&) = delete;

  uint64_t value() const { return value_; }
  /// The content changed: copies are stale.
  void renew();

 private:
  uint64_t value_;
};

}  // namespace sotto
