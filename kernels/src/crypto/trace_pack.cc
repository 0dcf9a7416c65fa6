#include "crypto/trace_pack.hpp"

#include "core/modular.hpp"
#include "crypto/pack.hpp"

namespace sotto {
namespace {

/// The merge tree of `PackTree` over lwe, with the keys of training, and the trace over the levels that it leaves.
class TraceTree {
 public:
  TraceTree(const Context& context, const sotto_training_keys& keys, const uint64_t* lwe, uint64_t count, uint64_t* workspace)
      : context_(context), keys_(keys), lwe_(lwe), count_(count), merge_levels_(ceil_log2(count)), out_(workspace), scratch_(workspace + (merge_levels_ + 1) * kCiphertextWords) {}

  void run() {
    node(0, 0, out_);
    for (uint32_t level = merge_levels_ + 1; level <= Context::kLogDegree; level++) fold(level, out_);
    context_.ring.inverse(out_);
    context_.ring.inverse(out_ + kDegree);
  }

 private:
  // Inputs i = residue mod 2^depth -> out, transformed; out + kCiphertextWords onwards is free.
  void node(uint32_t depth, uint64_t residue, uint64_t* out) {
    if (depth == merge_levels_) return leaf(lwe_ + residue * kRingLweWords, out);
    const uint32_t level = merge_levels_ - depth;
    node(depth + 1, residue, out);
    const uint64_t odd = residue + (uint64_t(1) << depth);
    if (odd >= count_) return fold(level, out);
    node(depth + 1, odd, out + kCiphertextWords);
    merge(level, out, out + kCiphertextWords);
  }

  // The lwe as coefficient 0 of a ciphertext, divided by the N that merges and trace multiply by.
  void leaf(const uint64_t* lwe, uint64_t* out) const {
    const uint64_t divisor = context_.ring.tables().degree_inverse;
    const auto divided = [&](uint64_t x) { return multiply_mod(x, divisor, kModulus); };
    out[0] = divided(lwe[0]);
    for (uint32_t j = 1; j < kDegree; j++) out[kDegree - j] = negate_mod(divided(lwe[j]), kModulus);
    context_.ring.forward(out);
    const uint64_t body = divided(lwe[kDegree]);  // a constant is the same at every point
    for (uint32_t i = 0; i < kDegree; i++) out[kDegree + i] = body;
  }

  // left = left + X^(N / 2^level) right + sigma(left - X^(N / 2^level) right).
  void merge(uint32_t level, uint64_t* left, const uint64_t* right) const {
    const Ring& ring = context_.ring;
    for (uint32_t part = 0; part < 2; part++)
      ring.kernels().merge(ring.tables(), left + part * kDegree, right + part * kDegree, ring.monomial(level), ring.permutation(level), left + part * kDegree, scratch_ + part * kDegree);
    add_switched(level, left);
  }

  // x = x + sigma(x).
  void fold(uint32_t level, uint64_t* x) const {
    const uint32_t* permutation = context_.ring.permutation(level);
    for (uint32_t part = 0; part < 2; part++)
      for (uint32_t i = 0; i < kDegree; i++) scratch_[part * kDegree + i] = x[part * kDegree + permutation[i]];
    add_switched(level, x);
  }

  // Adds to `out` the image (a, b) under sigma at the start of the scratch, switched back to the key.
  void add_switched(uint32_t level, uint64_t* out) const {
    const Ring& ring = context_.ring;
    uint64_t *image_a = scratch_, *image_b = image_a + kDegree, *switched_a = image_b + kDegree, *switched_b = switched_a + kDegree;
    ring.inverse(image_a);
    ring.kernels().gadget_product(ring.tables(), kTrainingGadget, image_a, keys_.key(level), switched_a, switched_b, switched_b + kDegree);
    ring.add(out, out, switched_a);
    ring.add(out + kDegree, out + kDegree, image_b);
    ring.add(out + kDegree, out + kDegree, switched_b);
  }

  const Context& context_;
  const sotto_training_keys& keys_;
  const uint64_t* lwe_;
  const uint64_t count_;
  const uint32_t merge_levels_;
  uint64_t *out_, *scratch_;
};

}  // namespace

size_t trace_pack_workspace_words(uint64_t count) { return (ceil_log2(count) + 3) * kCiphertextWords + (kTrainingGadget.level_count + 1) * size_t(kDegree); }

void trace_pack(const Context& context, const sotto_training_keys& keys, const uint64_t* lwe, uint64_t count, uint64_t* workspace) {
  TraceTree(context, keys, lwe, count, workspace).run();
}

}  // namespace sotto
