// Lookups give the same bytes on every back end.
#include "lookup_support.hpp"

using namespace support;
using sotto::kLweWords;

namespace {

struct Stages {
  std::vector<uint32_t> small, exponents;
  Words accumulator;
  std::vector<uint32_t> results;
  Words results_mod_q;
  bool operator==(const Stages&) const = default;
};

/// A lookup mod q with two tables and its switches; in setting 1 also the rotation alone and two lookups on the torus.
Stages run_stages(Machine& machine, const sotto_lookup_keys& keys, const std::vector<uint32_t>& lwe, const Words& tables) {
  const size_t words = sotto::small_words(keys.small());
  Stages stages = {std::vector<uint32_t>(2 * words), std::vector<uint32_t>(2 * words), {}, {}, {}};
  CHECK(sotto_lwe_keyswitch(machine.context, &keys, lwe.data(), 2, stages.small.data()) == SOTTO_OK);
  CHECK(sotto_modulus_switch(&keys, stages.small.data(), 2, 1, stages.exponents.data()) == SOTTO_OK);
  stages.results_mod_q = look_up<uint64_t>(machine, keys, std::vector<uint32_t>(lwe.begin(), lwe.begin() + kLweWords), tables, {1}, 1);
  if (keys.setting != 1) return stages;
  stages.accumulator.resize(2 * N);
  CHECK(sotto_blind_rotate(machine.context, &keys, stages.exponents.data(), 1, tables.data() + N, stages.accumulator.data()) == SOTTO_OK);
  stages.results = look_up(machine, keys, lwe, tables, {1, 0});
  return stages;
}

Stages check_setting(uint32_t setting, const Bytes& payload, const std::vector<Machine*>& compared) {
  const std::vector<uint32_t> lwe = random_words(2 * kLweWords, 5);
  const Words tables = random_polynomials(2, 6);
  Stages expected;
  for (Machine* machine : compared) {
    const Stages found = run_stages(*machine, *load_lookup_keys(*machine, setting, payload), lwe, tables);
    if (expected.small.empty()) expected = found;
    CHECK(found == expected);
  }
  return expected;
}

}  // namespace

TEST("lookup keys, every stage and the whole of a lookup are the same on every back end, and known answers") {
  const Bytes payload = lookup_payload(*machines().back(), 1);
  CHECK(lookup_payload(reference(), 1) == payload);
  std::vector<Machine*> compared = machines();
  compared.push_back(device_machines().back());  // the other arithmetic: the short rotations of device_test.cc
  const Stages found = check_setting(1, payload, compared);
  for (uint32_t i = 0; i < 2; i++) CHECK(found.results_mod_q[i * kLweWords + N] == found.accumulator[N + i]);  // coefficient i of the rotation is value i
  std::vector<uint32_t> known = found.small;
  known.insert(known.end(), found.results.begin(), found.results.end());
  CHECK(fingerprint(payload.data(), payload.size()) == 0x36dbe4cecfa11dafu);  // seeds 1 and 31
  CHECK(fingerprint(known.data(), known.size() * 4) == 0x609146fffc5affadu);
}

TEST("lookups with two and three levels, and with keys of the twin, are the same on every back end") {
  for (uint32_t setting : {2u, 3u, 11u}) check_setting(setting, lookup_payload(*machines().back(), setting), machines());
}

TEST("blocks of a rotation are the same on every back end, of one key or several, of one level or more") {
  for (uint32_t setting : sotto::kSettings) {
    const sotto::Gadget gadget = sotto::lookup_gadget(setting);
    const uint32_t rows = 2 * gadget.level_count, block = sotto::small_set(setting).block;
    const Words data = random_polynomials(2 + block * rows * 2, 40 + setting);
    const uint32_t exponents[3] = {2 * N - 1, 0, 1234};
    Words expected;
    for (Machine* machine : machines()) {
      const sotto::Ring& ring = machine->context->ring;
      sotto::Buffer<uint64_t> memory(data.size()), digits(rows * N), out(2 * N), scratch(2 * N);
      memcpy(memory.data(), data.data(), data.size() * 8);
      for (uint32_t i = 0; i < block * rows * 2; i++) ring.kernels().prepare_block_key(ring.tables(), memory.data() + (2 + i) * N);
      for (uint32_t part = 0; part < 2; part++) ring.kernels().transform_digits(ring.tables(), gadget, memory.data() + part * N, digits.data() + part * gadget.level_count * N, scratch.data());
      ring.kernels().block_product(ring.tables(), block, rows, exponents, digits.data(), memory.data() + 2 * N, out.data(), out.data() + N, scratch.data());
      const Words found(out.data(), out.data() + 2 * N);
      if (expected.empty()) expected = found;
      CHECK(found == expected);
    }
  }
}
