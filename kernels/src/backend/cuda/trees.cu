// Trees in mode `leaves` (crypto/leaf_matrix.hpp): each product of a row with the polynomial of its k blinded outputs, the packs, the ends of the answers.
// The host expands rows, shuffles leaves and draws factors and masks; polynomials are built on the device from the resident matrix, and only answers come back.
//
// Memory map of the product kernel: exchange 18,432 bytes, polynomial 16,384 bytes; 34,816 in all, four blocks a multiprocessor.
// Floor on H100 of a product: one transform and two products a coefficient, 3,000 cycles of a multiprocessor; bytes: 32 KB of the row from the second-level cache and
// 32 KB written, 1,700 cycles of memory. A row of XGB 50 x 3 (800 outputs, 128 columns a block: 50 products, 49 merges): 50 * 3,000 + 49 * 15,900 + 7,500 = 937,000
// cycles with integers, 247,000 rows a second; at 60 % 148,000. The host's part of a row, about 120 us of a core (expanding 10, shuffling and drawing 110), bounds 16 cores
// and two lanes to 16,000 rows a second: the aim is 5,000.
#include <string.h>

#include <algorithm>

#include "backend/cuda/answers.cuh"
#include "backend/cuda/operations.cuh"
#include "backend/cuda/pack.cuh"
#include "core/modular.hpp"
#include "crypto/compression.hpp"
#include "crypto/encryption.hpp"
#include "crypto/matrix_product.hpp"
#include "crypto/pack.hpp"

namespace sotto::cuda {
namespace {

constexpr size_t kPolynomial = kExchangeWords * sizeof(uint64_t), kProductShared = kPolynomial + kDegree * sizeof(uint64_t);
static_assert(kProductShared <= kSharedStandard && 4 * kProductShared <= kShared80);

template <class Field>
struct ProductArguments {
  RingConstants<Field> ring;
  const typename Field::Key* rows;            // of each answer its row's chunks, (a, b) each
  const uint32_t *leaves, *factors;           // of each answer and output
  const uint32_t *row_offsets, *columns;      // of the matrix
  const int8_t* weights;
  uint32_t modulus, outputs, products, chunks;
  uint32_t block, useful_log;
  uint64_t* ciphertexts;
};

template <class Field>
__global__ __launch_bounds__(kTransformThreads, 4) void multiply_leaves(const ProductArguments<Field> task) {
  using Word = typename Field::Word;
  SOTTO_SHARED(shared);
  Word* const exchange[1] = {reinterpret_cast<Word*>(shared)};
  uint64_t* polynomial = reinterpret_cast<uint64_t*>(shared + kPolynomial);
  const uint32_t t = threadIdx.x, product = blockIdx.x % task.products, useful = 1u << task.useful_log;
  const size_t answer = blockIdx.x / task.products;
  const uint32_t *leaves = task.leaves + answer * task.outputs, *factors = task.factors + answer * task.outputs;
  uint64_t* out = task.ciphertexts + size_t(blockIdx.x) * kCiphertextWords;
#pragma unroll 1
  for (uint32_t chunk = 0; chunk < task.chunks; chunk++) {
    for (uint32_t i = t; i < kDegree; i += kTransformThreads) polynomial[i] = 0;
    __syncthreads();
    for (uint32_t slot = t; slot < useful; slot += kTransformThreads) {
      const uint32_t o = product * useful + slot;
      if (o >= task.outputs) break;
      const uint32_t leaf = leaves[o];
      for (uint32_t i = task.row_offsets[leaf]; i < task.row_offsets[leaf + 1]; i++) {
        const uint32_t column = task.columns[i] - chunk * kDegree;
        if (column >= kDegree) continue;
        const int64_t p = task.modulus;
        int64_t weight = int64_t(factors[o]) * task.weights[i] % p;  // centred: |.| <= p / 2 keeps the noise small
        if (weight > p / 2) weight -= p;
        if (weight < -(p / 2)) weight += p;
        const int32_t exponent = int32_t(slot * task.block) - int32_t(column);
        if (exponent < 0) weight = -weight;
        polynomial[exponent & int32_t(kDegree - 1)] = uint64_t(weight + int64_t(kQ & uint64_t(weight >> 63)));
      }
    }
    __syncthreads();
    Word x[1][kPoints];
#pragma unroll
    for (uint32_t k = 0; k < kPoints; k++) x[0][k] = Field::of_canonical(polynomial[top_place(t, k)]);
    forward_transform<Field, 1, false>(task.ring, x, exchange, t);
    const typename Field::Key* row = task.rows + (answer * task.chunks + chunk) * kCiphertextWords;
#pragma unroll
    for (uint32_t part = 0; part < 2; part++)
#pragma unroll
      for (uint32_t k = 0; k < kPoints; k++) {
        const uint32_t at = part * kDegree + bottom_place(t, k);
        const uint64_t value = product_with_key<Field>(x[0][k], row[at]);
        out[at] = chunk ? add_canonical(out[at], value) : value;
      }
  }
}

/// The matrix on a device.
struct MatrixPlaces {
  uint32_t *row_offsets, *columns;
  int8_t* weights;
  MatrixPlaces(Slices& slices, const sotto_leaf_matrix& matrix)
      : row_offsets(slices.take<uint32_t>(matrix.row_offsets.size())), columns(slices.take<uint32_t>(matrix.columns.size())), weights(slices.take<int8_t>(matrix.weights.size())) {}
};

int32_t acquire_matrix(Lane& lane, const sotto_leaf_matrix& matrix, ResidentUse& use) {
  Slices count(nullptr);
  MatrixPlaces counted(count, matrix);
  return use.acquire(matrix.id, Part::whole, count.used(), [&](void* memory) {
    Slices slices(static_cast<unsigned char*>(memory));
    const MatrixPlaces places(slices, matrix);
    if (const int32_t status = lane.upload(places.row_offsets, matrix.row_offsets.data(), matrix.row_offsets.size() * sizeof(uint32_t))) return status;
    if (const int32_t status = lane.upload(places.columns, matrix.columns.data(), matrix.columns.size() * sizeof(uint32_t))) return status;
    if (const int32_t status = lane.upload(places.weights, matrix.weights.data(), matrix.weights.size())) return status;
    return lane.wait();
  });
}

constexpr size_t kRunBytes = size_t(256) << 20;

uint64_t answers_per_run(const Device&, const LeavesBatch& batch) {
  const AnswerLayout layout(batch.matrix->output_count(), batch.matrix->shape.column_count);
  return std::max<uint64_t>(1, std::min<uint64_t>(512, kRunBytes / ((layout.group_products(0) + batch.matrix->chunk_count()) * kCiphertextWords * sizeof(uint64_t))));
}

/// Answers of a run with the same number of outputs: all groups but the last, or the last.
class LeavesRun {
 public:
  LeavesRun(const LeavesBatch& batch, uint64_t first, uint64_t count, bool last)
      : batch_(batch), matrix_(*batch.matrix), layout_(matrix_.output_count(), matrix_.shape.column_count), first_(first), end_(first + count), last_(last) {
    const uint64_t group = last ? layout_.groups - 1 : 0;
    outputs_ = uint32_t(layout_.group_outputs(group)), products_ = uint32_t(layout_.group_products(group));
    for (uint64_t item = first_; item < end_; item++) answers_ += mine(item);
  }

