// UTF-8 texts, character by character, as utf8proc reads them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace perrin {

// The first character of a non-empty text and its bytes; an invalid byte is U+FFFD of size 1.
struct Character {
  uint32_t code = 0;
  size_t size = 1;
  bool valid() const { return code != 0xfffd || size == 3; }
};
Character first_character(std::string_view text);

// Without the bytes at the end with which a character only begins.
std::string_view whole_characters(std::string_view text);

// Columns that a terminal gives a character: 0 for controls, combining marks and joiners, 2 for wide East Asian ones
// and emoji, else 1, a tab too.
int display_width(uint32_t code);

}  // namespace perrin
