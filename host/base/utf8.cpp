#include "host/base/utf8.hpp"

#include <utf8proc.h>

namespace perrin {

Character first_character(std::string_view text) {
  utf8proc_int32_t code = 0;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  const utf8proc_ssize_t size = utf8proc_iterate(bytes, static_cast<utf8proc_ssize_t>(text.size()), &code);
  return size > 0 ? Character{static_cast<uint32_t>(code), static_cast<size_t>(size)} : Character{0xfffd, 1};
}

std::string_view whole_characters(std::string_view text) {
  for (size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    // What the byte says of its character's length; 0 for those that begin none.
    const auto size = static_cast<size_t>(utf8proc_utf8class[static_cast<unsigned char>(text[text.size() - back])]);
    if (size > back) return text.substr(0, text.size() - back);
    if (size > 0) break;
  }
  return text;
}

int display_width(uint32_t code) { return code == '\t' ? 1 : utf8proc_charwidth(static_cast<utf8proc_int32_t>(code)); }

}  // namespace perrin
