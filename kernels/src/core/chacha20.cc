#include "core/chacha20.hpp"

#include <string.h>

#include "core/buffer.hpp"

namespace sotto {
namespace {

// Blocks computed side by side: one lane each, so that compilers turn the rounds into vector instructions.
constexpr size_t kLanes = 16;
using Lane = uint32_t __attribute__((vector_size(kLanes * 4)));

// RFC 8439, 2.1. By reference: vectors of this width have no stable calling convention.
__attribute__((always_inline)) inline void mix(Lane& a, const Lane& b, Lane& d, int n) {
  a += b;
  d ^= a;
  d = (d << n) | (d >> (32 - n));
}

__attribute__((always_inline)) inline void quarter_round(Lane& a, Lane& b, Lane& c, Lane& d) {
  mix(a, b, d, 16);
  mix(c, d, b, 12);
  mix(a, b, d, 8);
  mix(c, d, b, 7);
}

uint32_t load32(const uint8_t* bytes) {
  uint32_t word;
  memcpy(&word, bytes, 4);
  return word;
}

// RFC 8439, 2.3: kLanes consecutive blocks, out = kLanes * 64 bytes.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
__attribute__((target_clones("avx512f", "avx2", "default")))
#endif
void many_blocks(const uint32_t state[16], uint8_t* out) {
  Lane x[16], start[16];
  for (int i = 0; i < 16; i++) start[i] = Lane{} + state[i];
  for (uint32_t lane = 0; lane < kLanes; lane++) start[12][lane] += lane;
  for (int i = 0; i < 16; i++) x[i] = start[i];
  for (int round = 0; round < 10; round++) {
    quarter_round(x[0], x[4], x[8], x[12]);
    quarter_round(x[1], x[5], x[9], x[13]);
    quarter_round(x[2], x[6], x[10], x[14]);
    quarter_round(x[3], x[7], x[11], x[15]);
    quarter_round(x[0], x[5], x[10], x[15]);
    quarter_round(x[1], x[6], x[11], x[12]);
    quarter_round(x[2], x[7], x[8], x[13]);
    quarter_round(x[3], x[4], x[9], x[14]);
  }
  uint32_t words[16][kLanes];
  for (int i = 0; i < 16; i++) {
    const Lane sum = x[i] + start[i];
    memcpy(words[i], &sum, sizeof sum);
  }
  for (size_t lane = 0; lane < kLanes; lane++)
    for (int i = 0; i < 16; i++) memcpy(out + 64 * lane + 4 * i, &words[i][lane], 4);
}

}  // namespace

ChaCha20::ChaCha20(const uint8_t key[32], const uint8_t nonce[12], uint32_t counter) {
  static const uint32_t kConstants[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  memcpy(state_, kConstants, sizeof kConstants);
  for (int i = 0; i < 8; i++) state_[4 + i] = load32(key + 4 * i);
  state_[12] = counter;
  for (int i = 0; i < 3; i++) state_[13 + i] = load32(nonce + 4 * i);
}

ChaCha20::ChaCha20(const uint8_t key[32], Nonce nonce, uint32_t counter) : ChaCha20(key, reinterpret_cast<const uint8_t*>("\0\0\0\0\0\0\0\0\0\0\0"), counter) {
  state_[13] = uint32_t(nonce.index);
  state_[14] = uint32_t(nonce.index >> 32);
  state_[15] = nonce.domain;
}

ChaCha20::~ChaCha20() { wipe(state_, sizeof state_); }

void ChaCha20::blocks(uint8_t* out, size_t count) {
  uint8_t batch[kLanes * 64];
  while (count) {
    const size_t taken = count < kLanes ? count : kLanes;
    many_blocks(state_, taken == kLanes ? out : batch);
    if (taken < kLanes) memcpy(out, batch, 64 * taken);
    state_[12] += uint32_t(taken);
    out += 64 * taken, count -= taken;
  }
  wipe(batch, sizeof batch);
}

}  // namespace sotto