  int32_t run(Device& device) {
    if (!answers_) return SOTTO_OK;
    if (const int32_t status = prepare()) return status;
    LaneUse lane(device);
    if (const int32_t status = lane.ready()) return status;
    ResidentUse keys(*lane), matrix(*lane);
    if (const int32_t status = acquire_evaluation_keys(*lane, *batch_.keys, keys)) return status;
    if (const int32_t status = acquire_matrix(*lane, matrix_, matrix)) return status;
    uint64_t *rows = nullptr, *ciphertexts = nullptr;
    uint32_t *leaves = nullptr, *factors = nullptr;
    uint8_t* out = nullptr;
    DeviceMasks masks = {};
    const size_t record_bytes = compressed_bytes(outputs_, batch_.shape.answer_bits);
    const int32_t reserved = lane->reserve([&](Slices& slices) {
      rows = slices.take<uint64_t>(rows_.size());
      leaves = slices.take<uint32_t>(leaves_.size());
      factors = slices.take<uint32_t>(factors_.size());
      ciphertexts = slices.take<uint64_t>(size_t(answers_) * products_ * kCiphertextWords);
      out = slices.take<uint8_t>(answers_ * record_bytes);
      masks.take(slices, answers_, outputs_);
    });
    if (reserved) return reserved;
    if (const int32_t status = lane->upload(rows, rows_.data(), rows_.size() * sizeof(uint64_t))) return status;
    if (const int32_t status = lane->upload(leaves, leaves_.data(), leaves_.size() * sizeof(uint32_t))) return status;
    if (const int32_t status = lane->upload(factors, factors_.data(), factors_.size() * sizeof(uint32_t))) return status;
    if (const int32_t status = masks.upload(*lane, masks_)) return status;
    if (const int32_t status = transform_to_keys(*lane, rows, 2 * answers_ * matrix_.chunk_count(), ceil_log2(products_))) return status;
    if (const int32_t status = multiply(*lane, matrix, rows, leaves, factors, ciphertexts)) return status;
    if (const int32_t status = pack(*lane, {keys.as<void>(), layout_.useful_log, products_, answers_, ciphertexts})) return status;
    const AnswerPlaces places = {outputs_, layout_.useful_log, layout_.block, layout_.block >> ceil_log2(products_)};
    if (const int32_t status = finish_answers(*lane, {keys.as<void>(), ciphertexts, products_ * kCiphertextWords, masks, places, batch_.shape.answer_bits, answers_, out})) return status;
    Buffer<uint8_t> bytes(answers_ * record_bytes);
    if (!bytes.ok()) return out_of_memory("answers");
    if (const int32_t status = lane->download(bytes.data(), out, bytes.size())) return status;
    const uint8_t* from = bytes.data();
    for (uint64_t item = first_; item < end_; item++) {
      if (!mine(item)) continue;
      memcpy(batch_.answers + item / layout_.groups * layout_.record_bytes(batch_.shape.answer_bits) + item % layout_.groups * compressed_bytes(kDegree, batch_.shape.answer_bits), from, record_bytes);
      from += record_bytes;
    }
    return SOTTO_OK;
  }

