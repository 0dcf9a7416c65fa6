// Products of a 2048 x 2048 int8 matrix with blocks of encrypted tokens, on one thread, as `name value unit` lines. `tokens_bench [back end]`.
//
// Weights are Gaussian of standard deviation 28, so that all rows have the same norm and the largest weights are near 127; activations are Gaussian. Times are processor
// time per token: `server` expands, multiplies and packs (fresh: masks and bodies, cached: bodies alone); `client` scales, encrypts, decrypts and scales back. The relative
// error is the standard deviation of the error of an output against the exact product of the int8 weights and the float activations, over that of the output.
// Floor of the server at 3.7 GHz on Zen 4, 59 G multiply-adds a second: 0.071 ms a token for 1,024 columns.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <algorithm>
#include <vector>

#include "core/bits.hpp"
#include "crypto/token_ring.hpp"
#include "sotto/sotto.h"

namespace {

constexpr size_t kSide = 2048;
constexpr uint8_t kMaskSeed[32] = {7};

/// Processor time: all work is on one worker while this thread sleeps, and other programs on the machine do not count.
double now_ms() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return double(t.tv_sec) * 1e3 + double(t.tv_nsec) / 1e6;
}

void require(int32_t status) {
  if (status == SOTTO_OK) return;
  char text[256];
  sotto_last_error(text, sizeof text);
  fprintf(stderr, "%s\n", text);
  exit(1);
}

void finish(sotto_job* job) {
  require(sotto_job_wait(job));
  sotto_job_destroy(job);
}

/// The least of three times.
template <class Body>
double best_ms(Body body) {
  double best = 1e300;
  for (int i = 0; i < 3; i++) {
    const double start = now_ms();
    body();
    best = std::min(best, now_ms() - start);
  }
  return best;
}

double gaussian() { return sqrt(-2 * log(1 - drand48())) * cos(2 * M_PI * drand48()); }

struct Layer {
  std::vector<int8_t> weights;
  double row_norm = 0;
  sotto_token_matrix* matrix = nullptr;

  explicit Layer(sotto_context* context) : weights(kSide * kSide) {
    for (size_t k = 0; k < kSide; k++) {
      double norm = 0;
      for (size_t j = 0; j < kSide; j++) {
        const double weight = weights[k * kSide + j] = int8_t(std::clamp(lround(28 * gaussian()), -127l, 127l));
        norm += weight * weight;
      }
      row_norm = std::max(row_norm, sqrt(norm));
    }
    require(sotto_token_matrix_create(context, weights.data(), nullptr, kSide, kSide, 1, &matrix));
  }
  ~Layer() { sotto_token_matrix_destroy(matrix); }
};

/// One request and its answer.
struct Request {
  sotto_context* context;
  const Layer& layer;
  sotto_token_shape shape;
  std::vector<float> activations, values, row_scales;
  std::vector<double> scales;
  std::vector<int32_t> messages, phases;
  std::vector<uint8_t> bodies, masks, answer_bodies;
  sotto_token_secret* secret = nullptr;

  Request(sotto_context* c, const Layer& l, const sotto::params::Tokens& set, uint32_t tokens)
      : context(c), layer(l), shape{set.ring_degree, tokens, set.body_bits, set.mask_bits, set.answer_bits, 1, 0}, activations(tokens * kSide), values(tokens * kSide), row_scales(kSide, 1),
        scales(tokens), messages(tokens * kSide), phases(tokens * kSide), bodies(kSide * sotto::packed_bytes(tokens, set.body_bits)),
        masks(kSide * sotto::packed_bytes(set.ring_degree, set.mask_bits)), answer_bodies(kSide * sotto::packed_bytes(tokens, set.answer_bits)) {
    for (float& x : activations) x = float(gaussian());
  }
  ~Request() { sotto_token_secret_destroy(secret); }

