#include "shim.hpp"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <atomic>
#include <map>
#include <mutex>

#include "cuda_runtime.h"
#include "fiber.hpp"

#undef threadIdx
#undef blockIdx
#undef blockDim
#undef gridDim

namespace sotto::shim {
namespace {

constexpr unsigned kWarp = 32, kThreadsMax = 1024;
/// Kernels keep little on the stack; sanitizers make frames larger. Pages are only taken when they are touched.
constexpr size_t kStackBytes = size_t(1) << 17;
constexpr size_t kSharedMax = 227 * 1024;
constexpr int kGarbage = 0xa5;

std::atomic<int> device_count{1}, shared_limit{int(kSharedMax)};
std::atomic<Order> order{Order::ascending};
std::atomic<uint64_t> allocations_left{0}, pinned_left{0}, launches_left{0}, launches_until_lost{0}, allocated{0}, launches{0};
std::atomic<bool> lost{false};

std::mutex& site_mutex() {
  static auto* mutex = new std::mutex;  // never destroyed: devices of tests are released at the very end
  return *mutex;
}
std::vector<Barrier>& sites() {
  static auto* all = new std::vector<Barrier>;
  return *all;
}
constexpr uint32_t kNone = UINT32_MAX;
std::atomic<uint32_t> muted{kNone};

/// True at the call that an injected failure was set for.
bool counts_down(std::atomic<uint64_t>& left) {
  uint64_t value = left.load();
  while (value && !left.compare_exchange_weak(value, value - 1)) {
  }
  return value == 1;
}

enum class State : uint8_t { running, at_warp, at_block, done };

/// One block at a time, on the thread that launched it.
class Block {
 public:
  Block() {
    stacks_ = static_cast<unsigned char*>(mmap(nullptr, kThreadsMax * kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    shared_ = static_cast<unsigned char*>(aligned_alloc(128, (kSharedMax + 127) / 128 * 128));
  }
  ~Block() {
    if (stacks_ != MAP_FAILED) munmap(stacks_, kThreadsMax * kStackBytes);
    free(shared_);
  }
  bool ok() const { return stacks_ != MAP_FAILED && shared_; }

  bool run(Index at, Index block, Index grid, size_t shared_bytes, const std::function<void()>& body) {
    count_ = block.x * block.y * block.z;
    body_ = &body;
    memset(shared_, kGarbage, shared_bytes);
    for (unsigned i = 0; i < count_; i++) {
      threads_[i] = {{i % block.x, i / block.x % block.y, i / block.x / block.y}, at, block, grid};
      states_[i] = State::running;
      make_fiber(fibers_[i], stacks_ + i * kStackBytes, kStackBytes, enter);
    }
    return run_phases();
  }

  Thread& running() { return threads_[running_]; }
  unsigned char* shared() { return shared_; }
  uint64_t& slot(unsigned lane) { return slots_[running_ / kWarp * kWarp + lane]; }
  void suspend(State state, uint32_t site) {
    states_[running_] = state;
    sites_[running_] = site;
    switch_fiber(fibers_[running_], scheduler_);
  }

 private:
  static void enter();

  void resume(unsigned i) {
    running_ = i;
    switch_fiber(scheduler_, fibers_[i]);
  }

  bool run_phases() {
    const unsigned warps = (count_ + kWarp - 1) / kWarp;
    const bool ascending = order == Order::ascending;
    for (;;) {
      for (unsigned w = 0; w < warps; w++)
        if (!run_warp((ascending ? w : warps - 1 - w) * kWarp, ascending)) return false;
      unsigned done = 0;
      for (unsigned i = 0; i < count_; i++) done += states_[i] == State::done;
      if (done == count_) return true;
      if (done) return divergent("threads end while others wait at", sites_of(State::at_block));
      for (unsigned i = 0; i < count_; i++) {
        if (sites_[i] != sites_[0]) return divergent("threads of a block wait at different barriers, one at", sites_[i]);
        states_[i] = State::running;
      }
    }
  }

  /// Until all lanes wait for the block or are done.
  bool run_warp(unsigned first, bool ascending) {
    const unsigned lanes = count_ - first < kWarp ? count_ - first : kWarp;
    for (;;) {
      for (unsigned lane = 0; lane < lanes; lane++) {
        const unsigned i = first + (ascending ? lane : lanes - 1 - lane);
        if (states_[i] == State::running) resume(i);
      }
      unsigned waiting = 0, site = kNone;
      for (unsigned i = first; i < first + lanes; i++)
        if (states_[i] == State::at_warp) {
          if (waiting++ && sites_[i] != site) return divergent("lanes of a warp wait at different barriers, one at", site);
          site = sites_[i];
        }
      if (!waiting) return true;
      if (waiting != lanes) return divergent("not all lanes of a warp reach", site);
      for (unsigned i = first; i < first + lanes; i++) states_[i] = State::running;
    }
  }

  uint32_t sites_of(State state) const {
    for (unsigned i = 0; i < count_; i++)
      if (states_[i] == state) return sites_[i];
    return kNone;
  }

  static bool divergent(const char* what, uint32_t site) {
    const std::lock_guard<std::mutex> guard(site_mutex());
    if (muted == kNone) printf("  %s %s\n", what, site < sites().size() ? sites()[site].name().c_str() : "no barrier");
    return false;
  }

  unsigned char *stacks_, *shared_;
  unsigned count_ = 0, running_ = 0;
  const std::function<void()>* body_ = nullptr;
  Fiber scheduler_, fibers_[kThreadsMax];
  Thread threads_[kThreadsMax];
  State states_[kThreadsMax];
  uint32_t sites_[kThreadsMax];
  uint64_t slots_[kThreadsMax];
};

thread_local Block* block = nullptr;

void Block::enter() {
  Block& here = *block;
  (*here.body_)();
  here.suspend(State::done, kNone);
}

}  // namespace

void set_device_count(int count) { device_count = count; }
void set_shared_bytes(int bytes) { shared_limit = bytes; }
void set_order(Order o) { order = o; }
void fail_allocation(uint64_t n) { allocations_left = n; }
void fail_pinned_allocation(uint64_t n) { pinned_left = n; }
void fail_launch(uint64_t n) { launches_left = n; }
void lose_device(uint64_t n) {
  launches_until_lost = n;
  lost = false;
}
uint64_t allocated_bytes() { return allocated; }
uint64_t launch_count() { return launches; }

std::string Barrier::name() const {
  const size_t slash = file.rfind('/');
  return (slash == std::string::npos ? file : file.substr(slash + 1)) + ":" + std::to_string(line);
}

std::vector<Barrier> barriers() {
  const std::lock_guard<std::mutex> guard(site_mutex());
  return sites();
}

void mute(const Barrier& barrier) {
  const std::lock_guard<std::mutex> guard(site_mutex());
  muted = kNone;
  for (uint32_t i = 0; i < sites().size(); i++)
    if (sites()[i].file == barrier.file && sites()[i].line == barrier.line) muted = i;
}

Thread& current() { return block->running(); }
unsigned char* shared_memory() { return block->shared(); }
uint64_t& lane_slot(unsigned lane) { return block->slot(lane); }

Site::Site(const char* file, int line, Scope scope) : id_(0), scope_(scope) {
  const std::lock_guard<std::mutex> guard(site_mutex());
  for (; id_ < sites().size(); id_++)
    if (sites()[id_].line == line && sites()[id_].file == file) return;
  sites().push_back({file, line});
}

void Site::wait() const {
  if (muted.load(std::memory_order_relaxed) == id_) return;
  block->suspend(scope_ == Scope::warp ? State::at_warp : State::at_block, id_);
}

bool run_grid(Index grid, Index size, size_t shared_bytes, const std::function<void()>& body) {
  static thread_local Block memory;
  if (!memory.ok()) return false;
  block = &memory;
  for (unsigned z = 0; z < grid.z; z++)
    for (unsigned y = 0; y < grid.y; y++)
      for (unsigned x = 0; x < grid.x; x++)
        if (!memory.run({x, y, z}, size, grid, shared_bytes, body)) return false;
  return true;
}

int begin_launch(Index grid, Index size, size_t shared_bytes) {
  launches++;
  if (counts_down(launches_until_lost)) lost = true;
  if (lost) return cudaErrorLaunchFailure;
  if (counts_down(launches_left)) return cudaErrorLaunchOutOfResources;
  const bool good = grid.x && grid.y && grid.z && size.x && size.y && size.z && uint64_t(size.x) * size.y * size.z <= kThreadsMax && grid.y < 65536 && grid.z < 65536;
  return good && shared_bytes <= size_t(shared_limit) ? cudaSuccess : cudaErrorInvalidValue;
}

}  // namespace sotto::shim

using namespace sotto::shim;

namespace {

cudaError_t usable() { return lost ? cudaErrorLaunchFailure : cudaSuccess; }

std::mutex& memory_mutex() {
  static auto* mutex = new std::mutex;  // never destroyed: devices of tests are released at the very end
  return *mutex;
}
std::map<void*, size_t>& device_memory() {
  static auto* all = new std::map<void*, size_t>;
  return *all;
}

}  // namespace

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "no error";
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorNoDevice: return "no CUDA-capable device is detected";
    case cudaErrorLaunchOutOfResources: return "too many resources requested for launch";
    case cudaErrorLaunchFailure: return "unspecified launch failure";
    default: return "invalid argument";
  }
}
cudaError_t cudaGetLastError() { return cudaSuccess; }
cudaError_t cudaGetDeviceCount(int* count) {
  *count = device_count;
  return device_count ? cudaSuccess : cudaErrorNoDevice;
}
cudaError_t cudaSetDevice(int device) { return device >= 0 && device < device_count ? usable() : cudaErrorInvalidDevice; }
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  *value = attribute == cudaDevAttrMultiProcessorCount ? 1 : attribute == cudaDevAttrMaxSharedMemoryPerBlockOptin ? int(shared_limit) : 64;
  return usable();
}
cudaError_t cudaMemGetInfo(size_t* free_bytes, size_t* total) {
  *total = size_t(1) << 30;
  *free_bytes = *total - allocated;
  return usable();
}
cudaError_t cudaMalloc(void** memory, size_t bytes) {
  if (const cudaError_t error = usable()) return error;
  if (counts_down(allocations_left)) return cudaErrorMemoryAllocation;
  void* made = aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (!made) return cudaErrorMemoryAllocation;
  memset(made, kGarbage, bytes);
  const std::lock_guard<std::mutex> guard(memory_mutex());
  device_memory()[made] = bytes;
  allocated += bytes;
  *memory = made;
  return cudaSuccess;
}
cudaError_t cudaFree(void* memory) {
  if (!memory) return usable();
  const std::lock_guard<std::mutex> guard(memory_mutex());
  const auto found = device_memory().find(memory);
  if (found == device_memory().end()) return cudaErrorInvalidValue;
  allocated -= found->second;
  device_memory().erase(found);
  free(memory);
  return usable();
}
cudaError_t cudaHostAlloc(void** memory, size_t bytes, unsigned) {
  if (const cudaError_t error = usable()) return error;
  if (counts_down(pinned_left)) return cudaErrorMemoryAllocation;
  *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
  return *memory ? cudaSuccess : cudaErrorMemoryAllocation;
}
cudaError_t cudaFreeHost(void* memory) {
  free(memory);
  return usable();
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind, cudaStream_t) {
  if (const cudaError_t error = usable()) return error;
  memcpy(to, from, bytes);
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t) {
  if (const cudaError_t error = usable()) return error;
  memset(memory, value, bytes);
  return cudaSuccess;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = nullptr;
  return usable();
}
cudaError_t cudaStreamDestroy(cudaStream_t) { return usable(); }
cudaError_t cudaStreamSynchronize(cudaStream_t) { return usable(); }
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = nullptr;
  return usable();
}
cudaError_t cudaEventDestroy(cudaEvent_t) { return usable(); }
cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t) { return usable(); }
cudaError_t cudaEventSynchronize(cudaEvent_t) { return usable(); }
