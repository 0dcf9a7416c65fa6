// Products on encrypted tokens: every back end against the reference, the reference against definitions, and what encryption must refuse.
#include <string.h>

#include <algorithm>

#include "crypto/token_product.hpp"
#include "harness.hpp"
#include "token_support.hpp"

using namespace support;

namespace {

/// A request and its answers from fixed seeds.
struct Run {
  Bytes bodies, forward, backward;
  std::vector<int32_t> phases;

  Run(Machine& machine, const Weights& weights, sotto_token_shape shape, uint32_t threads) {
    shape.thread_count = threads;
    const auto matrix = token_matrix(machine, weights);
    const auto secret = token_secret(machine, shape.set, 41), other = token_secret(machine, shape.set, 42);
    bodies = encrypt_tokens(machine, secret.get(), random_messages(weights.columns * shape.token_count, 1 << 12, 43), shape, seed_of(44).data());
    forward = multiply_tokens(machine, matrix.get(), 0, 3, bodies, weights.rows, shape);
    phases = decrypt_tokens(machine, secret.get(), forward, weights.rows, shape);
    const Bytes gradients = encrypt_tokens(machine, other.get(), random_messages(weights.rows * shape.token_count, 1 << 12, 45), shape, seed_of(46).data());
    backward = multiply_tokens(machine, matrix.get(), 1, 3, gradients, weights.columns, shape);
  }
  bool operator==(const Run& other) const { return bodies == other.bodies && forward == other.forward && backward == other.backward && phases == other.phases; }
};

/// The words of masks first to first + count of the tests' seed.
std::vector<uint32_t> masks_of(const sotto_token_shape& shape, size_t count) {
  std::vector<uint32_t> words(count * shape.set);
  for (size_t j = 0; j < count; j++) sotto::expand_token_mask(seed_of(90).data(), shape.first_mask + j, 0, shape.set, words.data() + j * shape.set);
  return words;
}

uint32_t read_word(const uint8_t* record, size_t index) {
  uint32_t word;
  memcpy(&word, record + 4 * index, sizeof word);
  return word;
}

/// The coefficients of a secret, from its transform: -1, 0, 1.
std::vector<int32_t> coefficients_of(Machine& machine, const sotto_token_secret& secret) {
  sotto::Buffer<uint64_t> values;
  CHECK(values.copy_from(secret.transformed.data(), N));
  machine.context->ring.inverse(values.data());
  const uint32_t lanes = N / secret.set->ring_degree;
  std::vector<int32_t> coefficients;
  for (uint32_t i = 0; i < N; i++) {
    if (i % lanes) CHECK(values[i] == 0);
    else coefficients.push_back(int32_t(centred(values[i])));
  }
  return coefficients;
}

}  // namespace

TEST("requests, answers and phases of tokens are the same on every back end and number of threads") {
  for (const uint32_t set : {1024u, 2048u})
    for (const auto& [rows, columns, tokens] : std::vector<std::tuple<size_t, size_t, uint32_t>>{{37, 29, 301}, {7, 20, 1}, {200, 3, set}}) {
      const Weights weights = Weights::random(rows, columns, rows);
      const Run expected(reference(), weights, token_shape(set, tokens), 1);
      for (Machine* machine : machines())
        for (const uint32_t threads : {1u, 2u})
          if (!(Run(*machine, weights, token_shape(set, tokens), threads) == expected)) harness::report_failure(__FILE__, __LINE__, "tokens differ on " + machine->name);
    }
}

