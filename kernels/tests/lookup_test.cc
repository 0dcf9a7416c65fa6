// Whole lookups: what they return, and how batches run.
#include <math.h>

#include <algorithm>

#include "lookup_support.hpp"

using namespace support;
using sotto::kLweWords;

namespace {

uint32_t squared(uint32_t x, uint32_t = 0) { return x * x % 16; }
uint32_t reversed(uint32_t x, uint32_t = 0) { return 15 - x; }
uint32_t either(uint32_t x, uint32_t which) { return which ? reversed(x) : squared(x); }
uint32_t eightfold(uint32_t x, uint32_t which) { return (x + which) % 16; }

/// count messages 0, 1, .. 15, 0, ..
std::vector<uint32_t> nibble_phases(uint32_t count) {
  std::vector<uint32_t> phases(count);
  for (uint32_t i = 0; i < count; i++) phases[i] = i % 16 * kTorusNibble;
  return phases;
}

}  // namespace

TEST("exact tables of four bits are looked up right, several tables in one batch, also with keys of the twin") {
  Machine& machine = *machines().back();
  Words tables = nibble_table(squared);
  const Words second = nibble_table(reversed);
  tables.insert(tables.end(), second.begin(), second.end());
  for (uint32_t setting : {1u, 11u}) {
    const auto keys = lookup_keys(machine, setting);
    std::vector<uint32_t> indices;
    for (uint32_t i = 0; i < 32; i++) indices.push_back(i / 16);
    const auto out = look_up(machine, *keys, lwe_of_phases(machine, nibble_phases(32), 99), tables, indices);
    for (uint32_t i = 0; i < 32; i++) CHECK(nibble_of(ring_phase(machine, out.data() + i * kLweWords)) == either(i % 16, indices[i]));
  }
}

TEST("two interleaved tables of four bits are looked up with one rotation") {
  Machine& machine = *machines().back();
  const auto keys = lookup_keys(machine, 1);
  const auto out = look_up(machine, *keys, lwe_of_phases(machine, nibble_phases(16), 100), nibble_table(either, 1), std::vector<uint32_t>(16, 0), 1);
  for (uint32_t i = 0; i < 16; i++)
    for (uint32_t which = 0; which < 2; which++) CHECK(nibble_of(ring_phase(machine, out.data() + (2 * i + which) * kLweWords)) == either(i % 16, which));
}

TEST("eight tables of two bits share a rotation") {
  Machine& machine = *machines().back();
  const auto keys = lookup_keys(machine, 2);
  const auto table = nibble_table([](uint32_t x, uint32_t which) { return eightfold((x + 2) / 4 * 4 % 16, which); }, 3);  // slots of N / 4: eight times the room
  std::vector<uint32_t> phases;
  for (uint32_t i = 0; i < 4; i++) phases.push_back(i * 4 * kTorusNibble);
  const auto out = look_up(machine, *keys, lwe_of_phases(machine, phases, 101), table, std::vector<uint32_t>(4, 0), 3);
  for (uint32_t i = 0; i < 4; i++)
    for (uint32_t which = 0; which < 8; which++) CHECK(nibble_of(ring_phase(machine, out.data() + (8 * i + which) * kLweWords)) == eightfold(i * 4, which));
}

TEST("results mod q are the values of the table with the noise of the rotation alone") {
  Machine& machine = *machines().back();
  const auto keys = lookup_keys(machine, 3);
  const auto lwe = lwe_of_phases(machine, nibble_phases(16), 102);
  const std::vector<uint32_t> indices(16, 0);
  const Words table = nibble_table(squared);
  const auto wide = look_up<uint64_t>(machine, *keys, lwe, table, indices);
  const auto narrow = look_up(machine, *keys, lwe, table, indices);
  for (uint32_t i = 0; i < 16; i++) {
    const int64_t phase = ring_phase_mod_q(machine, wide.data() + i * kLweWords);
    const double error = double(phase) - floor(double(q) / 32 * squared(i));
    CHECK(fabs(error) < 10 * exp2(50 - 25.4));  // decision 0005: 2^-25.4 of the torus
    const double rounding = remainder(double(phase) * 0x1p32 / double(q) - double(ring_phase(machine, narrow.data() + i * kLweWords)), 0x1p32);
    CHECK(fabs(rounding) < 200);
  }
}

