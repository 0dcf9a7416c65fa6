// CUDA kernels on the processor, for tests: every thread of a block is a fiber, blocks run one after the other on the thread that launches.
//
// What it finds: wrong indices, missing launches, barriers that are missing or that not all threads of a block reach, reads of memory that nobody wrote (shared and
// device memory start as garbage). What it cannot find: races inside one phase between barriers, faults of a real memory model, register and occupancy limits.
// Without an order of its own a missing barrier could hide: threads run to the next barrier one by one, in ascending or in descending order as the test asks.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <functional>
#include <string>
#include <vector>

namespace sotto::shim {

// What tests set. None of it may change while a kernel runs.

/// Devices that cudaGetDeviceCount answers.
void set_device_count(int count);
/// Shared memory that a block may have at most; as on sm_90 until it is set.
void set_shared_bytes(int bytes);
enum class Order { ascending, descending };
void set_order(Order order);

/// The n-th call from now on (1: the next) fails once; 0: none does.
void fail_allocation(uint64_t n);
void fail_pinned_allocation(uint64_t n);
void fail_launch(uint64_t n);
/// From the n-th launch on every call answers cudaErrorLaunchFailure, as a device does that was lost; 0: it is found again.
void lose_device(uint64_t n);
/// Bytes of device memory that are allocated now.
uint64_t allocated_bytes();
uint64_t launch_count();

/// A barrier in a source file.
struct Barrier {
  std::string file;
  int line;
  std::string name() const;
};
/// Those that any kernel has met so far.
std::vector<Barrier> barriers();
/// This one lets every thread pass; an empty file: all barriers hold.
void mute(const Barrier& barrier);

// What the header of the kernels uses.

struct Index {
  unsigned x, y, z;
};
struct Thread {
  Index thread, block, block_size, grid_size;
};
/// The running one.
Thread& current();
unsigned char* shared_memory();

enum class Scope : uint8_t { warp, block };
class Site {
 public:
  Site(const char* file, int line, Scope scope);
  /// Suspends the thread until all of its warp or block are here.
  void wait() const;

 private:
  uint32_t id_;
  Scope scope_;
};

/// Values of the lanes of the running warp, written by each before it waits.
uint64_t& lane_slot(unsigned lane);

/// Runs body for every thread; false when threads meet different barriers.
bool run_grid(Index grid, Index block, size_t shared_bytes, const std::function<void()>& body);
/// Counts a launch; an error code of the injected kind, or 0.
int begin_launch(Index grid, Index block, size_t shared_bytes);

}  // namespace sotto::shim