TEST("a low limb adds its product to four times the other, in both directions, on every back end") {
  const Weights high = Weights::random(37, 29, 3), low = Weights::random(37, 29, 4);
  const sotto_token_shape shape = token_shape(1024, 301, 32, 32, 32);
  Bytes bodies(37 * 301 * 4);
  for (size_t i = 0; i < bodies.size(); i++) bodies[i] = uint8_t(i * 151 + i / 5);
  for (Machine* machine : machines()) {
    const auto whole = token_matrix(*machine, high, &low), first = token_matrix(*machine, high), second = token_matrix(*machine, low);
    for (const uint32_t direction : {0u, 1u}) {
      const size_t inputs = direction ? high.rows : high.columns, outputs = direction ? high.columns : high.rows;
      const Bytes request(bodies.begin(), bodies.begin() + inputs * 301 * 4);
      const auto answer = [&](const TokenMatrix& matrix) { return multiply_tokens(*machine, matrix.get(), direction, 3, request, outputs, shape); };
      const Bytes sum = answer(whole), one = answer(first), other = answer(second);
      for (size_t i = 0; i < sum.size() / 4; i++)
        if (read_word(sum.data(), i) != 4 * read_word(one.data(), i) + read_word(other.data(), i)) {
          harness::report_failure(__FILE__, __LINE__, "word " + std::to_string(i) + " is wrong on " + machine->name);
          break;
        }
    }
  }
}

TEST("tokens have known answers") {
  const auto print = [](const auto& values) { return fingerprint(values.data(), values.size() * sizeof(values[0])); };
  const Run short_ring(reference(), Weights::random(9, 14, 1), token_shape(1024, 33), 0), long_ring(reference(), Weights::random(9, 14, 1), token_shape(2048, 33), 0);
  const uint64_t found[] = {print(short_ring.bodies), print(short_ring.forward), print(short_ring.backward), print(short_ring.phases),
                            print(long_ring.bodies),  print(long_ring.forward),  print(long_ring.backward),  print(long_ring.phases)};
  const uint64_t pinned[] = {6630278581415784940u, 7918555288372470774u, 11198878496581068631u, 8088940183898208973u, 1431674475069850226u, 129101001776487494u, 15842447503801601880u, 3190049800759814900u};
  for (size_t i = 0; i < 8; i++)
    if (found[i] != pinned[i]) harness::report_failure(__FILE__, __LINE__, "answer " + std::to_string(i) + " is " + std::to_string(found[i]));
}

TEST("a mask of tokens is the ChaCha20 stream of its index, from any block on") {
  for (const uint32_t first : {0u, 16u, 528u}) {
    std::vector<uint32_t> whole(1024), part(48);
    const Bytes seed = seed_of(3);
    sotto::expand_token_mask(seed.data(), 77, 0, 1024, whole.data());
    sotto::expand_token_mask(seed.data(), 77, first, 48, part.data());
    CHECK(std::equal(part.begin(), part.end(), whole.begin() + first));
  }
}

TEST("a mask times a secret is the negacyclic product modulo 2^32, also of the largest words") {
  for (Machine* machine : machines())
    for (const uint32_t set : {1024u, 2048u}) {
      const auto secret = token_secret(*machine, set, 9);
      const auto s = coefficients_of(*machine, *secret);
      sotto::Buffer<uint64_t> scratch(N);
      std::vector<uint32_t> masks(N), products(N);
      Random random{set};
      for (uint32_t i = 0; i < N; i++) masks[i] = i % set < set / 2 ? 0xffffffff : uint32_t(random.next());
      sotto::multiply_secret(*machine->context, *secret, masks.data(), products.data(), scratch.data());
      for (uint32_t lane = 0; lane < N / set; lane++)
        for (const uint32_t i : {0u, 1u, set / 2, set - 1}) {
          uint32_t sum = 0;
          for (uint32_t j = 0; j < set; j++) sum += uint32_t(i >= j ? s[j] : -s[j]) * masks[lane * set + (i - j + set) % set];
          CHECK(products[lane * set + i] == sum);
        }
    }
}