  void quantise() {
    const sotto_token_scaling scaling = {layer.row_norm, kSide};
    sotto_job* job = nullptr;
    require(sotto_tokens_quantise_submit(context, activations.data(), activations.size(), &shape, &scaling, scales.data(), messages.data(), messages.size(), &job));
    finish(job);
  }
  void encrypt() {
    sotto_token_secret_destroy(secret);
    require(sotto_token_secret_generate(context, shape.set, nullptr, &secret));
    sotto_job* job = nullptr;
    require(sotto_tokens_encrypt_submit(context, secret, kMaskSeed, messages.data(), kSide, &shape, nullptr, bodies.data(), bodies.size(), &job));
    finish(job);
  }
  void multiply(uint32_t parts, std::vector<uint8_t>& answers) {
    sotto_job* job = nullptr;
    require(sotto_tokens_product_submit(context, layer.matrix, 0, parts, kMaskSeed, parts & 1 ? bodies.data() : nullptr, parts & 1 ? bodies.size() : 0, &shape, answers.data(), answers.size(), &job));
    finish(job);
  }
  void decrypt() {
    sotto_job* job = nullptr;
    require(sotto_tokens_decrypt_submit(context, secret, masks.data(), masks.size(), answer_bodies.data(), answer_bodies.size(), kSide, &shape, phases.data(), &job));
    finish(job);
    require(sotto_tokens_dequantise_submit(context, phases.data(), kSide, &shape, scales.data(), row_scales.data(), values.data(), values.size(), &job));
    finish(job);
  }

  /// Over 64 outputs of every token.
  double relative_error() const {
    double error = 0, power = 0;
    for (size_t t = 0; t < shape.token_count; t++)
      for (size_t k = 0; k < kSide; k += kSide / 64) {
        double exact = 0;
        for (size_t j = 0; j < kSide; j++) exact += layer.weights[k * kSide + j] * double(activations[t * kSide + j]);
        error += (values[t * kSide + k] - exact) * (values[t * kSide + k] - exact);
        power += exact * exact;
      }
    return sqrt(error / power);
  }
};

void measure(sotto_context* context, const Layer& layer, const sotto::params::Tokens& set, uint32_t tokens) {
  Request request(context, layer, set, tokens);
  std::vector<uint8_t> fresh(request.masks.size() + request.answer_bodies.size());
  const double quantise = best_ms([&] { request.quantise(); }), encrypt = best_ms([&] { request.encrypt(); });
  const double both = best_ms([&] { request.multiply(3, fresh); }), masks = best_ms([&] { request.multiply(2, request.masks); });
  const double cached = best_ms([&] { request.multiply(1, request.answer_bodies); }), decrypt = best_ms([&] { request.decrypt(); });
  const auto print = [&](const char* name, double value, const char* unit) { printf("tokens%u.%u.%s %.4f %s\n", set.ring_degree, tokens, name, value, unit); };
  print("server_fresh", both / tokens, "ms/token");
  print("server_cached", cached / tokens, "ms/token");
  print("server_masks_once", masks, "ms");
  print("client", (quantise + encrypt + decrypt) / tokens, "ms/token");
  print("client_quantise", quantise / tokens, "ms/token");
  print("client_encrypt", encrypt / tokens, "ms/token");
  print("client_decrypt", decrypt / tokens, "ms/token");
  print("upload", double(request.bodies.size()) / tokens / 1e3, "kB/token");
  print("answer_fresh", double(fresh.size()) / tokens / 1e3, "kB/token");
  print("answer_cached", double(request.answer_bodies.size()) / tokens / 1e3, "kB/token");
  print("relative_error", 100 * request.relative_error(), "%");
  fflush(stdout);
}

}  // namespace

int main(int count, char** arguments) {
  sotto_context_options options = {};
  options.thread_count = 1;
  if (count > 1) strncpy(options.backend, arguments[1], sizeof options.backend - 1);
  sotto_context* context = nullptr;
  require(sotto_context_create(&options, &context));
  {
    const Layer layer(context);
    for (const auto* set : {&sotto::params::tokens_1024_q32, &sotto::params::tokens_2048_q32})
      for (const uint32_t tokens : {1024u, 64u, 16u, 1u}) measure(context, layer, *set, tokens);
  }
  sotto_context_destroy(context);
}
