#include "host/config/text.hpp"

#include <algorithm>

namespace perrin::config {
namespace {

constexpr uint32_t kInvalid = 0xfffd;

struct Range {
  uint32_t first, last;
};
// The blocks that matter in names and comments; an exact table would not move a caret that anyone looks at.
constexpr Range kCombining[] = {{0x0300, 0x036f}, {0x200b, 0x200f}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}};
constexpr Range kWide[] = {{0x1100, 0x115f},   {0x2e80, 0xa4cf},   {0xac00, 0xd7a3},
                           {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},
                           {0x1f300, 0x1f64f}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};

template <size_t N>
bool within(const Range (&ranges)[N], uint32_t code) {
  return std::any_of(std::begin(ranges), std::end(ranges),
                     [code](Range range) { return code >= range.first && code <= range.last; });
}

// Bytes that a lead byte announces; 0 if it cannot lead.
size_t announced(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

bool is_control(uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x202a && code <= 0x202e);
}

}  // namespace

Character first_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t size = announced(lead);
  if (size == 1) return {lead, 1};
  if (size == 0 || size > text.size()) return {kInvalid, 1};
  uint32_t code = lead & (0x7fU >> size);
  for (size_t i = 1; i < size; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xc0U) != 0x80) return {kInvalid, 1};
    code = code << 6 | (byte & 0x3fU);
  }
  const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  if (overlong || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return {kInvalid, 1};
  return {code, size};
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const Character character = first_character(text);
    if (character.code == kInvalid && character.size == 1) return false;
    text.remove_prefix(character.size);
  }
  return true;
}

int count_characters(std::string_view text) {
  int count = 0;
  for (; !text.empty(); ++count) text.remove_prefix(first_character(text).size);
  return count;
}

int display_width(uint32_t code) { return within(kCombining, code) ? 0 : within(kWide, code) ? 2 : 1; }

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Character character = first_character(text);
    const bool bad =
        (character.code == kInvalid && character.size == 1) || (is_control(character.code) && text[0] != '\t');
    out += bad ? "?" : text.substr(0, character.size);
    text.remove_prefix(character.size);
  }
  return out;
}

std::string quote(std::string_view text, int limit) {
  size_t bytes = 0;
  int count = 0;
  while (bytes < text.size() && count++ < limit) bytes += first_character(text.substr(bytes)).size;
  return "\"" + printable(text.substr(0, bytes)) + (bytes < text.size() ? "…\"" : "\"");
}

std::string with_article(std::string_view noun) {
  if (noun == "text") return "text";
  return (noun == "integer" ? "an " : "a ") + std::string(noun);
}

std::string join(const std::vector<std::string>& words, size_t limit) {
  std::string text;
  for (size_t i = 0; i < std::min(words.size(), limit); ++i) text += (i ? ", " : "") + words[i];
  return words.size() > limit ? text + ", …" : text;
}

}  // namespace perrin::config
