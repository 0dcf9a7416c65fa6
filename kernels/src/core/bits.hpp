// Coefficients of `bits` bits (at most 56), packed least significant bit first without gaps; little-endian words of eight bytes at a time.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

namespace sotto {

inline size_t packed_bytes(size_t count, uint32_t bits) { return (count * bits + 7) / 8; }

/// Appends `count` values one by one, each below 2^bits; writes packed_bytes(count, bits) bytes and nothing behind them.
class BitWriter {
 public:
  BitWriter(uint8_t* out, size_t count, uint32_t bits) : at_(out), end_(out + packed_bytes(count, bits)), bits_(bits) {}
  void put(uint64_t value) {
    const uint64_t word = pending_ | (value << filled_);  // filled_ < 8, so 63 bits at most
    const uint32_t bytes = (filled_ + bits_) >> 3;
    memcpy(at_, &word, end_ - at_ >= 8 ? 8 : bytes);  // a whole word where there is room: what is too much is written again
    at_ += bytes;
    pending_ = word >> (8 * bytes);
    filled_ = (filled_ + bits_) & 7;
  }
  /// Pads the last byte with zero bits; the end of what was written.
  uint8_t* finish() {
    if (filled_) *at_++ = uint8_t(pending_);
    return at_;
  }

 private:
  uint8_t* at_;
  uint8_t* const end_;
  const uint32_t bits_;
  uint32_t filled_ = 0;
  uint64_t pending_ = 0;
};

/// Reads what BitWriter wrote: the caller has checked that packed_bytes(count, bits) bytes are there, and asks for at most `count` values.
class BitReader {
 public:
  BitReader(const uint8_t* in, size_t count, uint32_t bits) : at_(in), end_(in + packed_bytes(count, bits)), bits_(bits), mask_((uint64_t(1) << bits) - 1) {}
  uint64_t get() {
    uint64_t word = 0;
    memcpy(&word, at_, end_ - at_ >= 8 ? 8 : size_t(end_ - at_));
    const uint64_t value = (word >> used_) & mask_;  // used_ < 8
    at_ += (used_ + bits_) >> 3;
    used_ = (used_ + bits_) & 7;
    return value;
  }

 private:
  const uint8_t* at_;
  const uint8_t* const end_;
  const uint32_t bits_;
  const uint64_t mask_;
  uint32_t used_ = 0;
};

}  // namespace sotto
