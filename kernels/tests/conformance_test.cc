// Every operation on every back end, byte for byte against the reference; and the reference against the definitions.
#include "core/modular.hpp"
#include "crypto/leaf_matrix.hpp"
#include "harness.hpp"
#include "poly/ring.hpp"
#include "support.hpp"

using namespace support;
using sotto::add_mod;
using sotto::multiply_mod;

namespace {

/// Runs `operation` on every machine and compares its bytes with the reference's.
template <class Operation>
void same_on_all(const char* what, Operation operation) {
  const auto expected = operation(reference());
  for (Machine* machine : every_machine())
    if (operation(*machine) != expected) harness::report_failure(__FILE__, __LINE__, std::string(what) + " differs on " + machine->name);
}

Words expanded(Machine& machine, const Bytes& records, uint32_t bits) {
  const size_t count = records.size() / seeded_bytes(bits);
  Words ciphertexts(count * 2 * N);
  CHECK(sotto_expand(machine.context, records.data(), records.size(), bits, ciphertexts.data(), count) == SOTTO_OK);
  return ciphertexts;
}

}  // namespace

TEST("the remainder by doubles equals the remainder by 128-bit integers") {
  Random random{11};
  for (int i = 0; i < 2000000; i++) {
    const uint64_t x = i % 5 ? random.below(q) : q - 1 - random.below(3), y = i % 7 ? random.below(q) : q - 1 - random.below(3);
    __extension__ using uint128 = unsigned __int128;
    CHECK(multiply_mod(x, y, q) == uint64_t(uint128(x) * y % q));
  }
}

TEST("the reference transform evaluates at the odd powers of psi, bit-reversed") {
  Words x = random_polynomials(1, 5);
  Words transformed = x;
  CHECK(sotto_ntt(reference().context, 0, transformed.data(), 1) == SOTTO_OK);
  for (uint32_t i : {0u, 1u, 2u, 1000u, N - 1}) {
    const uint64_t point = sotto::power_mod(sotto::params::ring_2048_q50.root_of_unity, 2 * sotto::bit_reverse(i, 11) + 1, q);
    uint64_t value = 0;
    for (uint32_t j = N; j-- > 0;) value = add_mod(multiply_mod(value, point, q), x[j], q);
    CHECK(value == transformed[i]);
  }
  CHECK(sotto_ntt(reference().context, 1, transformed.data(), 1) == SOTTO_OK);
  CHECK(transformed == x);
}

TEST("transforms are the same on every back end") {
  for (uint32_t direction : {0u, 1u})
    same_on_all("ntt", [&](Machine& machine) {
      Words x = random_polynomials(9, 21);
      for (uint32_t i = 0; i < N; i++) x[i] = q - 1, x[N + i] = 0, x[2 * N + i] = i % 2 ? q - 1 : 0, x[3 * N + i] = q / 2 + i % 2;
      CHECK(sotto_ntt(machine.context, direction, x.data(), 9) == SOTTO_OK);
      return x;
    });
}

TEST("the tables of hot loops are the same on every back end") {
  for (sotto::Gadget gadget : {sotto::Gadget{12, 4}, sotto::Gadget{8, 6}, sotto::Gadget{23, 1}, sotto::Gadget{16, 2}, sotto::Gadget{12, 3}})
    same_on_all("gadget product or merge", [&](Machine& machine) {
      const sotto::Ring& ring = machine.context->ring;
      const size_t rows = 2 * gadget.level_count;
      sotto::Buffer<uint64_t> x(N), key(rows * N), out(4 * N), scratch((gadget.level_count + 1) * N);
      const Words data = random_polynomials(1 + rows, 31 + gadget.level_count);
      memcpy(x.data(), data.data(), N * 8);
      memcpy(key.data(), data.data() + N, rows * N * 8);
      for (size_t i = 0; i < rows; i++) ring.kernels().prepare_key(ring.tables(), key.data() + i * N);
      ring.kernels().gadget_product(ring.tables(), gadget, x.data(), key.data(), out.data(), out.data() + N, scratch.data());
      sotto::Buffer<uint64_t> left(N), right(N);
      memcpy(left.data(), data.data() + N, N * 8);
      memcpy(right.data(), data.data() + 2 * N, N * 8);
      ring.kernels().merge(ring.tables(), left.data(), right.data(), ring.monomial(3), ring.permutation(3), out.data() + 2 * N, out.data() + 3 * N);
      Words result(out.data(), out.data() + 4 * N);
      ring.multiply(left.data(), left.data(), right.data());
      ring.multiply_add(left.data(), right.data(), x.data());
      ring.subtract(left.data(), left.data(), x.data());
      ring.add(left.data(), left.data(), right.data());
      result.insert(result.end(), left.data(), left.data() + N);
      return result;
    });
}

