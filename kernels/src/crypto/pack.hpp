// Automorphism with key switch, and the merge tree that packs many ciphertexts into one
// (Chen, Dai, Kim, Song, "Efficient homomorphic conversion between (ring) LWE ciphertexts", ACNS 2021, algorithm 2, without its trace).
#pragma once

#include "crypto/evaluation_keys.hpp"

namespace sotto {

inline uint32_t ceil_log2(uint64_t x) {
  uint32_t bits = 0;
  while ((uint64_t(1) << bits) < x) bits++;
  return bits;
}

/// (a, b) in coefficient order -> the automorphism of the same message under the same key; scratch of kSwitchScratchWords.
void automorphism(const Context& context, const sotto_evaluation_keys& keys, uint32_t level, const uint64_t* ciphertext, uint64_t* result, uint64_t* scratch);
constexpr size_t kSwitchScratchWords = 4 * size_t(kDegree) + (Context::kGadget.level_count + 1) * size_t(kDegree);

/// Words of scratch that packing `count` ciphertexts takes.
inline size_t pack_workspace_words(uint64_t count) { return (ceil_log2(count) + 1) * kCiphertextWords + kSwitchScratchWords; }

/// Packs `count` ciphertexts whose useful coefficients are the multiples of N / 2^useful_log, in the transformed domain:
/// level l = useful_log + depth merges c = c0 + X^(N / 2^l) c1 + sigma_l(c0 - X^(N / 2^l) c1), which doubles what is useful and the number of useful places.
/// `input(i, ciphertext)` writes input i, transformed, already divided by 2^m, m = merge_levels(); input i ends at its own coefficients + i N / 2^(useful_log + m).
/// Where c1 is absent, c = 2 c0 does: what it leaves in c1's places is nobody's, so M inputs cost M - 1 key switches.
/// Inputs are asked for depth first, so that the memory is m + 1 ciphertexts and the keys of the last levels stay in cache.
template <class Input>
class PackTree {
 public:
  PackTree(const Context& context, const sotto_evaluation_keys& keys, uint32_t useful_log, uint64_t count, Input input)
      : context_(context), keys_(keys), useful_log_(useful_log), count_(count), merge_levels_(ceil_log2(count)), input_(input) {}
  /// The packed ciphertext, transformed, at the start of `workspace`.
  void run(uint64_t* workspace) {
    scratch_ = workspace + (merge_levels_ + 1) * kCiphertextWords;
    node(0, 0, workspace);
  }

 private:
  // Inputs i = residue mod 2^depth -> out; out + kCiphertextWords onwards is free.
  void node(uint32_t depth, uint64_t residue, uint64_t* out) {
    if (depth == merge_levels_) return input_(residue, out);
    node(depth + 1, residue, out);
    const uint64_t odd = residue + (uint64_t(1) << depth);
    if (odd >= count_) return twice(out);
    node(depth + 1, odd, out + kCiphertextWords);
    merge(useful_log_ + merge_levels_ - depth, out, out + kCiphertextWords);
  }
  void twice(uint64_t* ciphertext) {
    for (uint64_t* part : {ciphertext, ciphertext + kDegree}) context_.ring.add(part, part, part);
  }
  void merge(uint32_t level, uint64_t* left, const uint64_t* right) {
    const Ring& ring = context_.ring;
    const auto& kernels = ring.kernels();
    uint64_t *difference_a = scratch_, *difference_b = difference_a + kDegree, *switched_a = difference_b + kDegree, *switched_b = switched_a + kDegree;
    kernels.merge(ring.tables(), left, right, ring.monomial(level), ring.permutation(level), left, difference_a);
    kernels.merge(ring.tables(), left + kDegree, right + kDegree, ring.monomial(level), ring.permutation(level), left + kDegree, difference_b);
    ring.inverse(difference_a);
    kernels.gadget_product(ring.tables(), Context::kGadget, difference_a, keys_.key(level), switched_a, switched_b, switched_b + kDegree);
    ring.add(left, left, switched_a);
    ring.add(left + kDegree, left + kDegree, difference_b);
    ring.add(left + kDegree, left + kDegree, switched_b);
  }

  const Context& context_;
  const sotto_evaluation_keys& keys_;
  const uint32_t useful_log_;
  const uint64_t count_;
  const uint32_t merge_levels_;
  Input input_;
  uint64_t* scratch_ = nullptr;
};

/// 2^-exponent mod q.
uint64_t inverse_power_of_two(uint32_t exponent);

}  // namespace sotto
