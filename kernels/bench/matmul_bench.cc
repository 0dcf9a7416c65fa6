// Times of matrix products modulo 2^32 and of layers on lwe, on one thread, as `name value unit` lines. `matmul_bench [back end]`.
//
// A rate counts multiply-adds of 32-bit words, m k n of them (each is four of bytes, or two of 16 bits: times four for the rate in bytes).
// Floors at 3.7 GHz on Zen 4, 59 G/s (matmul_avx512vnni.cc, matmul_avx2.cc): tuning 72 ms (2048 x 2048, 1024 tokens; a token's mask and body are two
// columns of such a product: 0.14 ms), dense 36 ms, keyswitch 64 14.6 ms (0.23 ms a row). The keyswitch reads 55 MB of key, 5.5 ms at 10 GB/s, which
// bounds it at batches below about 24: at 16 rows 3.7 ms of arithmetic.
// Layers, the multiply-adds alone: dense192 (192 x 192 on one row, 76 M) 1.3 ms, conv (64 channels of 3 x 3 on 8 x 8 x 64, 4.8 G) 82 ms; gathering and
// preparing the right factor, each word of which meets 192 or 64 rows, comes on top.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <algorithm>
#include <vector>

#include "core/buffer.hpp"
#include "poly/matmul.hpp"
#include "sotto/sotto.h"

namespace {

double now_ms() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return double(t.tv_sec) * 1e3 + double(t.tv_nsec) / 1e6;
}

template <class Body>
double best_ms(Body body) {
  double best = 1e300;
  for (int i = 0; i < 5; i++) {
    const double start = now_ms();
    body();
    best = std::min(best, now_ms() - start);
  }
  return best;
}

void measure(const sotto::MatmulKernels& kernels, const char* shape, size_t m, size_t k, size_t n, int8_t bound) {
  sotto::Buffer<int8_t> a(m * k);
  sotto::Buffer<uint32_t> b(k * n), c(m * n);
  sotto::Buffer<uint8_t> left(kernels.left_bytes(m, k)), right(kernels.right_bytes(k, n));
  if (!a.ok() || !b.ok() || !c.ok() || !left.ok() || !right.ok()) {
    fprintf(stderr, "%s: not enough memory\n", shape);
    exit(1);
  }
  for (size_t i = 0; i < m * k; i++) a[i] = int8_t(int(i * 2654435761u >> 16) % (2 * bound + 1) - bound);
  for (size_t i = 0; i < k * n; i++) b[i] = uint32_t(i) * 2246822519u;
  const double left_ms = best_ms([&] { kernels.prepare_left(a.data(), k, m, k, left.data()); });
  const double right_ms = best_ms([&] { kernels.prepare_right(b.data(), n, k, n, right.data()); });
  const double multiply_ms = best_ms([&] { kernels.multiply({left.data(), right.data(), k, 0, m, 0, n, c.data(), n}); });
  printf("matmul.%s.%s.prepare_left %.3f ms\nmatmul.%s.%s.prepare_right %.3f ms\n", kernels.name, shape, left_ms, kernels.name, shape, right_ms);
  printf("matmul.%s.%s.multiply %.3f ms\nmatmul.%s.%s.rate %.1f G/s\n", kernels.name, shape, multiply_ms, kernels.name, shape, double(m) * double(k) * double(n) / multiply_ms / 1e6);
  fflush(stdout);
}

constexpr size_t lwe_words = 2049;

void require(int32_t status) {
  if (status == SOTTO_OK) return;
  char text[256];
  sotto_last_error(text, sizeof text);
  fprintf(stderr, "%s\n", text);
  exit(1);
}

void measure_layer(sotto_context* context, const char* name, const sotto_layer_shape& shape, const std::vector<uint32_t>& indices) {
  const size_t channels = size_t(shape.group_count) * shape.rows_per_group, output_count = shape.patch_count * channels;
  std::vector<int8_t> weights(channels * shape.depth);
  for (size_t i = 0; i < weights.size(); i++) weights[i] = int8_t(i * 2654435761u >> 16);
  const std::vector<uint32_t> offsets(channels), inputs(shape.input_count * lwe_words, 0x9e3779b9);
  std::vector<uint32_t> outputs(output_count * lwe_words);
  sotto_layer* layer = nullptr;
  require(sotto_layer_create(context, &shape, weights.data(), indices.data(), offsets.data(), &layer));
  const sotto_layer_range range = {1, shape.input_count, 0, shape.patch_count, 1, 0};
  const double ms = best_ms([&] {
    sotto_job* job = nullptr;
    require(sotto_layer_submit(context, layer, inputs.data(), shape.input_count, &range, outputs.data(), output_count, &job));
    require(sotto_job_wait(job));
    sotto_job_destroy(job);
  });
  sotto_layer_destroy(layer);
  printf("layer.%s.ms %.3f ms\nlayer.%s.rate %.1f G/s\n", name, ms, name, double(output_count) * shape.depth * lwe_words / ms / 1e6);
}

std::vector<uint32_t> dense_indices(uint32_t count) {
  std::vector<uint32_t> indices(count);
  for (uint32_t i = 0; i < count; i++) indices[i] = i;
  return indices;
}

/// 3 x 3 around every position of a size x size image, channels last, zeros outside.
std::vector<uint32_t> convolution_indices(int size, uint32_t channels) {
  std::vector<uint32_t> indices;
  for (int position = 0; position < size * size; position++)
    for (int tap = 0; tap < 9; tap++) {
      const int y = position / size + tap / 3 - 1, x = position % size + tap % 3 - 1;
      const bool inside = y >= 0 && y < size && x >= 0 && x < size;
      for (uint32_t channel = 0; channel < channels; channel++) indices.push_back(inside ? uint32_t(y * size + x) * channels + channel : UINT32_MAX);
    }
  return indices;
}

void measure_layers(const char* backend) {
  sotto_context_options options = {};
  options.thread_count = 1;
  if (backend) strncpy(options.backend, backend, sizeof options.backend - 1);
  sotto_context* context = nullptr;
  require(sotto_context_create(&options, &context));
  measure_layer(context, "dense192", {192, 1, 1, 192, 192, 0, 0, 0}, dense_indices(192));
  measure_layer(context, "conv", {64 * 64, 64, 1, 64, 9 * 64, 0, 0, 0}, convolution_indices(8, 64));
  sotto_context_destroy(context);
}

}  // namespace

int main(int count, char** arguments) {
  const sotto::MatmulKernels* kernels = sotto::select_matmul_kernels(count > 1 ? arguments[1] : nullptr);
  if (!kernels) {
    fprintf(stderr, "no back end %s here: ref, portable, avx2 or avx512ifma\n", arguments[1]);
    return 1;
  }
  measure(*kernels, "tuning", 2048, 2048, 1024, 127);
  measure(*kernels, "dense", 1024, 1024, 2049, 127);
  measure(*kernels, "keyswitch64", 64, 16384, 841, 2);
  measure(*kernels, "keyswitch16", 16, 16384, 841, 2);
  measure_layers(count > 1 ? arguments[1] : nullptr);
}
