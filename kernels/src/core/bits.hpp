// Coefficients of `bits` bits, packed least significant bit first without gaps.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace sotto {

inline size_t packed_bytes(size_t count, uint32_t bits) { return (count * bits + 7) / 8; }

/// Appends values one by one; bits <= 56. finish() pads the last byte with zero bits.
class BitWriter {
 public:
  BitWriter(uint8_t* out, uint32_t bits) : out_(out), bits_(bits) {}
  void put(uint64_t value) {
    pending_ |= value << filled_;
    filled_ += bits_;
    for (; filled_ >= 8; filled_ -= 8, pending_ >>= 8) *out_++ = uint8_t(pending_);
  }
  uint8_t* finish() {
    if (filled_) *out_++ = uint8_t(pending_);
    filled_ = 0, pending_ = 0;
    return out_;
  }

 private:
  uint8_t* out_;
  uint32_t bits_;
  uint32_t filled_ = 0;
  uint64_t pending_ = 0;
};

/// Reads what BitWriter wrote. The caller has checked that packed_bytes(count, bits) bytes are there.
class BitReader {
 public:
  BitReader(const uint8_t* in, uint32_t bits) : in_(in), bits_(bits), mask_((uint64_t(1) << bits) - 1) {}
  uint64_t get() {
    for (; filled_ < bits_; filled_ += 8) pending_ |= uint64_t(*in_++) << filled_;
    const uint64_t value = pending_ & mask_;
    pending_ >>= bits_;
    filled_ -= bits_;
    return value;
  }

 private:
  const uint8_t* in_;
  uint32_t bits_;
  uint64_t mask_;
  uint32_t filled_ = 0;
  uint64_t pending_ = 0;
};

}  // namespace sotto
