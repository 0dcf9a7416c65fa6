#include "crypto/token_words.hpp"

#include <string.h>

#include "core/bits.hpp"
#include "crypto/context.hpp"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define SOTTO_WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define SOTTO_WIDE
#endif

namespace sotto {
namespace {

/// What is negative is above q - 2^43 > 2^49 here, what is not is below 2^43: bit 49 tells.
inline uint32_t to_word(uint64_t residue) { return uint32_t(residue) - uint32_t(residue >> 49) * uint32_t(kModulus); }

}  // namespace

SOTTO_WIDE void interleave_words(const uint32_t* words, uint32_t lanes, uint64_t* out) {
  if (lanes == 1) {
    for (uint32_t i = 0; i < kDegree; i++) out[i] = words[i];
    return;
  }
  for (uint32_t i = 0; i < kDegree / 2; i++) {
    out[2 * i] = words[i];
    out[2 * i + 1] = words[kDegree / 2 + i];
  }
}

SOTTO_WIDE void separate_words(const uint64_t* residues, uint32_t lanes, uint32_t* words) {
  if (lanes == 1) {
    for (uint32_t i = 0; i < kDegree; i++) words[i] = to_word(residues[i]);
    return;
  }
  for (uint32_t i = 0; i < kDegree / 2; i++) {
    words[i] = to_word(residues[2 * i]);
    words[kDegree / 2 + i] = to_word(residues[2 * i + 1]);
  }
}

void pack_words(const uint32_t* words, size_t count, uint32_t bits, uint8_t* record) {
  const uint32_t dropped = 32 - bits, half = dropped ? 1u << (dropped - 1) : 0;
  const auto rounded = [=](uint32_t word) { return uint64_t((word + half) >> dropped); };
  if (count % 2 || bits > 28) {
    BitWriter writer(record, count, bits);
    for (size_t i = 0; i < count; i++) writer.put(rounded(words[i]));
    writer.finish();
    return;
  }
  BitWriter writer(record, count / 2, 2 * bits);  // two at a time: a writer takes 56 bits
  for (size_t i = 0; i < count; i += 2) writer.put(rounded(words[i]) | rounded(words[i + 1]) << bits);
  writer.finish();
}

SOTTO_WIDE void unpack_words(const uint8_t* record, size_t count, uint32_t bits, uint32_t* words) {
  // Eight values fill `bits` bytes: each group starts at a byte, and its values are read as whole words where those lie inside the record.
  const size_t bytes = packed_bytes(count, bits);
  const size_t groups = bytes < 8 ? 0 : (bytes - 8) / bits;
  for (size_t group = 0; group < groups; group++)
    for (uint32_t i = 0; i < 8; i++) {
      uint64_t word;
      memcpy(&word, record + group * bits + i * bits / 8, sizeof word);
      words[8 * group + i] = uint32_t(word >> (i * bits % 8)) << (32 - bits);
    }
  const size_t done = 8 * groups;
  BitReader reader(record + groups * bits, count - done, bits);
  for (size_t i = done; i < count; i++) words[i] = uint32_t(reader.get()) << (32 - bits);
}

}  // namespace sotto
