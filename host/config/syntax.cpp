#include <algorithm>

#include "host/base/utf8.hpp"
#include "host/config/parse.hpp"
#include "host/config/text.hpp"

namespace perrin::config {
namespace {

struct Rule {
  std::string_view mark;     // part of toml++'s description
  std::string_view message;  // replaces it; empty keeps it
  std::string_view hint;
};
constexpr Rule kRules[] = {
    {"could not determine value type", "this is not a TOML value", "text needs quotes: \"like this\""},
    {"expected 'true'", "this is not a TOML value", "booleans are true and false; text needs quotes"},
    {"expected 'false'", "this is not a TOML value", "booleans are true and false; text needs quotes"},
    {"parsing string: unescaped control", "a control character in a text, or its closing quote is missing", ""},
    {"parsing string: encountered end-of-file", "the closing quote is missing", ""},
    {"literal string: encountered end-of-file", "the closing quote is missing", ""},
    {"parsing array: encountered end-of-file", "the closing ] of a list is missing", ""},
    {"exceeded maximum nested value depth", "lists are nested more than 32 deep", ""},
    {"dangling comma", "", "a one-line { table } has no comma before its end"},
    {"saw ','", "", "decimals are written with a point, lists in [ ]"},
    {"leading zeroes", "", "text needs quotes"},
    {"as table", "", "every entry of this list of tables begins with [[ ]]"},
};

// "Error while parsing key-value pair: saw 'b'" -> "saw 'b' in a key-value pair"
std::string reworded(std::string_view description) {
  constexpr std::string_view kPrefix = "Error while parsing ";
  if (!description.starts_with(kPrefix)) return printable(description);
  description.remove_prefix(kPrefix.size());
  const size_t colon = description.find(": ");
  if (colon == std::string_view::npos) return printable(description);
  return printable(description.substr(colon + 2)) + " (" + printable(description.substr(0, colon)) + ")";
}

// Redefinitions are found behind the value; the key begins the line.
Location start_of_line(std::string_view text, Location at) {
  const Source source{"", std::string(text)};
  const std::string_view line = source.line(at.line);
  const size_t first = line.find_first_not_of(" \t");
  if (first == std::string_view::npos) return at;
  const size_t end = line.find_first_of("= \t", first);
  at.column = static_cast<int>(first) + 1;
  at.length = count_characters(line.substr(first, end == std::string_view::npos ? end : end - first));
  return at;
}

}  // namespace

std::optional<Location> find_bad_utf8(std::string_view text, const std::string& file) {
  for (size_t at = 0; at < text.size();) {
    const Character character = first_character(text.substr(at));
    if (!character.valid()) return locate(text, at, file);
    at += character.size;
  }
  return std::nullopt;
}

SyntaxFault explain_syntax(std::string_view text, Location at, std::string_view description) {
  if (description.find("cannot redefine") != std::string_view::npos) at = start_of_line(text, at);
  auto applies = [&](const Rule& rule) { return description.find(rule.mark) != std::string_view::npos; };
  const Rule* rule = std::find_if(std::begin(kRules), std::end(kRules), applies);
  const bool known = rule != std::end(kRules);
  std::string message = known && !rule->message.empty() ? std::string(rule->message) : reworded(description);
  return {std::move(at), "TOML syntax: " + std::move(message), known ? std::string(rule->hint) : ""};
}

}  // namespace perrin::config
