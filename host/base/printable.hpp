// Texts that come from files and plugins, for a person's terminal.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace perrin {

// The first character of a non-empty text and its bytes; an invalid byte is U+FFFD of size 1.
struct Character {
  uint32_t code = 0;
  size_t size = 1;
  bool valid() const { return code != 0xfffd || size == 3; }
};

inline Character first_character(std::string_view text) {
  constexpr Character kInvalid{0xfffd, 1};
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {lead, 1};
  const size_t size = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (size == 0 || size > text.size()) return kInvalid;
  uint32_t code = lead & (0x7fU >> size);
  for (size_t i = 1; i < size; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xc0U) != 0x80) return kInvalid;
    code = code << 6 | (byte & 0x3fU);
  }
  const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  return overlong || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? kInvalid : Character{code, size};
}

// Obeyed by a terminal and not shown: controls, and marks that turn the direction of text around.
inline bool is_control(uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x202a && code <= 0x202e) ||
         (code >= 0x2066 && code <= 0x2069);
}

// Every control but those of `kept` as \u001b, every byte that is no UTF-8 as \xff; JSON reads the former back.
inline std::string printable(std::string_view text, std::string_view kept = "\n\t") {
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

// The same in one line.
inline std::string one_line(std::string_view text) { return printable(text, ""); }

}  // namespace perrin
