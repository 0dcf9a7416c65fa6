// Trees in mode `leaves` (after arXiv 2303.01254, without bootstrapping): every leaf is a linear form of the encrypted bits that is zero exactly at the
// reached leaf; each output is blinded by a fresh random factor, so that the client learns the reached leaf of each tree and its labels, nothing else.
#pragma once

#include "core/resident_id.hpp"
#include "crypto/evaluation_keys.hpp"

struct sotto_leaf_matrix {
  sotto_leaf_matrix_shape shape;
  sotto::Buffer<uint32_t> tree_offsets, row_offsets, columns, labels;
  sotto::Buffer<int8_t> weights;
  sotto::Buffer<int32_t> constants;
  sotto::ResidentId id;

  uint64_t output_count() const { return uint64_t(shape.leaf_count) * (1 + shape.label_count); }
  uint32_t chunk_count() const { return (shape.column_count + sotto::kDegree - 1) / sotto::kDegree; }
};

namespace sotto {

/// Products and answer ciphertexts of one row.
struct AnswerLayout {
  AnswerLayout(uint64_t outputs, uint64_t columns);
  uint32_t block, useful_log;
  uint64_t outputs, products, groups;
  uint64_t group_outputs(uint64_t group) const;
  uint64_t group_products(uint64_t group) const;
  /// Coefficient of output o of the group inside its ciphertext.
  uint32_t position(uint64_t group, uint64_t o) const;
  size_t group_bytes(uint64_t group, uint32_t bits) const;
  size_t record_bytes(uint32_t bits) const;
};

/// A fresh order of the leaves inside every tree.
void shuffle_leaves(const sotto_leaf_matrix& matrix, const uint8_t seed[32], uint64_t row, uint32_t* leaves);
/// Factor r and addend r * constant + label mod p of each output of the group. r is uniform, without 0 in zero tests.
void blind_outputs(const sotto_leaf_matrix& matrix, const uint8_t seed[32], uint64_t row, uint64_t group, uint64_t outputs, const uint32_t* leaves, uint32_t* factors, uint32_t* addends);
/// Of the stream that randomises an answer ciphertext.
Nonce leaf_mask_nonce(uint64_t row, uint64_t group);

int32_t submit_leaves(Context& context, const sotto_leaf_matrix& matrix, const sotto_evaluation_keys& keys, const uint8_t* rows, const sotto_evaluate_shape& shape, const uint8_t seed[32],
                      uint8_t* answers, Job** job);

}  // namespace sotto
