// Known answers: a fingerprint (64-bit FNV-1a) of every stage from fixed seeds. They may only change together with the version of the file format.
#include "crypto/sampling.hpp"
#include "harness.hpp"
#include "support.hpp"

using namespace support;

namespace {

void check_vector(const char* stage, const void* data, size_t size, uint64_t expected) {
  const uint64_t actual = fingerprint(data, size);
  if (actual != expected) {
    char text[128];
    snprintf(text, sizeof text, "%s: 0x%016llx, expected 0x%016llx", stage, (unsigned long long)actual, (unsigned long long)expected);
    harness::report_failure(__FILE__, __LINE__, text);
  }
}

}  // namespace

TEST("known answers: mask, secret key, evaluation keys, encryption, transform, pack, answer") {
  for (Machine* machine : machines()) {
    Words mask(N);
    sotto::expand_mask(seed_of(5).data(), 7, mask.data());
    check_vector("mask of seed 5, index 7", mask.data(), N * 8, 0x65d1f02490033785u);
    Bytes secret(N);
    CHECK(sotto_secret_key_export(machine->context, machine->secret, secret.data(), N) == SOTTO_OK);
    check_vector("secret key of seed 1", secret.data(), N, 0x87f170d40b5043d9u);
    check_vector("evaluation keys of seed 2", machine->key_payload.data(), machine->key_payload.size(), 0xd953d00c5efb97cbu);
    std::vector<int32_t> messages(5 * N);
    for (uint32_t i = 0; i < 5 * N; i++) messages[i] = int32_t(i % 2);
    const Bytes records = encrypt(*machine, messages, N, q / 65537, 40, 6);
    check_vector("five encryptions of 0, 1, 0, 1, ... at 40 bits, seed 6", records.data(), records.size(), 0x139be4dd0c966f8eu);
    Words ciphertexts(5 * 2 * N), packed(2 * N);
    CHECK(sotto_expand(machine->context, records.data(), records.size(), 40, ciphertexts.data(), 5) == SOTTO_OK);
    Words transformed(ciphertexts.begin(), ciphertexts.begin() + N);
    CHECK(sotto_ntt(machine->context, 0, transformed.data(), 1) == SOTTO_OK);
    check_vector("transform of the first mask", transformed.data(), N * 8, 0x172bf32f50a8b1b7u);
    CHECK(sotto_pack(machine->context, machine->keys, 3, ciphertexts.data(), 5, packed.data()) == SOTTO_OK);
    check_vector("the five packed, eight useful coefficients each", packed.data(), 2 * N * 8, 0x49703866b01632e6u);
    const uint32_t positions[2] = {0, 256};
    Bytes answer(N * 26 / 8 + 7);
    CHECK(sotto_compress(machine->context, packed.data(), 26, positions, 2, answer.data(), answer.size()) == SOTTO_OK);
    check_vector("the answer at 26 bits", answer.data(), answer.size(), 0xf249c0e5de007933u);
  }
}
