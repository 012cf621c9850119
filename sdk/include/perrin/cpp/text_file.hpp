// Text as other programs save it, made UTF-8 or refused with its place. All throw Failure, PERRIN_INVALID_DATA.
#pragma once

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "file.hpp"

namespace perrin {

// Length of the well-formed UTF-8 character at `at` (RFC 3629), 0 if none begins there.
inline size_t utf8_length(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return at + i < text.size() ? static_cast<uint8_t>(text[at + i]) : 0u; };
  const auto rest = [&](size_t from, size_t n) {
    for (size_t i = from; i < n; ++i)
      if ((byte(i) & 0xC0) != 0x80) return size_t{0};
    return n;
  };
  const unsigned a = byte(0), b = byte(1);
  if (at >= text.size()) return 0;
  if (a < 0x80) return 1;
  if (a >= 0xC2 && a <= 0xDF) return rest(1, 2);
  if (a == 0xE0 ? b < 0xA0 : a == 0xED && b > 0x9F) return 0;  // longer than needed, or half of a UTF-16 pair
  if (a >= 0xE0 && a <= 0xEF) return rest(1, 3);
  if (a == 0xF0 ? b < 0x90 : a == 0xF4 && b > 0x8F) return 0;  // longer than needed, or beyond U+10FFFF
  return a >= 0xF0 && a <= 0xF4 ? rest(1, 4) : 0;
}

// The line that begins at `at`, which moves behind its end: LF, CR LF or CR. REQUIRES at < text.size().
inline std::string_view next_line(std::string_view text, size_t& at) {
  const size_t from = at, end = std::min(text.find_first_of("\r\n", from), text.size());
  at = std::min(end + 1, text.size());
  if (end + 1 < text.size() && text[end] == '\r' && text[end + 1] == '\n') ++at;
  return text.substr(from, end - from);
}

// "name:line:column" of the byte `at`, both counted from 1, columns in characters.
inline std::string place_of(const std::string& name, std::string_view text, size_t at) {
  size_t line = 1, begin = 0;
  for (size_t i = 0; i < at; ++i) {
    if (text[i] != '\n' && (text[i] != '\r' || text.substr(i + 1, 1) == "\n")) continue;
    ++line;
    begin = i + 1;
  }
  const auto starts = [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; };
  const auto column = std::count_if(text.begin() + static_cast<std::ptrdiff_t>(begin),
                                    text.begin() + static_cast<std::ptrdiff_t>(at), starts);
  return name + ":" + std::to_string(line) + ":" + std::to_string(column + 1);
}

// For messages: control characters, and what is no UTF-8, as \x1b.
inline std::string printable(std::string_view name) {
  std::string shown;
  for (size_t at = 0; at < name.size();) {
    const size_t length = utf8_length(name, at);
    const auto byte = static_cast<uint8_t>(name[at]);
    if (length == 0 || byte < 0x20 || byte == 0x7F) {
      char text[8];
      std::snprintf(text, sizeof text, "\\x%02x", byte);
      shown += text;
    } else {
      shown += name.substr(at, length);
    }
    at += std::max<size_t>(length, 1);
  }
  return shown;
}

namespace detail {
[[noreturn]] inline void refuse_text(const std::string& name, std::string_view text, size_t at,
                                     const std::string& what) {
  throw Failure(PERRIN_INVALID_DATA, place_of(name, text, at) + ": " + what);
}

inline void append_utf8(uint32_t c, std::string& text) {
  if (c < 0x80) {
    text += static_cast<char>(c);
    return;
  }
  const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  text += static_cast<char>((0xF0 << (3 - more) & 0xFF) | c >> 6 * more);
  for (int i = more - 1; i >= 0; --i) text += static_cast<char>(0x80 | (c >> 6 * i & 0x3F));
}

// UTF-16 behind its byte order mark.
inline std::string from_utf16(std::string_view bytes, bool little, const std::string& name) {
  std::string text;
  const auto unit = [&](size_t at) {
    const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(bytes[at + i])); };
    return little ? byte(0) | byte(1) << 8 : byte(1) | byte(0) << 8;
  };
  for (size_t at = 2; at < bytes.size(); at += 2) {
    if (at + 1 == bytes.size()) refuse_text(name, text, text.size(), "this UTF-16 ends within a character");
    uint32_t c = unit(at);
    if (c >= 0xD800 && c <= 0xDFFF) {
      const uint32_t low = c < 0xDC00 && at + 3 < bytes.size() ? unit(at + 2) : 0;
      if (low < 0xDC00 || low > 0xDFFF) refuse_text(name, text, text.size(), "half a character of UTF-16");
      c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
      at += 2;
    }
    append_utf8(c, text);
  }
  return text;
}
}  // namespace detail

// The bytes of a text file as UTF-8 without a byte order mark: from UTF-8, or from UTF-16 with its mark. Refused with
// `name`, line and column: what is neither, and NUL. Line ends stay as they are.
inline std::string utf8_text(std::string bytes, const std::string& name) {
  const bool little = bytes.compare(0, 2, "\xFF\xFE") == 0;
  if (little && bytes.compare(2, 2, std::string(2, '\0')) == 0)
    throw Failure(PERRIN_INVALID_DATA, name + ": UTF-32; save it as UTF-8");
  if (little || bytes.compare(0, 2, "\xFE\xFF") == 0) {
    bytes = detail::from_utf16(bytes, little, name);
  } else if (bytes.compare(0, 3, "\xEF\xBB\xBF") == 0) {
    bytes.erase(0, 3);
  }
  for (size_t at = 0, length = 0; at < bytes.size(); at += length) {
    length = utf8_length(bytes, at);
    if (bytes[at] == '\0')
      detail::refuse_text(name, bytes, at, "a NUL byte: no text, or UTF-16 without its mark; save it as UTF-8");
    if (length == 0) {
      char byte[8];
      std::snprintf(byte, sizeof byte, "0x%02X", static_cast<uint8_t>(bytes[at]));
      detail::refuse_text(name, bytes, at, "the byte " + std::string(byte) + " is no UTF-8; save the file as UTF-8");
    }
  }
  return bytes;
}

// A text file of at most `limit` bytes.
inline std::string read_text(const std::string& path, uint64_t limit) {
  return utf8_text(read_file(path, limit), path);
}

}  // namespace perrin
