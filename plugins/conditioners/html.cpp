// HTML's character references in captions from web pages.
#include <algorithm>
#include <charconv>
#include <unordered_map>

#include "clean.hpp"
#include "code_points.hpp"
namespace text {
namespace {

constexpr const char kEntities[] =
#include "data/html_entities.inc"
    ;

using Entities = std::unordered_map<std::string_view, std::string>;  // "amp;" -> "&"

// "amp; 26" -> one entry; "+" between two code points.
Entities parse(std::string_view list) {
  Entities entities;
  while (!list.empty()) {
    const size_t space = list.find(' '), end = list.find(' ', space + 1);
    std::string value;
    for (size_t at = space; at < end; at = std::min(list.find('+', at + 1), end)) {
      uint32_t point = 0;
      std::from_chars(list.data() + at + 1, list.data() + end, point, 16);
      append(value, static_cast<int32_t>(point));
    }
    entities.emplace(list.substr(0, space), std::move(value));
    list.remove_prefix(end + 1);
  }
  return entities;
}

const Entities& entities() {
  static const Entities table = parse(std::string_view(kEntities, sizeof kEntities - 1));
  return table;
}

// HTML standard, "numeric character reference end state": 0x80 to 0x9f mean what Windows-1252 has there.
constexpr uint32_t kWindows[32] = {0x20ac, 0x81,   0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021,
                                   0x2c6,  0x2030, 0x160,  0x2039, 0x152,  0x8d,   0x17d,  0x8f,
                                   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
                                   0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0x9d,   0x17e,  0x178};

bool stands_for_nothing(uint32_t point) {  // controls and noncharacters
  return (point >= 1 && point <= 8) || point == 0xb || (point >= 0xe && point <= 0x1f) || point == 0x7f ||
         (point >= 0xfdd0 && point <= 0xfdef) || (point & 0xfffe) == 0xfffe;
}

void append_number(std::string& out, uint32_t point) {
  if (point >= 0x80 && point <= 0x9f) point = kWindows[point - 0x80];
  if (point == 0 || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) point = 0xfffd;
  if (!stands_for_nothing(point)) append(out, static_cast<int32_t>(point));
}

// `text` is behind an ampersand. Appends what the reference stands for and returns its length; 0: it is none.
size_t numeric(std::string_view text, std::string& out) {
  if (text.size() < 2 || text[0] != '#') return 0;
  const bool hex = text[1] == 'x' || text[1] == 'X';
  const char *first = text.data() + (hex ? 2 : 1), *last = text.data() + text.size();
  uint32_t point = 0;
  const auto [end, error] = std::from_chars(first, last, point, hex ? 16 : 10);
  if (end == first) return 0;
  append_number(out, error == std::errc() ? point : UINT32_MAX);
  const auto length = static_cast<size_t>(end - text.data());
  return length + (length < text.size() && text[length] == ';');
}

size_t named(std::string_view text, std::string& out) {
  size_t length = 0;  // up to 32 bytes, a semicolon behind them
  while (length < 32 && length < text.size() &&
         std::string_view("\t\n\f <&#;").find(text[length]) == std::string_view::npos)
    ++length;
  if (length < text.size() && length > 0 && text[length] == ';') ++length;
  for (; length >= 2; --length) {
    const auto found = entities().find(text.substr(0, length));
    if (found == entities().end()) continue;
    out += found->second;
    return length;
  }
  return 0;
}

}  // namespace

std::string unescape_html(std::string_view text) {
  std::string out;
  while (true) {
    const size_t at = std::min(text.find('&'), text.size());
    out += text.substr(0, at);
    if (at == text.size()) return out;
    text.remove_prefix(at + 1);
    size_t length = numeric(text, out);
    if (length == 0) length = named(text, out);
    if (length == 0) out += '&';
    text.remove_prefix(length);
  }
}

}  // namespace text
