// TOML text -> tree with places. The only door to toml++. Internal to host/config.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "host/config/node.hpp"

namespace perrin::config {

struct SyntaxFault {
  Location at;
  std::string message;
  std::string hint;
};

// Never throws on any bytes; the first fault ends the parse.
std::variant<Table, SyntaxFault> parse_toml(std::string_view text, const std::string& file);

// A fault in the words of an experiment's author: the place moved to the culprit, a hint where one is known.
SyntaxFault explain_syntax(std::string_view text, Location at, std::string_view description);

// The first byte that is not UTF-8.
std::optional<Location> find_bad_utf8(std::string_view text, const std::string& file);

// The first place that must not reach the parser: a dotted key of more than 32 parts, or a character beyond ASCII
// outside of strings and comments. `text` is UTF-8.
std::optional<SyntaxFault> scan_toml(std::string_view text, const std::string& file);

}  // namespace perrin::config
