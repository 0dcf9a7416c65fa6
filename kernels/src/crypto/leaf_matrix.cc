#include "crypto/leaf_matrix.hpp"

#include <string.h>

#include <new>

#include "backend/cuda/device_job.hpp"
#include "core/modular.hpp"
#include "core/status.hpp"
#include "crypto/answer_mask.hpp"
#include "crypto/compression.hpp"
#include "crypto/encryption.hpp"
#include "crypto/matrix_product.hpp"
#include "crypto/pack.hpp"

namespace sotto {

AnswerLayout::AnswerLayout(uint64_t output_count, uint64_t columns) : outputs(output_count) {
  const ProductLayout layout = ProductLayout::of(columns);
  block = layout.block, useful_log = layout.useful_log;
  products = (outputs + layout.useful() - 1) / layout.useful();
  groups = (products + block - 1) / block;
}

uint64_t AnswerLayout::group_products(uint64_t group) const {
  const uint64_t left = products - group * block;
  return left < block ? left : block;
}

uint64_t AnswerLayout::group_outputs(uint64_t group) const {
  const uint64_t left = outputs - group * kDegree;
  return left < kDegree ? left : kDegree;
}

uint32_t AnswerLayout::position(uint64_t group, uint64_t o) const {
  const uint32_t slot = uint32_t(o) & ((1u << useful_log) - 1), product = uint32_t(o >> useful_log);
  return slot * block + product * (block >> ceil_log2(group_products(group)));
}

size_t AnswerLayout::group_bytes(uint64_t group, uint32_t bits) const { return compressed_bytes(group_outputs(group), bits); }

size_t AnswerLayout::record_bytes(uint32_t bits) const {
  if (!groups) return 0;
  return (groups - 1) * compressed_bytes(kDegree, bits) + group_bytes(groups - 1, bits);
}

// Nonce domains of the blinding seed; the answer ciphertext's number is added.
enum Domain : uint32_t { kShuffle = 0x20000000, kBlind = 0x40000000, kMask = 0x60000000 };

Nonce leaf_mask_nonce(uint64_t row, uint64_t group) { return {row, uint32_t(kMask + group)}; }

// Fisher and Yates.
void shuffle_leaves(const sotto_leaf_matrix& matrix, const uint8_t seed[32], uint64_t row, uint32_t* leaves) {
  RandomWords random(seed, Nonce{row, kShuffle});
  for (uint32_t leaf = 0; leaf < matrix.shape.leaf_count; leaf++) leaves[leaf] = leaf;
  for (uint32_t tree = 0; tree < matrix.shape.tree_count; tree++) {
    const uint32_t begin = matrix.tree_offsets[tree];
    for (uint32_t size = matrix.tree_offsets[tree + 1] - begin; size > 1; size--) {
      const uint32_t chosen = begin + random.uniform(size), last = begin + size - 1;
      const uint32_t leaf = leaves[chosen];
      leaves[chosen] = leaves[last];
      leaves[last] = leaf;
    }
  }
}

void blind_outputs(const sotto_leaf_matrix& matrix, const uint8_t seed[32], uint64_t row, uint64_t group, uint64_t outputs, const uint32_t* leaves, uint32_t* factors, uint32_t* addends) {
  const uint32_t p = matrix.shape.plaintext_modulus, stride = 1 + matrix.shape.label_count;
  RandomWords random(seed, Nonce{row, uint32_t(kBlind + group)});
  for (uint64_t o = 0; o < outputs; o++) {
    const uint64_t output = group * kDegree + o;
    const uint32_t leaf = leaves[output / stride], label = uint32_t(output % stride);
    const uint32_t factor = label ? random.uniform(p) : 1 + random.uniform(p - 1);
    const int64_t constant = matrix.constants[leaf] + int64_t(p);  // |constant| < p
    const uint64_t addend = uint64_t(factor) * uint64_t(constant) + (label ? matrix.labels[uint64_t(leaf) * matrix.shape.label_count + label - 1] : 0);
    factors[o] = factor;
    addends[o] = uint32_t(addend % p);
  }
}

namespace {

/// Words that hold `count` 32-bit numbers, a multiple of 8: what follows stays 64-byte aligned.
size_t aligned_words(uint64_t count) { return (count + 15) / 16 * 8; }

// One item: one answer ciphertext of one row.
class LeavesJob final : public Job {
 public:
  LeavesJob(Context& context, const sotto_leaf_matrix& matrix, const sotto_evaluation_keys& keys, const uint8_t* rows, const sotto_evaluate_shape& shape, const uint8_t seed[32], uint8_t* answers)
      : context_(context), matrix_(matrix), keys_(keys), rows_(rows), shape_(shape), answers_(answers), layout_(matrix.output_count(), matrix.shape.column_count),
        product_(ProductLayout::of(matrix.shape.column_count)) {
    memcpy(seed_, seed, sizeof seed_);
  }
  ~LeavesJob() override { wipe(seed_, sizeof seed_); }
  uint64_t item_count() const { return shape_.record_count * layout_.groups; }

