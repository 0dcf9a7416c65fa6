#include "backend/cuda/gpu.cuh"

#include <stdlib.h>

#include <new>

namespace sotto::cuda {
namespace {

template <class Field>
typename Field::Factor factor_of(uint64_t w);
template <>
IntegerFactor factor_of<IntegerField>(uint64_t w) { return {w, uint64_t((Product(w) << 64) / kQ)}; }
template <>
DoubleFactor factor_of<DoubleField>(uint64_t w) {
  const double centred = w > kQ / 2 ? double(int64_t(w) - int64_t(kQ)) : double(w);
  return {centred, centred / double(kQ)};
}

template <class Field>
typename Field::Key host_key(uint64_t k);
template <>
uint64_t host_key<IntegerField>(uint64_t k) { return uint64_t((Product(k) << 64) % kQ); }
template <>
double host_key<DoubleField>(uint64_t k) { return factor_of<DoubleField>(k).value; }

/// What one copy to the device holds.
template <class Field>
struct Tables {
  typename Field::Factor roots[kDegree], inverse_roots[kDegree];
  typename Field::Key powers[kDegree];
};

/// A device may answer no call any more after the others.
bool passes(cudaError_t error) { return error == cudaErrorMemoryAllocation || error == cudaErrorLaunchOutOfResources || error == cudaErrorInvalidValue; }

/// A failure is in the result alone: the runtime would answer it again after the next launch.
cudaError_t allocate_once(size_t bytes, void** memory) {
  const cudaError_t error = cudaMalloc(memory, bytes);
  if (error) cudaGetLastError();
  return error;
}

}  // namespace

int32_t Gpu::status(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return SOTTO_OK;
  cudaGetLastError();  // as in allocate_once
  if (error == cudaErrorMemoryAllocation) return fail(SOTTO_OUT_OF_MEMORY, "device %d has not enough memory for %s", ordinal_, what);
  if (!passes(error)) lost_.store(true, std::memory_order_relaxed);
  return fail(SOTTO_DEVICE_FAILED, "%s failed on device %d: %s", what, ordinal_, cudaGetErrorString(error));
}

int32_t Gpu::select() { return status(cudaSetDevice(ordinal_), "choosing the device"); }

int32_t Gpu::allocate(size_t bytes, const char* what, unsigned char** memory) {
  void* made = nullptr;
  cudaError_t error = allocate_once(bytes, &made);
  while (error == cudaErrorMemoryAllocation && residents_.evict()) error = allocate_once(bytes, &made);
  if (const int32_t failed = status(error, what)) return failed;
  *memory = static_cast<unsigned char*>(made);
  return SOTTO_OK;
}

template <class Field>
int32_t Gpu::make_constants(const Ring& ring, RingConstants<Field>& constants) {
  using Host = Tables<Field>;
  Buffer<uint8_t> memory(sizeof(Host));
  if (!memory.ok()) return out_of_memory("the tables of a device");
  Host& host = *reinterpret_cast<Host*>(memory.data());
  const RingTables& tables = ring.tables();
  for (uint32_t i = 0; i < kDegree; i++) {
    host.roots[i] = factor_of<Field>(tables.roots[i]);
    host.inverse_roots[i] = factor_of<Field>(tables.roots_inverse[i]);
    host.powers[i] = host_key<Field>(tables.powers[i]);
  }
  if (const int32_t failed = allocate(sizeof(Host), "the tables of the ring", &tables_)) return failed;
  if (const int32_t failed = status(cudaMemcpyAsync(tables_, &host, sizeof(Host), cudaMemcpyHostToDevice, nullptr), "copying the tables of the ring")) return failed;
  if (const int32_t failed = status(cudaStreamSynchronize(nullptr), "copying the tables of the ring")) return failed;
  const Host* device = reinterpret_cast<const Host*>(tables_);
  const uint64_t scale = tables.degree_inverse, root = tables.roots_inverse[1];
  constants = {device->roots, device->inverse_roots, device->powers, factor_of<Field>(scale), factor_of<Field>(uint64_t(Product(scale) * root % kQ))};
  return SOTTO_OK;
}

int32_t Gpu::open(int ordinal, const Ring& ring, uint64_t key_bytes, const Arithmetic* wanted) {
  ordinal_ = ordinal;
  if (const int32_t failed = select()) return failed;
  int multiprocessors = 1, shared = 0, ratio = 64;
  for (const auto& [attribute, value] : {std::pair<cudaDeviceAttr, int*>{cudaDevAttrMultiProcessorCount, &multiprocessors},
                                         {cudaDevAttrMaxSharedMemoryPerBlockOptin, &shared},
                                         {cudaDevAttrSingleToDoublePrecisionPerfRatio, &ratio}})
    if (const int32_t failed = status(cudaDeviceGetAttribute(value, attribute, ordinal), "asking for the device's limits")) return failed;
  multiprocessors_ = uint32_t(multiprocessors);
  shared_bytes_ = size_t(shared);
  arithmetic_ = wanted ? *wanted : ratio <= 2 ? Arithmetic::doubles : Arithmetic::integers;
  if (!key_bytes) {
    size_t free_bytes = 0, total = 0;
    if (const int32_t failed = status(cudaMemGetInfo(&free_bytes, &total), "asking for the device's memory")) return failed;
    key_bytes = total / 2;
  }
  residents_.open(*this, key_bytes);
  return arithmetic_ == Arithmetic::doubles ? make_constants(ring, doubles_) : make_constants(ring, integers_);
}

Gpu::~Gpu() {
  if (ordinal_ < 0) return;
  cudaSetDevice(ordinal_);
  residents_.close();
  cudaFree(tables_);
}

void ResidentCache::open(Gpu& gpu, uint64_t limit_bytes) {
  gpu_ = &gpu;
  limit_ = limit_bytes;
  watch_residents(*this);
}

void ResidentCache::close() {
  if (gpu_) unwatch_residents(*this);
  gpu_ = nullptr;
  while (first_) remove(first_);
}

ResidentCache::~ResidentCache() { close(); }

Resident* ResidentCache::find(uint64_t id, Part part) {
  for (Resident* resident = first_; resident; resident = resident->following)
    if (resident->id == id && resident->part == part && !resident->retired) return resident;
  return nullptr;
}

int32_t ResidentCache::take(Resident& found, Resident** resident) {
  found.users++;
  found.last_use = ++clock_;
  *resident = &found;
  return SOTTO_OK;
}

int32_t ResidentCache::make(uint64_t id, Part part, size_t bytes, Resident** made) {
  free_retired();
  if (bytes > limit_) return fail(SOTTO_OUT_OF_MEMORY, "keys or a model of %zu bytes are more than a device may keep, %llu", bytes, (unsigned long long)limit_);
  while (used_ + bytes > limit_ && evict_one()) {
  }
  if (used_ + bytes > limit_) return fail(SOTTO_OUT_OF_MEMORY, "the keys and models in use fill the %llu bytes that a device may keep", (unsigned long long)limit_);
  void* memory = nullptr;
  cudaError_t error = allocate_once(bytes, &memory);
  while (error == cudaErrorMemoryAllocation && evict_one()) error = allocate_once(bytes, &memory);
  if (const int32_t status = gpu_->status(error, "keys or a model")) return status;
  Resident* resident = new (std::nothrow) Resident{id, part, static_cast<unsigned char*>(memory), bytes, 0, 0, false, first_};
  if (!resident) {
    cudaFree(memory);
    return out_of_memory("keys on a device");
  }
  first_ = resident;
  used_ += bytes;
  *made = resident;
  return SOTTO_OK;
}

void ResidentCache::remove(Resident* resident) {
  for (Resident** link = &first_; *link; link = &(*link)->following)
    if (*link == resident) {
      *link = resident->following;
      break;
    }
  used_ -= resident->bytes;
  cudaFree(resident->memory);
  delete resident;
}

bool ResidentCache::evict_one() {
  Resident* oldest = nullptr;
  for (Resident* resident = first_; resident; resident = resident->following)
    if (!resident->users && (!oldest || resident->last_use < oldest->last_use)) oldest = resident;
  if (oldest) remove(oldest);
  return oldest;
}

void ResidentCache::free_retired() {
  for (Resident* resident = first_; resident;) {
    Resident* following = resident->following;
    if (resident->retired && !resident->users) remove(resident);
    resident = following;
  }
}

bool ResidentCache::evict() {
  Guard guard(mutex_);
  return evict_one();
}

void ResidentCache::release(Resident& resident) {
  Guard guard(mutex_);
  resident.users--;
}

void ResidentCache::retire(uint64_t id) {
  Guard guard(mutex_);
  for (Resident* resident = first_; resident; resident = resident->following)
    if (resident->id == id) resident->retired = true;
}

uint64_t ResidentCache::bytes() {
  Guard guard(mutex_);
  return used_;
}

}  // namespace sotto::cuda
