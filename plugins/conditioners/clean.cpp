#include "clean.hpp"

#include <algorithm>

#include "code_points.hpp"

namespace text {
namespace {

bool is_ascii(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<uint8_t>(c) >= 0x80; });
}

}  // namespace

std::string composed_lower_case(std::string_view text) {
  if (is_ascii(text)) {
    std::string out;
    for (const char c : text) out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return out;
  }
  return lower_case(normal_form(utf8(code_points(text)), Form::C));
}

}  // namespace text