  int32_t run(uint64_t item, Workspace& workspace) override {
    const uint64_t row = item / layout_.groups, group = item % layout_.groups;
    const uint64_t products = layout_.group_products(group), outputs = layout_.group_outputs(group);
    const size_t input_words = matrix_.chunk_count() * kCiphertextWords, leaf_words = aligned_words(matrix_.shape.leaf_count), output_words = aligned_words(outputs);
    const size_t tree_words = pack_workspace_words(products);
    uint64_t* memory = workspace.words(input_words + kDegree + leaf_words + 3 * output_words + tree_words);
    if (!memory) return SOTTO_OUT_OF_MEMORY;
    Scratch s;
    s.input = memory, s.polynomial = s.input + input_words;
    s.leaves = reinterpret_cast<uint32_t*>(s.polynomial + kDegree);
    s.factors = s.leaves + 2 * leaf_words, s.addends = s.factors + 2 * output_words, s.positions = s.addends + 2 * output_words;
    uint64_t* packed = reinterpret_cast<uint64_t*>(s.positions + 2 * output_words);

    read_input(row, ceil_log2(products), s);
    shuffle_leaves(matrix_, seed_, row, s.leaves);
    blind_outputs(matrix_, seed_, row, group, outputs, s.leaves, s.factors, s.addends);
    for (uint64_t o = 0; o < outputs; o++) s.positions[o] = layout_.position(group, o);
    auto input = [&](uint64_t product, uint64_t* out) { multiply(group, product, s, out); };
    PackTree<decltype(input)>(context_, keys_, layout_.useful_log, products, input).run(packed);
    if (cancelled()) return SOTTO_CANCELLED;
    return finish(row, group, outputs, s, packed);
  }

 private:
  struct Scratch {
    uint64_t *input, *polynomial;
    uint32_t *leaves, *factors, *addends, *positions;
  };

  // The row's ciphertexts, transformed and divided by 2^merge_levels (which the pack tree multiplies back).
  void read_input(uint64_t row, uint32_t merge_levels, const Scratch& s) const {
    const size_t record_bytes = seeded_record_bytes(shape_.input_bits);
    const uint64_t divisor = inverse_power_of_two(merge_levels);
    for (uint32_t i = 0; i < kDegree; i++) s.polynomial[i] = divisor;  // the transform of a constant
    for (uint32_t chunk = 0; chunk < matrix_.chunk_count(); chunk++) {
      uint64_t* a = s.input + chunk * kCiphertextWords;
      expand_seeded(rows_ + (row * matrix_.chunk_count() + chunk) * record_bytes, shape_.input_bits, a, a + kDegree);
      for (uint64_t* part : {a, a + kDegree}) {
        context_.ring.forward(part);
        context_.ring.multiply(part, part, s.polynomial);
      }
    }
  }

  // Product `product` of the group: the polynomial of its k outputs times the row.
  void multiply(uint64_t group, uint64_t product, const Scratch& s, uint64_t* out) const {
    if (cancelled()) return;  // the answer is discarded
    bool first = true;
    for (uint32_t chunk = 0; chunk < matrix_.chunk_count(); chunk++) {
      if (!build_polynomial(group, product, chunk, s)) continue;
      context_.ring.forward(s.polynomial);
      const uint64_t* input = s.input + chunk * kCiphertextWords;
      for (uint32_t part = 0; part < 2; part++) {
        if (first) context_.ring.multiply(out + part * kDegree, s.polynomial, input + part * kDegree);
        else context_.ring.multiply_add(out + part * kDegree, s.polynomial, input + part * kDegree);
      }
      first = false;
    }
    if (first) memset(out, 0, kCiphertextWords * sizeof(uint64_t));
  }

