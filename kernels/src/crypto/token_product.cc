#include "crypto/token_product.hpp"

#include <algorithm>
#include <new>

#include "backend/cuda/device_job.hpp"
#include "core/bits.hpp"
#include "crypto/token_job.hpp"
#include "crypto/token_words.hpp"

namespace sotto {
namespace {

/// Columns of a panel: whole batches of the mask stream, and whole bytes of a record at any width.
constexpr uint32_t kPanelColumns = 256;
/// Bytes of the left factor that stay in the second-level cache while the columns of a panel pass.
constexpr size_t kLeftBytes = size_t(1) << 19;
/// Rows of an item at least, if the matrix has them: what an item costs before the first row is one part in ten of them.
constexpr size_t kRowsMin = 192;

constexpr size_t divide_up(size_t x, size_t y) { return (x + y - 1) / y; }

// An item is a panel of columns, of the masks or of the bodies, times a run of rows. Nothing larger than depth x 256 words is ever in memory unpacked.
class ProductJob final : public Job {
 public:
  ProductJob(const sotto_token_matrix& matrix, uint32_t direction, uint32_t parts, const uint8_t* mask_seed, const uint8_t* bodies, const sotto_token_shape& shape,
             uint8_t* answers, uint32_t workers)
      : kernels_(*matrix.kernels), side_(matrix.sides[direction]), bodies_(bodies), shape_(shape), bytes_(TokenAnswerBytes::of(shape, parts)), answers_(answers) {
    if (parts & kMasks) memcpy(mask_seed_, mask_seed, sizeof mask_seed_);
    mask_panels_ = parts & kMasks ? shape.set / kPanelColumns : 0;
    panels_ = mask_panels_ + (parts & kBodies ? divide_up(shape.token_count, kPanelColumns) : 0);
    const size_t runs = std::clamp<size_t>(divide_up(2 * size_t(workers), panels_), 1, std::max<size_t>(1, side_.row_count / kRowsMin));
    run_rows_ = divide_up(divide_up(side_.row_count, runs), matmul_row_tile) * matmul_row_tile;
    runs_ = divide_up(side_.row_count, run_rows_);
    chunk_rows_ = std::clamp<size_t>(kLeftBytes / side_.depth / matmul_row_tile, 4, 64) * matmul_row_tile;
  }
  uint64_t item_count() const { return panels_ * runs_; }

  int32_t run(uint64_t item, Workspace& workspace) override {
    const size_t panel = item % panels_, first_row = item / panels_ * run_rows_, end_row = std::min(first_row + run_rows_, side_.row_count);
    const bool masks = panel < mask_panels_;
    const uint32_t column = uint32_t(masks ? panel : panel - mask_panels_) * kPanelColumns;
    const uint32_t width = std::min((masks ? shape_.set : shape_.token_count) - column, kPanelColumns);
    const size_t right_words = divide_up(kernels_.right_bytes(side_.depth, width), 64) * 8;
    const size_t product_words = divide_up(std::min(chunk_rows_, end_row - first_row) * width, 2), unpacked_words = std::max(divide_up(side_.depth * width, 2), product_words);
    uint64_t* right = workspace.words(right_words + unpacked_words + (side_.low.size() ? product_words : 0));
    if (!right) return SOTTO_OUT_OF_MEMORY;
    uint32_t* unpacked = reinterpret_cast<uint32_t*>(right + right_words);  // the panel, and once it is prepared the product
    if (masks) read_masks(column, width, unpacked);
    else read_bodies(column, width, unpacked);
    kernels_.prepare_right(unpacked, width, side_.depth, width, right);
    for (size_t row = first_row; row < end_row && !cancelled(); row += chunk_rows_) {
      const size_t rows = std::min(chunk_rows_, end_row - row);
      multiply(side_.left, row, rows, right, width, unpacked);
      if (side_.low.size()) add_low(row, rows, right, width, unpacked, unpacked + 2 * unpacked_words);
      write(masks, row, rows, column, width, unpacked);
    }
    return cancelled() ? fail(SOTTO_CANCELLED, "cancelled") : SOTTO_OK;
  }

 private:
  void read_masks(uint32_t column, uint32_t width, uint32_t* words) const {
    for (size_t j = 0; j < side_.depth; j++) expand_token_mask(mask_seed_, shape_.first_mask + j, column, width, words + j * width);
  }

  void read_bodies(uint32_t column, uint32_t width, uint32_t* words) const {
    const uint32_t bits = shape_.body_bits;
    const uint8_t* record = bodies_ + size_t(column) * bits / 8;
    for (size_t j = 0; j < side_.depth; j++, record += packed_bytes(shape_.token_count, bits)) unpack_words(record, width, bits, words + j * width);
  }

  void multiply(const Buffer<uint8_t>& left, size_t row, size_t rows, const uint64_t* right, uint32_t width, uint32_t* out) const {
    kernels_.multiply({left.data() + kernels_.left_bytes(row, side_.depth), right, side_.depth, 0, rows, 0, width, out, width});
  }

  /// product = 2^kLowBits product + low times the panel, which goes to `own` first.
  void add_low(size_t row, size_t rows, const uint64_t* right, uint32_t width, uint32_t* product, uint32_t* own) const {
    multiply(side_.low, row, rows, right, width, own);
    for (size_t i = 0; i < rows * width; i++) product[i] = (product[i] << kLowBits) + own[i];
  }

  void write(bool masks, size_t first_row, size_t rows, uint32_t column, uint32_t width, const uint32_t* words) const {
    const uint32_t bits = masks ? shape_.mask_bits : shape_.answer_bits;
    uint8_t* part = masks ? answers_ : answers_ + side_.row_count * bytes_.mask;
    const size_t record_bytes = masks ? bytes_.mask : bytes_.body;
    for (size_t i = 0; i < rows; i++) pack_words(words + i * width, width, bits, part + (first_row + i) * record_bytes + size_t(column) * bits / 8);
  }

  const MatmulKernels& kernels_;
  const sotto_token_matrix::Side& side_;
  uint8_t mask_seed_[32] = {};
  const uint8_t* bodies_;
  const sotto_token_shape shape_;
  const TokenAnswerBytes bytes_;
  uint8_t* answers_;
  size_t mask_panels_, panels_, run_rows_, runs_, chunk_rows_;
};

}  // namespace

TokenAnswerBytes TokenAnswerBytes::of(const sotto_token_shape& shape, uint32_t parts) {
  return {parts & kMasks ? packed_bytes(shape.set, shape.mask_bits) : 0, parts & kBodies ? packed_bytes(shape.token_count, shape.answer_bits) : 0};
}

int32_t submit_token_product(Context& context, const sotto_token_matrix& matrix, uint32_t direction, uint32_t parts, const uint8_t* mask_seed, const uint8_t* bodies,
                             const sotto_token_shape& shape, uint8_t* answers, Job** job) {
  if (const auto* operation = on_device(context, &DeviceOperations::token_product)) {
    TokenProductBatch batch = {&matrix, direction, parts, {}, bodies, shape, answers};
    if (parts & kMasks) memcpy(batch.mask_seed, mask_seed, sizeof batch.mask_seed);
    return submit_on_device(context, *operation, batch, matrix.sides[direction].row_count, shape.thread_count, job);
  }
  const uint32_t workers = shape.thread_count ? std::min(shape.thread_count, context.pool.thread_count()) : context.pool.thread_count();
  return submit_token_job(context, new (std::nothrow) ProductJob(matrix, direction, parts, mask_seed, bodies, shape, answers, workers), shape.thread_count, job);
}

}  // namespace sotto