 private:
  bool mine(uint64_t item) const { return (item % layout_.groups == layout_.groups - 1) == last_; }

  // The host's part: rows expanded, leaves shuffled, factors and masks drawn.
  int32_t prepare() {
    const uint32_t chunks = matrix_.chunk_count();
    const size_t seeded = seeded_record_bytes(batch_.shape.input_bits);
    Buffer<uint32_t> order(matrix_.shape.leaf_count), addends(outputs_);
    if (!order.ok() || !addends.ok() || !rows_.allocate(size_t(answers_) * chunks * kCiphertextWords) || !leaves_.allocate(size_t(answers_) * outputs_) ||
        !factors_.allocate(size_t(answers_) * outputs_))
      return out_of_memory("rows");
    if (const int32_t status = masks_.allocate(answers_, outputs_)) return status;
    uint32_t answer = 0;
    for (uint64_t item = first_; item < end_; item++) {
      if (!mine(item)) continue;
      const uint64_t row = item / layout_.groups, group = item % layout_.groups;
      for (uint32_t chunk = 0; chunk < chunks; chunk++) {
        uint64_t* a = rows_.data() + (size_t(answer) * chunks + chunk) * kCiphertextWords;
        expand_seeded(batch_.rows + (row * chunks + chunk) * seeded, batch_.shape.input_bits, a, a + kDegree);
      }
      uint32_t *leaves = leaves_.data() + size_t(answer) * outputs_, *factors = factors_.data() + size_t(answer) * outputs_;
      shuffle_leaves(matrix_, batch_.seed, row, order.data());
      blind_outputs(matrix_, batch_.seed, row, group, outputs_, order.data(), factors, addends.data());
      for (uint32_t o = 0; o < outputs_; o++) leaves[o] = order[(group * kDegree + o) / (1 + matrix_.shape.label_count)];
      RandomSource random(batch_.seed, leaf_mask_nonce(row, group));
      uint64_t* flood = masks_.draw(answer, random);
      if (!flood) return out_of_memory("random numbers");
      for (uint32_t o = 0; o < outputs_; o++) flood[o] = add_mod(flood[o], addends[o] * matrix_.shape.delta, kModulus);
      answer++;
    }
    return SOTTO_OK;
  }

  int32_t multiply(Lane& lane, const ResidentUse& resident, const uint64_t* rows, const uint32_t* leaves, const uint32_t* factors, uint64_t* ciphertexts) const {
    Slices slices(const_cast<unsigned char*>(resident.as<unsigned char>()));
    const MatrixPlaces places(slices, matrix_);
    return with_field(lane.gpu(), [&](auto field) {
      using Field = decltype(field);
      const ProductArguments<Field> arguments = {lane.gpu().template constants<Field>(), reinterpret_cast<const typename Field::Key*>(rows), leaves, factors, places.row_offsets, places.columns,
                                                 places.weights, matrix_.shape.plaintext_modulus, outputs_, products_, matrix_.chunk_count(), layout_.block, layout_.useful_log, ciphertexts};
      return lane.status(launch(multiply_leaves<Field>, answers_ * products_, kTransformThreads, kProductShared, lane.stream(), arguments), "products of leaves");
    });
  }

  const LeavesBatch& batch_;
  const sotto_leaf_matrix& matrix_;
  const AnswerLayout layout_;
  const uint64_t first_, end_;
  const bool last_;
  uint32_t outputs_, products_, answers_ = 0;
  Buffer<uint64_t> rows_;
  Buffer<uint32_t> leaves_, factors_;
  AnswerMasks masks_;
};

int32_t run_leaves(Device& device, const LeavesBatch& batch, uint64_t first, uint64_t count) {
  for (bool last : {false, true})
    if (const int32_t status = LeavesRun(batch, first, count, last).run(device)) return status;
  return SOTTO_OK;
}

}  // namespace

void add_leaves(DeviceOperations& operations) { operations.leaves = {run_leaves, answers_per_run, true}; }

}  // namespace sotto::cuda
