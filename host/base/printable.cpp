#include "host/base/printable.hpp"

#include <array>
#include <cstdio>

#include "host/base/utf8.hpp"

namespace perrin {

bool is_control(uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x202a && code <= 0x202e) ||
         (code >= 0x2066 && code <= 0x2069);
}

std::string printable(std::string_view text, std::string_view kept) {
  std::string out;
  while (!text.empty()) {
    const Character character = first_character(text);
    const std::string_view bytes = text.substr(0, character.size);
    if (character.valid() && (!is_control(character.code) || kept.find(bytes) != std::string_view::npos)) {
      out += bytes;
    } else {
      std::array<char, 8> escaped{};
      const unsigned code = character.valid() ? character.code : static_cast<unsigned char>(text[0]);
      std::snprintf(escaped.data(), escaped.size(), character.valid() ? "\\u%04x" : "\\x%02x", code);
      out += escaped.data();
    }
    text.remove_prefix(character.size);
  }
  return out;
}

}  // namespace perrin
