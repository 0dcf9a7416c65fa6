#include "crypto/token_scaling.hpp"

#include <math.h>

#include <algorithm>
#include <limits>
#include <new>

#include "crypto/token_job.hpp"

namespace sotto {
namespace {

/// Tokens of an item: a cache line of messages.
constexpr uint32_t kTokens = 16;
/// Tokens whose sums run side by side.
constexpr uint32_t kAbreast = 4;
/// Rows of an item: a cache line of values.
constexpr size_t kRows = 16;

/// The nearest integer, ties to even, for |x| < 2^31: it is left in the low bits of the sum.
int32_t nearest(double x) {
  const double raised = x + 0x1.8p52;
  int64_t bits;
  memcpy(&bits, &raised, sizeof bits);
  return int32_t(bits);
}

class QuantiseJob final : public Job {
 public:
  QuantiseJob(const float* activations, uint32_t token_count, size_t feature_count, double radius, double* scales, int32_t* messages)
      : activations_(activations), token_count_(token_count), feature_count_(feature_count), radius_(radius), scales_(scales), messages_(messages) {}
  uint64_t item_count() const { return (token_count_ + kTokens - 1) / kTokens; }

  int32_t run(uint64_t item, Workspace&) override {
    const uint32_t first = uint32_t(item) * kTokens, count = std::min(kTokens, token_count_ - first);
    double squares[kTokens] = {}, factors[kTokens];
    for (uint32_t i = 0; i < count; i += kAbreast) add_squares(first + i, std::min(kAbreast, count - i), squares + i);
    for (uint32_t i = 0; i < count; i++) {
      scales_[first + i] = scale_of(squares[i]);
      factors[i] = isfinite(scales_[first + i]) ? scales_[first + i] : 0;
    }
    for (size_t feature = 0; feature < feature_count_; feature++) {
      const float* column = activations_ + first * feature_count_ + feature;
      int32_t* row = messages_ + feature * token_count_ + first;
      for (uint32_t i = 0; i < count; i++) row[i] = factors[i] ? nearest(double(column[i * feature_count_]) * factors[i]) : 0;
    }
    return SOTTO_OK;
  }

 private:
  /// |x|^2 of a few tokens: each sum in the order of its features, so that it is the same everywhere, and several at once, as additions wait for each other.
  void add_squares(uint32_t first, uint32_t count, double* squares) const {
    const float* x[kAbreast];
    double sums[kAbreast] = {};
    for (uint32_t i = 0; i < kAbreast; i++) x[i] = activations_ + (first + std::min(i, count - 1)) * feature_count_;
    for (size_t j = 0; j < feature_count_; j++)
      for (uint32_t i = 0; i < kAbreast; i++) sums[i] += double(x[i][j]) * double(x[i][j]);
    for (uint32_t i = 0; i < count; i++) squares[i] = sums[i];
  }

  /// radius / |x|; infinite for zero, whose products are then exactly zero, and not a number when an activation is not finite.
  double scale_of(double sum) const {
    return isfinite(sum) ? radius_ / sqrt(sum) : std::numeric_limits<double>::quiet_NaN();
  }

  const float* activations_;
  const uint32_t token_count_;
  const size_t feature_count_;
  const double radius_;
  double* scales_;
  int32_t* messages_;
};

class DequantiseJob final : public Job {
 public:
  DequantiseJob(const int32_t* phases, size_t row_count, uint32_t token_count, const double* scales, const float* row_scales, float* values)
      : phases_(phases), row_count_(row_count), token_count_(token_count), scales_(scales), row_scales_(row_scales), values_(values) {}
  uint64_t item_count() const { return (row_count_ + kRows - 1) / kRows; }

  int32_t run(uint64_t item, Workspace&) override {
    const size_t first = item * kRows, count = std::min(kRows, row_count_ - first);
    for (uint32_t t = 0; t < token_count_; t++) {
      const double factor = 1 / scales_[t];
      for (size_t i = 0; i < count; i++)
        values_[t * row_count_ + first + i] = float(phases_[(first + i) * token_count_ + t] * (factor * row_scales_[first + i]));
    }
    return SOTTO_OK;
  }

 private:
  const int32_t* phases_;
  const size_t row_count_;
  const uint32_t token_count_;
  const double* scales_;
  const float* row_scales_;
  float* values_;
};

}  // namespace

double token_radius(const params::Tokens& set, const sotto_token_shape& shape, uint64_t feature_count, double row_norm) {
  const auto half = [](uint32_t bits) { return ldexp(1, 31 - int(bits)); };
  const double range = 0x1p31 - 2 - half(shape.answer_bits) - set.ring_degree * half(shape.mask_bits);
  const double noise = ldexp(1, int(set.noise_bound_log)) + half(shape.body_bits);
  return (range / std::max(row_norm, 1.0) - sqrt(double(feature_count)) * (noise + 0.5)) * (1 - 0x1p-40);
}

int32_t submit_quantisation(Context& context, const float* activations, const sotto_token_shape& shape, uint64_t feature_count, double radius, double* scales,
                            int32_t* messages, Job** job) {
  return submit_token_job(context, new (std::nothrow) QuantiseJob(activations, shape.token_count, feature_count, radius, scales, messages), shape.thread_count, job);
}

int32_t submit_dequantisation(Context& context, const int32_t* phases, size_t row_count, const sotto_token_shape& shape, const double* scales, const float* row_scales,
                              float* values, Job** job) {
  return submit_token_job(context, new (std::nothrow) DequantiseJob(phases, row_count, shape.token_count, scales, row_scales, values), shape.thread_count, job);
}

}  // namespace sotto
