#include "core/chacha20.hpp"

#include <string.h>

#include <string>
#include <vector>

#include "harness.hpp"

using sotto::ChaCha20;

static std::vector<uint8_t> from_hex(const std::string& hex) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i < hex.size(); i += 2) bytes.push_back(uint8_t(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

static std::vector<uint8_t> stream(const std::string& key, const std::string& nonce, uint32_t counter, size_t blocks) {
  std::vector<uint8_t> out(64 * blocks);
  ChaCha20(from_hex(key).data(), from_hex(nonce).data(), counter).blocks(out.data(), blocks);
  return out;
}

TEST("ChaCha20 gives the block of RFC 8439, section 2.3.2") {
  const auto out = stream("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "000000090000004a00000000", 1, 1);
  CHECK(out == from_hex("10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
                        "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e"));
}

TEST("ChaCha20 gives the key streams of RFC 8439, appendix A.1, vectors 1 and 2") {
  const std::string zeros(64, '0');
  CHECK(stream(zeros, std::string(24, '0'), 0, 1) == from_hex("76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
                                                              "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"));
  CHECK(stream(zeros, std::string(24, '0'), 1, 1) == from_hex("9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
                                                              "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f"));
}

TEST("ChaCha20 gives the same stream in one call and block by block") {
  const uint8_t key[32] = {7};
  std::vector<uint8_t> whole(64 * 37), parts(64 * 37);
  ChaCha20(key, sotto::Nonce{3, 4}).blocks(whole.data(), 37);
  ChaCha20 pieces(key, sotto::Nonce{3, 4});
  for (size_t at = 0, size = 1; at < 37; at += size, size = size % 5 + 1) pieces.blocks(parts.data() + 64 * at, std::min<size_t>(size, 37 - at));
  CHECK(whole == parts);
}
