#include "core/bits.hpp"

#include <vector>

#include "harness.hpp"
#include "support.hpp"

TEST("packed values of any width come back, and nothing is written behind them") {
  support::Random random{7};
  for (uint32_t bits = 1; bits <= 56; bits++)
    for (size_t count : {1u, 2u, 7u, 8u, 9u, 100u}) {
      const size_t size = sotto::packed_bytes(count, bits);
      std::vector<uint8_t> bytes(size + 8, 0xa5);
      std::vector<uint64_t> values(count);
      sotto::BitWriter writer(bytes.data(), count, bits);
      for (auto& value : values) writer.put(value = random.next() >> (64 - bits));
      CHECK(writer.finish() == bytes.data() + size);
      for (size_t i = 0; i < 8; i++) CHECK(bytes[size + i] == 0xa5);
      const std::vector<uint8_t> exact(bytes.begin(), bytes.begin() + long(size));
      sotto::BitReader reader(exact.data(), count, bits);
      for (uint64_t value : values) CHECK(reader.get() == value);
    }
}
