#include "clean.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>

#include "code_points.hpp"

namespace text {
namespace {

std::string nfc(const std::string& text) {  // valid UTF-8
  utf8proc_uint8_t* out = nullptr;
  const auto length =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
                   &out, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(out, &std::free);
  if (length < 0) throw std::bad_alloc();  // the only failure with valid UTF-8
  return {reinterpret_cast<const char*>(out), static_cast<size_t>(length)};
}

bool is_ascii(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<uint8_t>(c) >= 0x80; });
}

}  // namespace

std::string composed_lower_case(std::string_view text) {
  std::string out;
  if (is_ascii(text)) {
    for (const char c : text) out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return out;
  }
  for (const int32_t c : code_points(nfc(utf8(code_points(text))))) {
    if (c == 0x130)
      out += "i\u0307";  // SpecialCasing.txt: the one letter that becomes two
    else
      append(out, lower(c));
  }
  return out;
}

}  // namespace text
