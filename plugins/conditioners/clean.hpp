// What CLIP does to a text before it is split into words.
#pragma once

#include <string>
#include <string_view>

namespace text {

// `text` with each of HTML's character references ("&amp;", "&#233;", "&#xe9;", also without a semicolon where HTML
// allows it) replaced by what it stands for, as Python's html.unescape does it. Unknown names stay as they are.
std::string unescape_html(std::string_view text);

// Normalisation form C, bytes that are not UTF-8 as U+FFFD, then each code point in lower case, whatever stands around
// it (no final sigma).
std::string composed_lower_case(std::string_view text);

}  // namespace text
