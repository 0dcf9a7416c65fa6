// Rgsw of polynomials and external products: exact on every back end, right when decrypted, as noisy as the formula.
#include <math.h>

#include "core/bits.hpp"
#include "training_support.hpp"

using namespace support;

namespace {

constexpr uint32_t kLevels = sotto::kRgswGadget.level_count;

Integers one_at(uint32_t position, int32_t value) {
  Integers messages(N, 0);
  messages[position] = value;
  return messages;
}

/// An rgsw of X^position without noise or masks, so that its products are exact.
Bytes clear_record(uint32_t position) {
  Bytes record;
  for (uint32_t row = 0; row < sotto::kRgswRows; row++)
    for (uint32_t part = 0; part < 2; part++) {
      Bytes body(sotto::packed_bytes(N, 50));
      sotto::BitWriter writer(body.data(), N, 50);
      const bool filled = part == uint32_t(row >= kLevels);
      for (uint32_t i = 0; i < N; i++) writer.put(filled && i == position ? uint64_t(1) << (17 * (kLevels - 1 - row % kLevels)) : 0);
      writer.finish();
      record.insert(record.end(), body.begin(), body.end());
    }
  return record;
}

/// Edges of every digit, mod q.
Words digit_edges() {
  Words words(2 * N);
  for (uint32_t i = 0; i < 2 * N; i++) {
    const uint64_t edge = ((uint64_t(1) << (i % 50)) + q + (i / 50) % 3 - 1) % q;
    words[i] = (i / 150) % 2 ? (q - edge) % q : edge;
  }
  words[0] = q / 2, words[1] = q / 2 + 1, words[2] = q - 1, words[3] = 0;
  return words;
}

/// Errors of the products of random ciphertexts with the polynomial, which have no noise of their own.
std::vector<double> product_errors(Machine& machine, const Rgsw& rgsw, const Integers& messages) {
  const Words in = random_polynomials(2 * 2, 50), before = phases_of(machine, in), after = phases_of(machine, external_product(machine, rgsw, in));
  std::vector<double> errors;
  for (uint32_t i = 0; i < 2; i++) {
    const Words wanted = negacyclic_mod_q(machine, messages, before.data() + i * N);
    for (uint32_t j = 0; j < N; j++) errors.push_back(double(centred((after[i * N + j] + q - wanted[j]) % q)));
  }
  return errors;
}

/// 2 N (B^2 / 12) V_key a level; the top digit is two bits shorter than the gadget (50 bits of 51, and signed), and nothing is rounded away.
double product_variance(double row_variance) { return 2 * (kLevels - 1 + 0.25) * N * (square(1 << 17) / 12) * row_variance; }

}  // namespace

TEST("records of rgsw, their sums and their products are the same on every back end, and known answers") {
  const Integers left = random_integers(N, 1 << 15, 1), right = random_integers(N, 1 << 15, 2);
  const Words in = random_polynomials(2 * 2, 3);
  for (Machine* machine : every_machine()) {
    const Bytes seeded = rgsw_record(*machine, kSeeded, left, 43), expanded = rgsw_record(*machine, kExpanded, right, 44);
    CHECK(seeded.size() == 76832 && expanded.size() == 153600);
    check_answer("seeded record, seed 43", fingerprint(seeded.data(), seeded.size()), 0x5fff81b2592260ebu);
    check_answer("record of the public key, seed 44", fingerprint(expanded.data(), expanded.size()), 0x1a6fb29840c53972u);
    const Rgsw sum = load_rgsw(*machine, kSeeded, seeded), other = load_rgsw(*machine, kExpanded, expanded);
    check_answer("product", fingerprint_of(external_product(*machine, sum, in)), 0x1528dc1b1d368265u);
    CHECK(sotto_rgsw_add(machine->context, sum.get(), other.get()) == SOTTO_OK);
    check_answer("product with the sum", fingerprint_of(external_product(*machine, sum, in)), 0x2ada34822aed1669u);
  }
}

TEST("products without noise are exact at every edge of a digit, on every back end") {
  Words in = digit_edges();
  const Words more = random_polynomials(2, 4);
  in.insert(in.end(), more.begin(), more.end());
  Words turned(in.size());
  for (Machine* machine : every_machine()) {
    CHECK(external_product(*machine, load_rgsw(*machine, kExpanded, clear_record(0)), in) == in);
    CHECK(sotto_multiply_monomial(machine->context, in.data(), 2, 1234, turned.data()) == SOTTO_OK);
    CHECK(external_product(*machine, load_rgsw(*machine, kExpanded, clear_record(1234)), in) == turned);
  }
}

TEST("an external product decrypts to the negacyclic product, with rgsw of the secret and of the public key") {
  Machine& machine = *machines().back();
  const Integers weights = random_integers(2 * N, 4, 5), first(weights.begin(), weights.begin() + N), second(weights.begin() + N, weights.end());
  Integers sparse(N, 0);
  for (uint32_t i = 0; i < 24; i++) sparse[i * 83] = i % 2 ? 40 : -37;
  for (uint32_t kind : {kSeeded, kExpanded}) {
    const Words product = external_product(machine, load_rgsw(machine, kind, rgsw_record(machine, kind, sparse, 45)), ciphertexts_of(machine, weights, uint64_t(1) << 35, 46));
    std::vector<int64_t> wanted = negacyclic(sparse, first);
    const std::vector<int64_t> rest = negacyclic(sparse, second);
    wanted.insert(wanted.end(), rest.begin(), rest.end());
    CHECK(rounded_phases(machine, product, uint64_t(1) << 35) == wanted);
  }
}

