#include "host/config/text.hpp"

#include <algorithm>

namespace perrin::config {
namespace {

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

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const Character character = first_character(text);
    if (!character.valid()) return false;
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
    const bool bad = !character.valid() || (is_control(character.code) && text[0] != '\t');
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
