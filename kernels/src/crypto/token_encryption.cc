#include "crypto/token_encryption.hpp"

#include <algorithm>
#include <new>

#include "core/bits.hpp"
#include "crypto/token_job.hpp"
#include "crypto/token_words.hpp"

namespace sotto {
namespace {

/// Polynomials of an item: many times what handing it out costs, few enough for all cores.
constexpr size_t kTile = 16;

/// Scratch of one transform: its polynomial, then token_lanes polynomials of words.
struct Scratch {
  static constexpr size_t kWords = kDegree + kDegree / 2;
  uint64_t* polynomial;
  uint32_t* words;

  explicit Scratch(Workspace& workspace) : polynomial(workspace.words(kWords)), words(reinterpret_cast<uint32_t*>(polynomial + kDegree)) {}
  ~Scratch() { wipe(polynomial, kWords * sizeof(uint64_t)); }  // b - u and phases are secrets
  bool ok() const { return polynomial != nullptr; }
};

class EncryptJob final : public Job {
 public:
  EncryptJob(const Context& context, const sotto_token_secret& secret, const uint8_t mask_seed[32], const int32_t* messages, size_t feature_count,
             const sotto_token_shape& shape, const uint8_t* seed, uint8_t* bodies)
      : context_(context), secret_(secret), messages_(messages), feature_count_(feature_count), shape_(shape), seeded_(seed != nullptr), bodies_(bodies) {
    memcpy(mask_seed_, mask_seed, sizeof mask_seed_);
    if (seeded_) memcpy(seed_, seed, sizeof seed_);
  }
  ~EncryptJob() override { wipe(seed_, sizeof seed_); }
  uint64_t item_count() const { return (feature_count_ + kTile - 1) / kTile; }

  int32_t run(uint64_t item, Workspace& workspace) override {
    const Scratch scratch(workspace);
    if (!scratch.ok()) return SOTTO_OUT_OF_MEMORY;
    if (!seeded_) {
      RandomSource random(nullptr);
      return run_tile(item * kTile, random, scratch);
    }
    RandomSource random(seed_, Nonce{item, 0x6e6f6973});
    return run_tile(item * kTile, random, scratch);
  }

 private:
  int32_t run_tile(size_t first, RandomSource& random, const Scratch& scratch) const {
    const uint32_t lanes = token_lanes(shape_.set);
    for (size_t feature = first; feature < std::min(first + kTile, feature_count_); feature += lanes) {
      const size_t count = std::min<size_t>(lanes, feature_count_ - feature);
      memset(scratch.words, 0, kDegree * sizeof(uint32_t));
      for (size_t lane = 0; lane < count; lane++) expand_token_mask(mask_seed_, shape_.first_mask + feature + lane, 0, shape_.set, scratch.words + lane * shape_.set);
      multiply_secret(context_, secret_, scratch.words, scratch.words, scratch.polynomial);
      for (size_t lane = 0; lane < count; lane++)
        if (!finish(feature + lane, random, scratch.words + lane * shape_.set)) return SOTTO_SYSTEM;
    }
    return SOTTO_OK;
  }

  /// Adds noise and messages to the used coefficients of a s, and packs them.
  bool finish(size_t feature, RandomSource& random, uint32_t* words) const {
    if (!add_token_noise(*secret_.set, random, words, shape_.token_count)) return false;
    const int32_t* messages = messages_ + feature * shape_.token_count;
    for (uint32_t t = 0; t < shape_.token_count; t++) words[t] += uint32_t(messages[t]);
    pack_words(words, shape_.token_count, shape_.body_bits, bodies_ + feature * packed_bytes(shape_.token_count, shape_.body_bits));
    return true;
  }

  const Context& context_;
  const sotto_token_secret& secret_;
  uint8_t mask_seed_[32], seed_[32];
  const int32_t* messages_;
  const size_t feature_count_;
  const sotto_token_shape shape_;
  const bool seeded_;
  uint8_t* bodies_;
};

class DecryptJob final : public Job {
 public:
  DecryptJob(const Context& context, const sotto_token_secret& secret, const uint8_t* masks, const uint8_t* bodies, size_t row_count, const sotto_token_shape& shape, int32_t* phases)
      : context_(context), secret_(secret), masks_(masks), bodies_(bodies), row_count_(row_count), shape_(shape), phases_(phases) {}
  uint64_t item_count() const { return (row_count_ + kTile - 1) / kTile; }

  int32_t run(uint64_t item, Workspace& workspace) override {
    const Scratch scratch(workspace);
    if (!scratch.ok()) return SOTTO_OUT_OF_MEMORY;
    const uint32_t lanes = token_lanes(shape_.set);
    const size_t first = item * kTile;
    for (size_t row = first; row < std::min(first + kTile, row_count_); row += lanes) {
      const size_t count = std::min<size_t>(lanes, row_count_ - row);
      memset(scratch.words, 0, kDegree * sizeof(uint32_t));
      for (size_t lane = 0; lane < count; lane++) read_mask(row + lane, scratch.words + lane * shape_.set);
      multiply_secret(context_, secret_, scratch.words, scratch.words, scratch.polynomial);
      for (size_t lane = 0; lane < count; lane++) write_phases(row + lane, scratch.words + lane * shape_.set);
    }
    return SOTTO_OK;
  }

 private:
  void read_mask(size_t row, uint32_t* words) const {
    unpack_words(masks_ + row * packed_bytes(shape_.set, shape_.mask_bits), shape_.set, shape_.mask_bits, words);
  }

  /// b' - a' s, centred.
  void write_phases(size_t row, const uint32_t* products) const {
    uint32_t words[kDegree];
    unpack_words(bodies_ + row * packed_bytes(shape_.token_count, shape_.answer_bits), shape_.token_count, shape_.answer_bits, words);
    int32_t* phases = phases_ + row * shape_.token_count;
    for (uint32_t t = 0; t < shape_.token_count; t++) phases[t] = int32_t(words[t] - products[t]);
  }

  const Context& context_;
  const sotto_token_secret& secret_;
  const uint8_t *masks_, *bodies_;
  const size_t row_count_;
  const sotto_token_shape shape_;
  int32_t* phases_;
};

}  // namespace

int32_t submit_token_encryption(Context& context, const sotto_token_secret& secret, const uint8_t mask_seed[32], const int32_t* messages, size_t feature_count,
                                const sotto_token_shape& shape, const uint8_t* seed, uint8_t* bodies, Job** job) {
  return submit_token_job(context, new (std::nothrow) EncryptJob(context, secret, mask_seed, messages, feature_count, shape, seed, bodies), shape.thread_count, job);
}

int32_t submit_token_decryption(Context& context, const sotto_token_secret& secret, const uint8_t* masks, const uint8_t* bodies, size_t row_count,
                                const sotto_token_shape& shape, int32_t* phases, Job** job) {
  return submit_token_job(context, new (std::nothrow) DecryptJob(context, secret, masks, bodies, row_count, shape, phases), shape.thread_count, job);
}

}  // namespace sotto
