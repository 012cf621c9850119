#include "host/config/text.hpp"

#include <algorithm>

#include "host/base/printable.hpp"
#include "host/base/utf8.hpp"

namespace perrin::config {

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