TEST("keys, encryption and decryption are the same on every back end") {
  std::vector<int32_t> messages(3 * 100);
  Random random{41};
  for (auto& message : messages) message = int32_t(random.next());
  same_on_all("evaluation keys", [](Machine& machine) { return machine.key_payload; });
  for (uint32_t bits : {50u, 40u}) same_on_all("encrypt", [&](Machine& machine) { return encrypt(machine, messages, 100, 12345, bits, 3); });
  same_on_all("public key", [&](Machine& machine) {
    Bytes record(seeded_bytes(50));
    const Bytes seed = seed_of(9);
    CHECK(sotto_public_key_generate(machine.context, machine.secret, seed.data(), record.data(), record.size()) == SOTTO_OK);
    sotto_encrypt_shape shape = {};
    shape.ciphertext_count = 3, shape.scale = 1 << 20, shape.stride = 100, shape.bits = 50;
    Words out(3 * 2 * N), phases(3 * N);
    CHECK(sotto_encrypt_public(machine.context, record.data(), record.size(), messages.data(), &shape, seed.data(), out.data()) == SOTTO_OK);
    CHECK(sotto_phase(machine.context, machine.secret, out.data(), 3, phases.data()) == SOTTO_OK);
    out.insert(out.end(), phases.begin(), phases.end());
    return out;
  });
}

TEST("automorphism, pack, product, extract and compress are the same on every back end") {
  same_on_all("automorphism", [](Machine& machine) {
    Words in = random_polynomials(4, 51), out(4 * N);
    for (uint32_t level = 1; level <= 11; level++) {
      CHECK(sotto_automorphism(machine.context, machine.keys, level, in.data(), 2, out.data()) == SOTTO_OK);
      in = out;
    }
    return out;
  });
  for (uint32_t useful_log : {0u, 4u, 8u})
    same_on_all("pack", [&](Machine& machine) {
      const Words in = random_polynomials(2 * 5, 52);
      Words out(2 * N);
      CHECK(sotto_pack(machine.context, machine.keys, useful_log, in.data(), 5, out.data()) == SOTTO_OK);
      return out;
    });
  std::vector<int32_t> matrix(50 * 60);
  Random random{53};
  for (auto& weight : matrix) weight = int32_t(random.next());
  same_on_all("clear_matrix_product", [&](Machine& machine) {
    const Words in = random_polynomials(2, 54);
    Words out(2 * 2 * N);
    CHECK(sotto_clear_matrix_product(machine.context, matrix.data(), 50, 60, in.data(), out.data()) == SOTTO_OK);
    return out;
  });
  same_on_all("extract and compress", [](Machine& machine) {
    const Words in = random_polynomials(2, 55);
    const uint32_t positions[3] = {0, 1023, N - 1};
    Words lwe(3 * (N + 1));
    CHECK(sotto_extract(machine.context, in.data(), positions, 3, lwe.data()) == SOTTO_OK);
    Bytes record(N * 26 / 8 + 10);
    CHECK(sotto_compress(machine.context, in.data(), 26, positions, 3, record.data(), record.size()) == SOTTO_OK);
    lwe.insert(lwe.end(), record.begin(), record.end());
    return lwe;
  });
}

TEST("pack puts input i's useful coefficients i steps further and keeps their messages") {
  Machine& machine = *machines().back();
  constexpr uint32_t kUseful = 16, kBlock = N / kUseful, kCount = 5;  // 3 merge levels
  std::vector<int32_t> messages(kCount * N);
  Random random{61};
  for (auto& message : messages) message = int32_t(random.below(65537));
  const uint64_t delta = q / 65537;
  Words in = expanded(machine, encrypt(machine, messages, N, delta, 50, 4), 50), out(2 * N), phases(N);
  CHECK(sotto_pack(machine.context, machine.keys, 4, in.data(), kCount, out.data()) == SOTTO_OK);
  CHECK(sotto_phase(machine.context, machine.secret, out.data(), 1, phases.data()) == SOTTO_OK);
  for (uint32_t i = 0; i < kCount; i++)
    for (uint32_t j = 0; j < kUseful; j++) {
      const uint64_t phase = phases[j * kBlock + i * (kBlock / 8)];
      CHECK((phase + delta / 2) / delta % 65537 == uint64_t(messages[i * N + j * kBlock]));
    }
}

TEST("the phase of an extracted lwe is the coefficient of the phase") {
  Machine& machine = *machines().back();
  const Words in = random_polynomials(2, 71);
  const uint32_t positions[2] = {17, N - 1};
  Words lwe(2 * (N + 1)), phases(N);
  Bytes secret(N);
  CHECK(sotto_extract(machine.context, in.data(), positions, 2, lwe.data()) == SOTTO_OK);
  CHECK(sotto_phase(machine.context, machine.secret, in.data(), 1, phases.data()) == SOTTO_OK);
  CHECK(sotto_secret_key_export(machine.context, machine.secret, secret.data(), N) == SOTTO_OK);
  for (uint32_t i = 0; i < 2; i++) {
    uint64_t phase = lwe[i * (N + 1) + N];
    for (uint32_t j = 0; j < N; j++) {
      const uint64_t a = lwe[i * (N + 1) + j];
      phase = add_mod(phase, secret[j] == 1 ? sotto::negate_mod(a, q) : secret[j] == 2 ? a : 0, q);
    }
    CHECK(phase == phases[positions[i]]);
  }
}
