// Training keys: the conjugation and the automorphisms, and the exact helpers on ciphertexts.
#include "training_support.hpp"

using namespace support;

namespace {

Words automorphism(Machine& machine, const TrainingKeys& keys, uint32_t index, const Words& in) {
  Words out(in.size());
  CHECK(sotto_training_automorphism(machine.context, keys.get(), index, in.data(), in.size() / (2 * N), out.data()) == SOTTO_OK);
  return out;
}

/// x(X^exponent) mod q.
Words image(const uint64_t* x, uint32_t exponent) {
  Words out(N);
  for (uint32_t i = 0; i < N; i++) {
    const uint32_t at = uint32_t(uint64_t(exponent) * i % (2 * N));
    out[at % N] = at < N ? x[i] : (q - x[i]) % q;
  }
  return out;
}

uint32_t exponent_of(uint32_t index) { return index ? (1u << index) + 1 : 2 * N - 1; }

}  // namespace

TEST("training keys and their automorphisms are the same on every back end, and known answers") {
  const Words in = random_polynomials(2 * 2, 20);
  for (Machine* machine : every_machine()) {
    const Bytes payload = training_payload(*machine);
    CHECK(payload.size() == 921632);
    check_answer("training keys, seed 41", fingerprint(payload.data(), payload.size()), 0x95f4760ccf64f701u);
    const TrainingKeys keys = load_training_keys(*machine, payload);
    CHECK(sotto_training_keys_bytes(keys.get()) == (machine->context->device ? 2 : 1) * 2359296u);  // devices copy from canonical ones
    Words found = automorphism(*machine, keys, 0, in);
    for (uint32_t index : {1u, 11u}) {
      const Words more = automorphism(*machine, keys, index, in);
      found.insert(found.end(), more.begin(), more.end());
    }
    check_answer("the conjugation and two automorphisms", fingerprint_of(found), 0x11239dd2ecfd8d1fu);
  }
}

TEST("every automorphism of training keys maps the message and its noise follows the formula") {
  Machine& machine = *machines().back();
  const Words in = random_polynomials(2, 21), before = phases_of(machine, in);
  for (uint32_t index = 0; index <= 11; index++) {
    const Words after = phases_of(machine, automorphism(machine, training_keys(), index, in)), wanted = image(before.data(), exponent_of(index));
    std::vector<double> errors;
    for (uint32_t j = 0; j < N; j++) errors.push_back(double(centred((after[j] + q - wanted[j]) % q)));
    check_variance("training automorphism " + std::to_string(index), errors, Moment::raw, training_switch_variance(), 50);
  }
}

TEST("the conjugation reverses a polynomial, and twice gives it back") {
  Machine& machine = *machines().back();
  const Integers messages = random_integers(N, 1000, 22);
  std::vector<int64_t> reversed(N);
  reversed[0] = messages[0];
  for (uint32_t i = 1; i < N; i++) reversed[N - i] = -messages[i];
  const Words once = automorphism(machine, training_keys(), 0, ciphertexts_of(machine, messages, 1 << 25, 55)), twice = automorphism(machine, training_keys(), 0, once);
  CHECK(rounded_phases(machine, once, 1 << 25) == reversed);
  CHECK(rounded_phases(machine, twice, 1 << 25) == std::vector<int64_t>(messages.begin(), messages.end()));
}

