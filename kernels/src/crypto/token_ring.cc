#include "crypto/token_ring.hpp"

#include "core/modular.hpp"
#include "crypto/sampling.hpp"
#include "crypto/token_words.hpp"

bool sotto_token_secret::generate(const sotto::Context& context, const sotto::params::Tokens& chosen, sotto::RandomSource& random) {
  using namespace sotto;
  set = &chosen;
  Buffer<uint8_t> coefficients;  // 0, 1, 2 (= -1)
  if (!transformed.allocate(kDegree) || !coefficients.allocate(chosen.ring_degree)) return false;
  const bool sampled = sample_ternary(random, coefficients.data(), chosen.ring_degree);
  memset(transformed.data(), 0, kDegree * sizeof(uint64_t));
  for (uint32_t i = 0; sampled && i < chosen.ring_degree; i++) {
    const int64_t value = int64_t(coefficients[i] & 1) - int64_t(coefficients[i] >> 1);
    transformed[i * token_lanes(chosen.ring_degree)] = residue(value, kModulus);
  }
  context.ring.forward(transformed.data());
  coefficients.wipe_all();
  return sampled;
}

namespace sotto {

const params::Tokens* token_set(uint32_t degree) {
  for (const params::Tokens* set : {&params::tokens_1024_q32, &params::tokens_2048_q32})
    if (set->ring_degree == degree) return set;
  return nullptr;
}

void expand_token_mask(const uint8_t seed[32], uint64_t index, uint32_t first, uint32_t count, uint32_t* words) {
  ChaCha20(seed, Nonce{index, kTokenMaskDomain}, first / kMaskBlockWords).blocks(reinterpret_cast<uint8_t*>(words), count / kMaskBlockWords);
}

void multiply_secret(const Context& context, const sotto_token_secret& secret, const uint32_t* masks, uint32_t* products, uint64_t* scratch) {
  const uint32_t lanes = token_lanes(secret.set->ring_degree);
  interleave_words(masks, lanes, scratch);
  context.ring.forward(scratch);
  context.ring.multiply(scratch, scratch, secret.transformed.data());
  context.ring.inverse(scratch);
  separate_words(scratch, lanes, products);
}

namespace {

/// One random sample a word, of which bound_log + 2 bits count.
template <class Sample>
bool add_noise_of(uint32_t bound_log, RandomSource& random, uint32_t* words, uint32_t count) {
  Sample samples[kDegree];
  if (!random.fill(samples, count * sizeof(Sample))) return false;
  const uint32_t mask = (4u << bound_log) - 1, bound = 1u << bound_log;
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t sample = samples[i] & mask;
    words[i] += (sample >> 1) + (sample & 1) - bound;
  }
  wipe(samples, sizeof samples);
  return true;
}

}  // namespace

bool add_token_noise(const params::Tokens& set, RandomSource& random, uint32_t* words, uint32_t count) {
  const bool one_byte = set.noise_bound_log + 2 <= 8;
  return one_byte ? add_noise_of<uint8_t>(set.noise_bound_log, random, words, count) : add_noise_of<uint16_t>(set.noise_bound_log, random, words, count);
}

}  // namespace sotto