  // The part of the product's polynomial that meets ciphertext `chunk` of the row; false when it is zero.
  bool build_polynomial(uint64_t group, uint64_t product, uint32_t chunk, const Scratch& s) const {
    const uint32_t p = matrix_.shape.plaintext_modulus, stride = 1 + matrix_.shape.label_count, column_begin = chunk * kDegree;
    memset(s.polynomial, 0, kDegree * sizeof(uint64_t));
    bool any = false;
    for (uint32_t slot = 0; slot < product_.useful(); slot++) {
      const uint64_t o = product * product_.useful() + slot, output = group * kDegree + o;
      if (output >= layout_.outputs) break;
      const uint32_t leaf = s.leaves[output / stride];
      for (uint32_t i = matrix_.row_offsets[leaf]; i < matrix_.row_offsets[leaf + 1]; i++) {
        const uint32_t column = matrix_.columns[i] - column_begin;
        if (column >= kDegree) continue;
        // factor * weight mod p, centred: |.| <= p / 2 keeps the noise small
        int64_t weight = int64_t(s.factors[o]) * matrix_.weights[i] % int64_t(p);
        if (weight > int64_t(p / 2)) weight -= p;
        if (weight < -int64_t(p / 2)) weight += p;
        product_.set(s.polynomial, slot, column, residue(weight, kModulus));
        any = true;
      }
    }
    return any;
  }

  // Randomises the answer, adds the addends, switches and writes it.
  int32_t finish(uint64_t row, uint64_t group, uint64_t outputs, const Scratch& s, uint64_t* packed) const {
    uint64_t* b = packed + kDegree;
    RandomSource random(seed_, leaf_mask_nonce(row, group));
    if (!randomise_answer(context_, keys_, random, s.positions, outputs, packed)) return SOTTO_OUT_OF_MEMORY;
    for (uint64_t o = 0; o < outputs; o++) b[s.positions[o]] = add_mod(b[s.positions[o]], s.addends[o] * matrix_.shape.delta, kModulus);
    uint8_t* record = answers_ + row * layout_.record_bytes(shape_.answer_bits) + group * compressed_bytes(kDegree, shape_.answer_bits);
    compress(packed, b, shape_.answer_bits, s.positions, outputs, record);
    return SOTTO_OK;
  }

  Context& context_;
  const sotto_leaf_matrix& matrix_;
  const sotto_evaluation_keys& keys_;
  const uint8_t* rows_;
  const sotto_evaluate_shape shape_;
  uint8_t* answers_;
  const AnswerLayout layout_;
  const ProductLayout product_;
  uint8_t seed_[32];
};

}  // namespace

int32_t submit_leaves(Context& context, const sotto_leaf_matrix& matrix, const sotto_evaluation_keys& keys, const uint8_t* rows, const sotto_evaluate_shape& shape, const uint8_t seed[32],
                      uint8_t* answers, Job** job) {
  if (const auto* operation = on_device(context, &DeviceOperations::leaves)) {
    LeavesBatch batch = {&matrix, &keys, rows, shape, {}, answers};
    memcpy(batch.seed, seed, sizeof batch.seed);
    const uint64_t groups = AnswerLayout(matrix.output_count(), matrix.shape.column_count).groups;
    const int32_t status = submit_on_device(context, *operation, batch, shape.record_count * groups, shape.thread_count, job);
    wipe(batch.seed, sizeof batch.seed);
    return status;
  }
  auto* created = new (std::nothrow) LeavesJob(context, matrix, keys, rows, shape, seed, answers);
  if (!created) return out_of_memory("a job");
  context.pool.submit(*created, created->item_count(), shape.thread_count);
  *job = created;
  return SOTTO_OK;
}

}  // namespace sotto