TEST("results are the same for every number of threads and every split of a batch into items") {
  Machine& machine = *machines().back();
  const auto keys = lookup_keys(machine, 1);
  const uint32_t count = 36;
  const auto lwe = random_words(count * kLweWords, 103);
  const Words tables = random_polynomials(3, 104);
  std::vector<uint32_t> indices(count);
  for (uint32_t i = 0; i < count; i++) indices[i] = i % 3;
  const auto whole = look_up(machine, *keys, lwe, tables, indices, 0, 1);
  for (uint32_t item_count = 2 * sotto::kTile; item_count <= sotto::kSwitchTile; item_count += sotto::kTile) {
    std::vector<uint32_t> out(whole.size());
    sotto::Job* job = nullptr;
    CHECK(sotto::submit_lookup(*machine.context, *keys, {lwe.data(), count, tables.data(), indices.data(), 0, sotto::LookupModulus::torus32, out.data()}, item_count, 0, &job) == SOTTO_OK);
    CHECK(machine.context->pool.wait(*job) == SOTTO_OK && out == whole);
    delete job;
  }
  uint32_t at = 0;
  for (uint32_t part : {1u, 17u}) {
    const std::vector<uint32_t> some(lwe.begin() + at * kLweWords, lwe.begin() + (at + part) * kLweWords), picked(indices.begin() + at, indices.begin() + at + part);
    const auto out = look_up(machine, *keys, some, tables, picked, 0, 2);
    CHECK(std::equal(out.begin(), out.end(), whole.begin() + at * kLweWords));
    at += part;
  }
}

TEST("only batches of many tiles a worker have items of several tiles") {
  CHECK(sotto::lookup_item_count(0, 2) == sotto::kTile && sotto::lookup_item_count(1000, 2) == sotto::kTile);
  CHECK(sotto::lookup_item_count(32 * 2 * 2 * sotto::kTile, 2) == 2 * sotto::kTile);
  CHECK(sotto::lookup_item_count(uint64_t(1) << 31, 64) == sotto::kSwitchTile);
}

TEST("a cancelled batch of lookups stops after the tiles that run") {
  Machine& machine = *machines().back();
  const auto keys = lookup_keys(machine, 1);
  const uint32_t count = 1000;
  const std::vector<uint32_t> lwe(count * kLweWords, 1), indices(count, 0);
  const Words table(N, 1);
  std::vector<uint32_t> out(count * kLweWords, 7);
  const sotto_lookup_shape shape = lookup_shape(count, 1);
  sotto_job* job = nullptr;
  CHECK(sotto_lookup_submit(machine.context, keys.get(), lwe.data(), table.data(), indices.data(), &shape, out.data(), out.size() * 4, &job) == SOTTO_OK);
  sotto_job_cancel(job);
  CHECK(sotto_job_wait(job) == SOTTO_CANCELLED);
  sotto_job_destroy(job);
  uint32_t touched = 0;
  for (uint32_t i = 0; i < count; i++) touched += out[i * kLweWords + N] != 7;
  CHECK(touched <= 2 * 2 * sotto::kTile);  // two workers
}

TEST("an empty batch of lookups is done at once") {
  Machine& machine = *machines().back();
  const auto keys = lookup_keys(machine, 1);
  uint32_t nothing = 0;
  const Words table(N, 1);
  const sotto_lookup_shape shape = lookup_shape(0, 1);
  sotto_job* job = nullptr;
  CHECK(sotto_lookup_submit(machine.context, keys.get(), &nothing, table.data(), &nothing, &shape, &nothing, 0, &job) == SOTTO_OK);
  CHECK(sotto_job_wait(job) == SOTTO_OK);
  sotto_job_destroy(job);
}

TEST("wrong tables, indices, shapes and sizes of lookups are refused") {
  Machine& machine = *machines().back();
  const auto keys = lookup_keys(machine, 1);
  std::vector<uint32_t> lwe(kLweWords), out(kLweWords);
  const Words table(N, 1), bad(N, q);
  sotto_job* job = nullptr;
  const auto submit = [&](const Words& tables, uint32_t index, const sotto_lookup_shape& shape, size_t size) {
    return sotto_lookup_submit(machine.context, keys.get(), lwe.data(), tables.data(), &index, &shape, out.data(), size, &job);
  };
  const size_t size = out.size() * 4;
  CHECK(submit(table, 1, lookup_shape(1, 1), size) == SOTTO_INVALID_ARGUMENT);
  CHECK(submit(bad, 0, lookup_shape(1, 1), size) == SOTTO_INVALID_ARGUMENT);
  CHECK(submit(table, 0, lookup_shape(1, 0), size) == SOTTO_INVALID_ARGUMENT);
  CHECK(submit(table, 0, lookup_shape(uint64_t(1) << 32, 1), size) == SOTTO_INVALID_ARGUMENT);
  CHECK(submit(table, 0, lookup_shape(1, 1, 4), 16 * size) == SOTTO_INVALID_ARGUMENT);
  CHECK(submit(table, 0, lookup_shape(1, 1, 0, 2), size) == SOTTO_INVALID_ARGUMENT);
  CHECK(submit(table, 0, lookup_shape(1, 1, 1), size) == SOTTO_MALFORMED);
  CHECK(submit(table, 0, lookup_shape(1, 1, 0, 1), size) == SOTTO_MALFORMED);
  CHECK(!job);
}
