// SHA-256 (FIPS 180-4), for names of configurations and identities of files.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace perrin::config {

class Sha256 {
 public:
  void add(std::string_view bytes);
  std::string hex() const;  // 64 lower-case digits, of everything added so far

 private:
  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::string tail_;    // under 64 bytes
  uint64_t bytes_ = 0;  // added
};

std::string sha256_hex(std::string_view bytes);

}  // namespace perrin::config