TEST("masks and bodies of an answer are the sums of the definition, exactly at 32 bits and rounded below") {
  Machine& machine = *machines().back();
  const Weights weights = Weights::random(11, 6, 5);
  const auto matrix = token_matrix(machine, weights);
  const sotto_token_shape exact = token_shape(1024, 40, 32, 32, 32), rounded = token_shape(1024, 40, 32, 22, 17);
  Bytes bodies(6 * 40 * 4);
  for (size_t i = 0; i < bodies.size(); i++) bodies[i] = uint8_t(i * 167 + i / 7);
  const Bytes answer = multiply_tokens(machine, matrix.get(), 0, 3, bodies, 11, exact), small = multiply_tokens(machine, matrix.get(), 0, 3, bodies, 11, rounded);
  const auto masks = masks_of(exact, 6);
  for (size_t k = 0; k < 11; k++) {
    sotto::BitReader mask_reader(small.data() + k * sotto::packed_bytes(1024, 22), 1024, 22), body_reader(small.data() + 11 * sotto::packed_bytes(1024, 22) + k * sotto::packed_bytes(40, 17), 40, 17);
    for (size_t i = 0; i < 1024; i++) {
      uint32_t mask = 0, body = 0;
      for (size_t j = 0; j < 6; j++) {
        const uint32_t weight = uint32_t(int32_t(weights.values[k * 6 + j]));
        mask += weight * masks[j * 1024 + i];
        if (i < 40) body += weight * read_word(bodies.data(), j * 40 + i);
      }
      CHECK(read_word(answer.data(), k * 1024 + i) == mask && mask_reader.get() == uint32_t(mask + 512) >> 10);
      if (i < 40) CHECK(read_word(answer.data(), 11 * 1024 + k * 40 + i) == body && body_reader.get() == uint32_t(body + 16384) >> 15);
    }
  }
}

TEST("the transposed side of a matrix is the forward side of its transpose") {
  Machine& machine = *machines().back();
  const Weights weights = Weights::random(150, 67, 8);
  const auto matrix = token_matrix(machine, weights), transposed = token_matrix(machine, weights.transposed());
  const auto shape = token_shape(2048, 300);
  const auto secret = token_secret(machine, 2048, 1);
  const Bytes bodies = encrypt_tokens(machine, secret.get(), random_messages(150 * 300, 1000, 2), shape, nullptr);
  CHECK(multiply_tokens(machine, matrix.get(), 1, 3, bodies, 67, shape) == multiply_tokens(machine, transposed.get(), 0, 3, bodies, 67, shape));
}

TEST("masks computed once and bodies of a cached request are the fresh answer") {
  Machine& machine = *machines().back();
  const Weights weights = Weights::random(300, 20, 8);
  const auto matrix = token_matrix(machine, weights);
  for (const uint32_t set : {1024u, 2048u}) {
    const auto shape = token_shape(set, 65);
    const auto secret = token_secret(machine, set, 1);
    const Bytes bodies = encrypt_tokens(machine, secret.get(), random_messages(20 * 65, 1000, 2), shape, nullptr);
    Bytes cached = multiply_tokens(machine, matrix.get(), 0, 2, bodies, 300, shape);
    const Bytes answer_bodies = multiply_tokens(machine, matrix.get(), 0, 1, bodies, 300, shape);
    cached.insert(cached.end(), answer_bodies.begin(), answer_bodies.end());
    CHECK(cached == multiply_tokens(machine, matrix.get(), 0, 3, bodies, 300, shape));
  }
}

TEST("packed words of tokens are those of the bit writer at every width and odd counts") {
  for (uint32_t bits = 8; bits <= 32; bits++)
    for (const uint32_t tokens : {1u, 2u, 7u, 8u, 9u, 31u, 64u, 257u}) {
      Machine& machine = *machines().back();
      const auto matrix = token_matrix(machine, Weights::identity(2));
      const auto shape = token_shape(1024, tokens, bits, bits, bits);
      Bytes bodies(2 * sotto::packed_bytes(tokens, bits));
      Random random{bits * 1000 + tokens};
      for (size_t j = 0; j < 2; j++) {
        sotto::BitWriter writer(bodies.data() + j * sotto::packed_bytes(tokens, bits), tokens, bits);
        for (uint32_t t = 0; t < tokens; t++) writer.put(random.next() & ((uint64_t(1) << bits) - 1));
        writer.finish();
      }
      CHECK(multiply_tokens(machine, matrix.get(), 0, 1, bodies, 2, shape) == bodies);
    }
}
