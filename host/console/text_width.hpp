// How many columns a UTF-8 text takes.
#pragma once

#include <string>
#include <string_view>

namespace perrin::console {

// Of all its characters (base/utf8.hpp), as terminals that do not join emoji show them; colour sequences count none, a
// byte that is not UTF-8 one.
int display_width(std::string_view text);

// At most `width` columns of the text; the last one is "…" if something is left out.
std::string clip(std::string_view text, int width);

}  // namespace perrin::console
