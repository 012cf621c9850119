// UTF-8 helpers for messages: whatever a file holds, a terminal gets printable text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace perrin::config {

bool is_utf8(std::string_view text);
int count_characters(std::string_view text);

// Control characters and invalid bytes become '?', so that a caret below stands right; tabs stay.
std::string printable(std::string_view text);

// printable() in double quotes, cut to `limit` characters.
std::string quote(std::string_view text, int limit = 60);

// "a, b, c"; what goes beyond `limit` entries becomes "…".
std::string join(const std::vector<std::string>& words, size_t limit = SIZE_MAX);

// "an integer", "a table"; "text" as it is.
std::string with_article(std::string_view noun);

}  // namespace perrin::config