TEST("the largest messages multiply as they should") {
  Machine& machine = *machines().back();
  const Integers weights = random_integers(N, 8, 6);
  for (int32_t extreme : {1 << 15, -(1 << 15)}) {
    const Rgsw rgsw = load_rgsw(machine, kSeeded, rgsw_record(machine, kSeeded, one_at(N - 1, extreme), 47));
    CHECK(rounded_phases(machine, external_product(machine, rgsw, ciphertexts_of(machine, weights, 1 << 30, 48)), 1 << 30) == negacyclic(one_at(N - 1, extreme), weights));
  }
}

TEST("the sum of two owners' rgsw multiplies by the sum of their polynomials") {
  Machine& machine = *machines().back();
  Integers even = random_integers(N, 20, 7), odd = random_integers(N, 20, 8), both(N);
  for (uint32_t i = 0; i < N; i++) {
    if (i % 64 != 0) even[i] = 0;
    if (i % 64 != 1) odd[i] = 0;
    both[i] = even[i] + odd[i];
  }
  const Integers weights = random_integers(N, 4, 9);
  const Rgsw sum = load_rgsw(machine, kSeeded, rgsw_record(machine, kSeeded, even, 49)), other = load_rgsw(machine, kExpanded, rgsw_record(machine, kExpanded, odd, 50));
  CHECK(sotto_rgsw_add(machine.context, sum.get(), other.get()) == SOTTO_OK);
  const uint64_t scale = uint64_t(1) << 35;
  CHECK(rounded_phases(machine, external_product(machine, sum, ciphertexts_of(machine, weights, scale, 51)), scale) == negacyclic(both, weights));
}

TEST("external products follow their noise formula, and sums of rgsw add their noise") {
  Machine& machine = *machines().back();
  const Integers messages = random_integers(N, 1 << 15, 10);
  Integers twice = messages;
  for (int32_t& message : twice) message *= 2;
  const Rgsw secret = load_rgsw(machine, kSeeded, rgsw_record(machine, kSeeded, messages, 52)), other = load_rgsw(machine, kSeeded, rgsw_record(machine, kSeeded, messages, 53));
  check_variance("external product", product_errors(machine, secret, messages), Moment::raw, product_variance(kKeyVariance), 50);
  CHECK(sotto_rgsw_add(machine.context, secret.get(), other.get()) == SOTTO_OK);
  check_variance("external product with a sum", product_errors(machine, secret, twice), Moment::raw, product_variance(2 * kKeyVariance), 50);
  const Rgsw public_key = load_rgsw(machine, kExpanded, rgsw_record(machine, kExpanded, messages, 54));
  check_variance("external product, public key", product_errors(machine, public_key, messages), Moment::raw, product_variance(kPublicVariance), 50);
}

TEST("any bytes load as an rgsw with canonical products, and its memory is told") {
  Machine& machine = *machines().back();
  for (uint32_t kind : {kSeeded, kExpanded}) {
    const Rgsw rgsw = load_rgsw(machine, kind, Bytes(sotto_rgsw_record_bytes(kind), 0xff));
    for (uint64_t word : external_product(machine, rgsw, random_polynomials(2, 11))) CHECK(word < q);
    CHECK(sotto_rgsw_bytes(rgsw.get()) == 393216);
  }
  CHECK(sotto_rgsw_bytes(nullptr) == 0);
}

TEST("what is no rgsw is refused by name and nothing is written") {
  Machine& machine = *machines().back();
  CHECK(sotto_rgsw_record_bytes(2) == 0);
  Bytes record(sotto_rgsw_record_bytes(kSeeded), 7);
  const Bytes untouched = record, public_key(seeded_bytes(50));
  for (int32_t outside : {(1 << 15) + 1, -(1 << 15) - 1, INT32_MIN, INT32_MAX}) {
    CHECK(sotto_rgsw_encrypt(machine.context, machine.secret, one_at(5, outside).data(), nullptr, record.data(), record.size()) == SOTTO_INVALID_ARGUMENT);
    CHECK(last_error() == "a message is not in [-32768, 32768]");
  }
  const Integers messages(N, 0);
  CHECK(sotto_rgsw_encrypt(machine.context, machine.secret, messages.data(), nullptr, record.data(), record.size() - 1) == SOTTO_MALFORMED);
  CHECK(last_error() == "the rgsw record has 76831 bytes, 76832 are needed");
  CHECK(sotto_rgsw_encrypt_public(machine.context, public_key.data(), 5, messages.data(), nullptr, record.data(), record.size()) == SOTTO_MALFORMED);
  CHECK(last_error() == "the public key has 5 bytes, 12832 are needed");
  CHECK(sotto_rgsw_encrypt_public(machine.context, public_key.data(), public_key.size(), messages.data(), nullptr, record.data(), record.size()) == SOTTO_MALFORMED);
  CHECK(record == untouched);
  sotto_rgsw* rgsw = nullptr;
  CHECK(sotto_rgsw_load(machine.context, 2, record.data(), record.size(), &rgsw) == SOTTO_INVALID_ARGUMENT && last_error().find("kind 2") == 0);
  CHECK(sotto_rgsw_load(machine.context, kExpanded, record.data(), record.size(), &rgsw) == SOTTO_MALFORMED && !rgsw);
  CHECK(sotto_rgsw_add(machine.context, nullptr, nullptr) == SOTTO_INVALID_ARGUMENT);
  const Rgsw good = load_rgsw(machine, kSeeded, record);
  const Words bad(2 * N, q);
  Words out(2 * N, 7);
  CHECK(sotto_external_product(machine.context, good.get(), bad.data(), 1, out.data()) == SOTTO_INVALID_ARGUMENT && out == Words(2 * N, 7));
  CHECK(last_error() == "a word of the ciphertexts is not below the modulus");
}