TEST("monomials, sums, integer multiples and switches of ciphertexts are exact and the same on every back end") {
  const Words left = random_polynomials(2 * 2, 23), right = random_polynomials(2 * 2, 24);
  for (Machine* machine : machines()) {
    Words turned = left, sum = left, scaled = left;
    CHECK(sotto_multiply_monomial(machine->context, turned.data(), 2, 2 * N - 3, turned.data()) == SOTTO_OK);
    CHECK(sotto_ciphertext_add(machine->context, sum.data(), right.data(), sum.size(), sum.data()) == SOTTO_OK);
    CHECK(sotto_scale_ciphertexts(machine->context, scaled.data(), scaled.size(), -12345, scaled.data()) == SOTTO_OK);
    for (uint32_t i = 0; i < left.size(); i++) {
      const uint32_t j = i % N, first = i - j;
      CHECK(turned[first + (j + N - 3) % N] == (j < 3 ? (q - left[i]) % q : left[i]));
      CHECK(sum[i] == (left[i] + right[i]) % q);
      __extension__ using uint128 = unsigned __int128;
      CHECK(scaled[i] == (q - uint64_t(uint128(left[i]) * 12345 % q)) % q);
    }
    const uint32_t positions[2] = {5, N - 1};
    Words lwe(2 * (N + 1));
    std::vector<uint32_t> switched(2 * (N + 1)), wanted(2 * (N + 1));
    CHECK(sotto_extract(machine->context, left.data(), positions, 2, lwe.data()) == SOTTO_OK);
    CHECK(sotto_switch_to_u32(machine->context, lwe.data(), 2, switched.data()) == SOTTO_OK);
    CHECK(sotto_extract_u32(machine->context, left.data(), positions, 2, wanted.data()) == SOTTO_OK);
    CHECK(switched == wanted);
  }
}

TEST("what training keys and the helpers cannot do is refused by name and nothing is written") {
  Machine& machine = *machines().back();
  const auto refused = [](int32_t status, const char* text) { return status == SOTTO_INVALID_ARGUMENT && last_error() == text; };
  const Words in(2 * N, 1), bad(2 * N, q);
  Words out(2 * N, 7);
  CHECK(refused(sotto_training_automorphism(machine.context, training_keys().get(), 12, in.data(), 1, out.data()), "index 12 is not below 12"));
  CHECK(refused(sotto_training_automorphism(machine.context, training_keys().get(), 0, bad.data(), 1, out.data()), "a word of the ciphertexts is not below the modulus"));
  CHECK(refused(sotto_multiply_monomial(machine.context, in.data(), 1, 2 * N, out.data()), "exponent 4096 is not below 4096"));
  CHECK(refused(sotto_multiply_monomial(machine.context, bad.data(), 1, 0, out.data()), "a word of the ciphertexts is not below the modulus"));
  CHECK(refused(sotto_ciphertext_add(machine.context, in.data(), bad.data(), 2 * N, out.data()), "a word of right is not below the modulus"));
  CHECK(refused(sotto_ciphertext_add(machine.context, bad.data(), in.data(), 2 * N, out.data()), "a word of left is not below the modulus"));
  CHECK(refused(sotto_scale_ciphertexts(machine.context, in.data(), 2 * N, int64_t(q), out.data()), "factor 1125899906826241 is not between -q and q"));
  CHECK(refused(sotto_scale_ciphertexts(machine.context, in.data(), 2 * N, INT64_MIN, out.data()), "factor -9223372036854775808 is not between -q and q"));
  const Words bad_lwe(N + 1, q);
  std::vector<uint32_t> switched(N + 1, 7);
  CHECK(refused(sotto_switch_to_u32(machine.context, bad_lwe.data(), 1, switched.data()), "a word of the lwe is not below the modulus"));
  CHECK(out == Words(2 * N, 7) && switched == std::vector<uint32_t>(N + 1, 7));
  Bytes payload(sotto_training_keys_payload_bytes() - 1);
  sotto_training_keys* keys = nullptr;
  CHECK(sotto_training_keys_load(machine.context, payload.data(), payload.size(), &keys) == SOTTO_MALFORMED && !keys);
  CHECK(last_error() == "training keys has 921631 bytes, 921632 are needed");
  CHECK(sotto_training_keys_generate(machine.context, machine.secret, nullptr, payload.data(), payload.size()) == SOTTO_MALFORMED);
  CHECK(sotto_training_keys_load(machine.context, nullptr, 0, &keys) == SOTTO_INVALID_ARGUMENT && sotto_training_keys_bytes(nullptr) == 0);
}
