#include "crypto/rgsw.hpp"

#include <string.h>

#include "core/bits.hpp"
#include "core/modular.hpp"
#include "crypto/encryption.hpp"
#include "crypto/sampling.hpp"

namespace sotto {
namespace {

constexpr uint32_t kLevels = kRgswGadget.level_count;

size_t body_bytes() { return packed_bytes(kDegree, Context::kModulusBits); }

uint64_t gadget_factor(uint32_t row) { return uint64_t(1) << (kRgswGadget.base_log * (kLevels - 1 - row % kLevels)); }

uint8_t* write_body(const uint64_t* b, uint8_t* out) {
  BitWriter writer(out, kDegree, Context::kModulusBits);
  for (uint32_t i = 0; i < kDegree; i++) writer.put(b[i]);
  return writer.finish();
}

/// out += m factor.
void add_scaled(const uint64_t* m, uint64_t factor, uint64_t* out) {
  for (uint32_t i = 0; i < kDegree; i++) out[i] = add_mod(out[i], multiply_mod(m[i], factor, kModulus), kModulus);
}

void write_residues(const int32_t* messages, uint64_t* m) {
  for (uint32_t i = 0; i < kDegree; i++) m[i] = residue(messages[i], kModulus);
}

/// minus_sm = -s m, all in coefficient order.
void multiply_by_secret(const Context& context, const sotto_secret_key& key, const uint64_t* m, uint64_t* minus_sm) {
  memcpy(minus_sm, m, kDegree * sizeof(uint64_t));
  context.ring.forward(minus_sm);
  context.ring.multiply(minus_sm, minus_sm, key.transformed.data());
  context.ring.inverse(minus_sm);
  for (uint32_t i = 0; i < kDegree; i++) minus_sm[i] = negate_mod(minus_sm[i], kModulus);
}

void prepare(const Context& context, const uint64_t* transformed, uint64_t* prepared) {
  memcpy(prepared, transformed, kCiphertextWords * sizeof(uint64_t));
  for (uint64_t* part : {prepared, prepared + kDegree}) context.ring.kernels().prepare_key(context.ring.tables(), part);
}

// Back ends take digits from the top of 50 bits, and these are 51 bits from bit 0. So x = low + 2^base_log high, low the signed digit of bit 0, and each is
// decomposed apart, shifted to where its gadget looks: the rest of the digits are those of high, and low is the only digit of a gadget one bit wider, in which
// +-B/2 lie far from q/2.
constexpr Gadget kHighGadget = {kRgswGadget.base_log, kLevels - 1};
constexpr Gadget kLowGadget = {kRgswGadget.base_log + 1, 1};
constexpr uint32_t kHighShift = Context::kModulusBits - kHighGadget.base_log * kHighGadget.level_count, kLowShift = Context::kModulusBits - kLowGadget.base_log;
static_assert(kHighShift < kRgswGadget.base_log && kLevels >= 2, "high 2^kHighShift stays below q/2");

void split(const uint64_t* x, uint64_t* high, uint64_t* low) {
  constexpr int64_t kHalf = int64_t(1) << (kRgswGadget.base_log - 1), kMask = 2 * kHalf - 1;
  for (uint32_t i = 0; i < kDegree; i++) {
    const int64_t centred = x[i] > kModulus / 2 ? int64_t(x[i] - kModulus) : int64_t(x[i]);
    const int64_t digit = ((centred + kHalf) & kMask) - kHalf;
    high[i] = residue((centred - digit) >> (kRgswGadget.base_log - kHighShift), kModulus);
    low[i] = residue(digit * (int64_t(1) << kLowShift), kModulus);
  }
}

/// sum (a, b), transformed, += the gadget product of x with kLevels rows.
void accumulate(const Context& context, const uint64_t* x, const uint64_t* rows, uint64_t* sum, uint64_t* scratch) {
  const Ring& ring = context.ring;
  uint64_t *high = scratch, *low = high + kDegree, *product = low + kDegree, *rest = product + kCiphertextWords;
  const auto add_product = [&](Gadget gadget, const uint64_t* digits, const uint64_t* key) {
    ring.kernels().gadget_product(ring.tables(), gadget, digits, key, product, product + kDegree, rest);
    ring.add(sum, sum, product);
    ring.add(sum + kDegree, sum + kDegree, product + kDegree);
  };
  split(x, high, low);
  add_product(kHighGadget, high, rows);
  add_product(kLowGadget, low, rows + (kLevels - 1) * kCiphertextWords);
}

}  // namespace

size_t rgsw_record_bytes(RgswRecord kind) { return kind == RgswRecord::seeded ? Context::kSeedBytes + kRgswRows * body_bytes() : 2 * kRgswRows * body_bytes(); }

bool encrypt_rgsw(const Context& context, const sotto_secret_key& key, const int32_t* messages, RandomSource& random, uint8_t* record) {
  Buffer<uint64_t> memory(4 * size_t(kDegree));
  if (!memory.ok() || !random.fill(record, Context::kSeedBytes)) return false;
  uint64_t *m = memory.data(), *minus_sm = m + kDegree, *a = minus_sm + kDegree, *b = a + kDegree;
  write_residues(messages, m);
  multiply_by_secret(context, key, m, minus_sm);
  bool good = true;
  for (uint32_t row = 0; good && row < kRgswRows; row++) {
    expand_mask(record, row, a);
    good = encrypt_zero(context, key, random, a, b);
    add_scaled(row < kLevels ? minus_sm : m, gadget_factor(row), b);
    write_body(b, record + Context::kSeedBytes + row * body_bytes());
  }
  memory.wipe_all();
  return good;
}

bool encrypt_rgsw_public(const Context& context, const uint8_t* public_key, const int32_t* messages, RandomSource& random, uint8_t* record) {
  Buffer<uint64_t> memory(3 * size_t(kDegree));
  if (!memory.ok()) return false;
  uint64_t *m = memory.data(), *a = m + kDegree, *b = a + kDegree;
  write_residues(messages, m);
  bool good = true;
  for (uint32_t row = 0; good && row < kRgswRows; row++) {
    good = encrypt_public(context, public_key, random, a);
    // m g added to the a of an encryption of zero makes its phase b - (a + m g) s = e - s m g, without s.
    add_scaled(m, gadget_factor(row), row < kLevels ? a : b);
    record = write_body(b, write_body(a, record));
  }
  memory.wipe_all();
  return good;
}

bool load_rgsw(Context& context, RgswRecord kind, const uint8_t* record, sotto_rgsw& rgsw) {
  return parallel_for(context.pool, kRgswRows, [&](uint64_t row, Workspace&) {
    uint64_t *a = rgsw.transformed.data() + row * kCiphertextWords, *b = a + kDegree;
    if (kind == RgswRecord::seeded) {
      expand_mask(record, row, a);
      read_packed(record + Context::kSeedBytes + row * body_bytes(), Context::kModulusBits, b);
    } else {
      read_packed(record + 2 * row * body_bytes(), Context::kModulusBits, a);
      read_packed(record + (2 * row + 1) * body_bytes(), Context::kModulusBits, b);
    }
    context.ring.forward(a);
    context.ring.forward(b);
    prepare(context, a, rgsw.prepared.data() + row * kCiphertextWords);
    return SOTTO_OK;
  }) == SOTTO_OK;
}

bool add_rgsw(Context& context, sotto_rgsw& sum, const sotto_rgsw& other) {
  sum.id.renew();
  return parallel_for(context.pool, kRgswRows, [&](uint64_t row, Workspace&) {
    uint64_t* a = sum.transformed.data() + row * kCiphertextWords;
    const uint64_t* more = other.transformed.data() + row * kCiphertextWords;
    context.ring.add(a, a, more);
    context.ring.add(a + kDegree, a + kDegree, more + kDegree);
    prepare(context, a, sum.prepared.data() + row * kCiphertextWords);
    return SOTTO_OK;
  }) == SOTTO_OK;
}

void external_product(const Context& context, const sotto_rgsw& rgsw, const uint64_t* ciphertext, uint64_t* result, uint64_t* scratch) {
  memset(result, 0, kCiphertextWords * sizeof(uint64_t));
  accumulate(context, ciphertext, rgsw.row(0), result, scratch);
  accumulate(context, ciphertext + kDegree, rgsw.row(kLevels), result, scratch);
  context.ring.inverse(result);
  context.ring.inverse(result + kDegree);
}

}  // namespace sotto
