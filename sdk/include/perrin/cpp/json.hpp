// JSON from anywhere, before a reader whose functions call themselves sees it. Header-only, no library.
#pragma once

#include <string_view>

namespace perrin {

constexpr int kDeepestJson = 64;

// Whether lists and objects stand in one another more than kDeepestJson deep. Any text; brackets in strings do not count.
inline bool nests_too_deep(std::string_view json) {
  int depth = 0;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '"')
      for (++i; i < json.size() && json[i] != '"'; ++i) i += json[i] == '\\' ? 1 : 0;
    if ((c == '[' || c == '{') && ++depth > kDeepestJson) return true;
    if (c == ']' || c == '}') --depth;
  }
  return false;
}

}  // namespace perrin
