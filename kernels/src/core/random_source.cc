#include "core/random_source.hpp"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

namespace sotto {
namespace {
const uint8_t kNoSeed[32] = {0};

bool fill_from_system(uint8_t* out, size_t size) {
  while (size) {
    const ssize_t got = getrandom(out, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    out += got, size -= size_t(got);
  }
  return true;
}
}  // namespace

RandomSource::RandomSource(const uint8_t* seed) : seeded_(seed != nullptr), stream_(seed ? seed : kNoSeed, Nonce{0, 0x736f7474}), at_(sizeof buffer_) {}

RandomSource::RandomSource(const uint8_t seed[32], Nonce nonce) : seeded_(true), stream_(seed, nonce), at_(sizeof buffer_) {}

RandomSource::~RandomSource() { wipe(buffer_, sizeof buffer_); }

bool RandomSource::refill() {
  at_ = 0;
  if (!seeded_) return fill_from_system(buffer_, sizeof buffer_);
  stream_.blocks(buffer_, sizeof buffer_ / 64);
  return true;
}

bool RandomSource::fill(void* out, size_t size) {
  uint8_t* bytes = static_cast<uint8_t*>(out);
  while (size) {
    if (at_ == sizeof buffer_ && !refill()) return false;
    const size_t left = sizeof buffer_ - at_, taken = size < left ? size : left;
    memcpy(bytes, buffer_ + at_, taken);
    wipe(buffer_ + at_, taken);  // what was handed out is not kept
    at_ += taken, bytes += taken, size -= taken;
  }
  return true;
}

}  // namespace sotto
