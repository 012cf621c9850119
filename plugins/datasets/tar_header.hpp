// The blocks between the contents of a tar archive: POSIX ustar and pax, GNU.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace perrin::datasets {

inline constexpr uint64_t tar_block = 512;

struct TarHeader {
  std::string name, link;  // as they stand there, ustar's prefix before the name
  uint64_t size = 0;       // bytes
  char type = '0';
  bool extended = false;  // of type 'S': blocks of a map follow
};

using TarBlock = std::array<char, tar_block>;

bool is_zero(const TarBlock& block);
// Is the sum of the header's bytes what it says?
bool has_sum(const TarBlock& block);
// `where` begins the message of Failure: a number that is none, is negative or does not fit 64 bits.
TarHeader parse_header(const TarBlock& block, const std::string& where);

// The records "<length> <key>=<value>\n" of a pax header, into `records`; an empty value takes a key back. Throws
// Failure for any other text.
void parse_pax(std::string_view text, const std::string& where, std::map<std::string, std::string>& records);
// A decimal size of such a record.
uint64_t pax_size(const std::string& value, const std::string& where);

}  // namespace perrin::datasets
