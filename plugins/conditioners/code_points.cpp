#include "code_points.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>

namespace text {
namespace {

bool category(int32_t c, utf8proc_category_t first, utf8proc_category_t last) {
  const utf8proc_category_t own = utf8proc_category(c);  // unassigned for what is no code point
  return own >= first && own <= last;
}

}  // namespace

int32_t next_code_point(std::string_view text, size_t& at) {
  utf8proc_int32_t c = -1;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at;
  const utf8proc_ssize_t length = utf8proc_iterate(bytes, static_cast<utf8proc_ssize_t>(text.size() - at), &c);
  at += static_cast<size_t>(std::max<utf8proc_ssize_t>(length, 1));
  return length > 0 ? c : -1;
}

std::vector<int32_t> code_points(std::string_view text) {
  std::vector<int32_t> result;
  for (size_t at = 0; at < text.size();) {
    const int32_t c = next_code_point(text, at);
    result.push_back(c < 0 ? 0xFFFD : c);
  }
  return result;
}

void append(std::string& text, int32_t code_point) {
  utf8proc_uint8_t bytes[4];
  const utf8proc_ssize_t length = utf8proc_encode_char(code_point, bytes);
  text.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(length));
}

std::string utf8(const std::vector<int32_t>& code_points) {
  std::string result;
  for (const int32_t c : code_points) append(result, c);
  return result;
}

bool is_letter(int32_t c) { return category(c, UTF8PROC_CATEGORY_LU, UTF8PROC_CATEGORY_LO); }
bool is_number(int32_t c) { return category(c, UTF8PROC_CATEGORY_ND, UTF8PROC_CATEGORY_NO); }
bool is_punctuation(int32_t c) { return category(c, UTF8PROC_CATEGORY_PC, UTF8PROC_CATEGORY_PO); }
bool is_accent(int32_t c) { return category(c, UTF8PROC_CATEGORY_MN, UTF8PROC_CATEGORY_MN); }
bool is_mark(int32_t c) { return category(c, UTF8PROC_CATEGORY_MN, UTF8PROC_CATEGORY_ME); }
bool is_control(int32_t c) {
  return category(c, UTF8PROC_CATEGORY_CC, UTF8PROC_CATEGORY_CF) ||
         category(c, UTF8PROC_CATEGORY_CO, UTF8PROC_CATEGORY_CO);
}

// PropList.txt of the Unicode Character Database; stable since version 6.3.
bool is_space(int32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

int32_t lower(int32_t c) { return utf8proc_tolower(c); }

std::string lower_case(const std::string& text) {
  std::string result;
  for (const int32_t c : code_points(text)) {
    if (c == 0x130)
      result += "i\u0307";  // SpecialCasing.txt: the one letter that becomes two
    else
      append(result, lower(c));
  }
  return result;
}

std::string normal_form(const std::string& text, Form form) {
  const int compose = form == Form::C || form == Form::KC ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE;
  const int compatible = form == Form::KC || form == Form::KD ? UTF8PROC_COMPAT : 0;
  utf8proc_uint8_t* out = nullptr;
  const auto length =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
                   &out, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | compose | compatible));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(out, &std::free);
  if (length < 0) throw std::bad_alloc();  // the only failure with valid UTF-8
  return {reinterpret_cast<const char*>(out), static_cast<size_t>(length)};
}

std::vector<std::string_view> graphemes(std::string_view text) {
  std::vector<std::string_view> result;
  utf8proc_int32_t state = 0, before = 0;
  size_t first = 0;
  for (size_t at = 0, behind = 0; at < text.size(); at = behind) {
    const int32_t c = next_code_point(text, behind);
    if (at > 0 && utf8proc_grapheme_break_stateful(before, c, &state)) {
      result.push_back(text.substr(first, at - first));
      first = at;
    }
    before = c;
  }
  if (first < text.size()) result.push_back(text.substr(first));
  return result;
}

std::vector<int32_t> decomposed(const std::vector<int32_t>& code_points) {
  const std::string text = utf8(code_points);
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  const auto size = static_cast<utf8proc_ssize_t>(text.size());
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_STABLE);
  std::vector<int32_t> result(code_points.size() + 8);
  utf8proc_ssize_t n =
      utf8proc_decompose(bytes, size, result.data(), static_cast<utf8proc_ssize_t>(result.size()), options);
  if (n > static_cast<utf8proc_ssize_t>(result.size())) {
    result.resize(static_cast<size_t>(n));
    n = utf8proc_decompose(bytes, size, result.data(), n, options);
  }
  result.resize(static_cast<size_t>(std::max<utf8proc_ssize_t>(n, 0)));
  return result;
}

}  // namespace text
