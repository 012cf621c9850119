#include "host/config/set.hpp"

#include <algorithm>

#include "host/config/parse.hpp"
#include "host/config/text.hpp"

namespace perrin::config {
namespace {

constexpr const char* kUsage = "write --set key=value, for example --set stage.steps=50";
constexpr size_t kMaxParts = 32;

bool is_space(char c) { return c == ' ' || c == '\t'; }

// Position of the first '=' that no quotes hold, or npos.
size_t find_equals(std::string_view text) {
  char quoted = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (quoted != 0)
      quoted = text[i] == quoted ? 0 : quoted;
    else if (text[i] == '"' || text[i] == '\'')
      quoted = text[i];
    else if (text[i] == '=')
      return i;
  }
  return std::string_view::npos;
}

class PathParser {
 public:
  PathParser(std::string_view text, const std::string& source, Log& log) : text_(text), source_(source), log_(log) {}

  std::optional<std::vector<PathPart>> parse() {
    std::vector<PathPart> path;
    for (size_t from = 0; from <= text_.size();) {
      const size_t to = end_of_part(from);
      PathPart part = trimmed(from, to);
      if (part.name.empty()) return fail(std::move(part.at), "an empty part in the key");
      path.push_back(std::move(part));
      if (path.size() > kMaxParts) return fail(path.back().at, "a key has more than 32 dotted parts");
      from = to + 1;
    }
    return path;
  }

 private:
  std::nullopt_t fail(Location at, std::string message) {
    log_.error(std::move(at), std::move(message), kUsage);
    return std::nullopt;
  }

  size_t end_of_part(size_t at) const {
    char quoted = 0;
    for (; at < text_.size(); ++at) {
      const char c = text_[at];
      if (quoted != 0)
        quoted = c == quoted ? 0 : quoted;
      else if (c == '"' || c == '\'')
        quoted = c;
      else if (c == '.')
        break;
    }
    return at;
  }

  PathPart trimmed(size_t from, size_t to) const {
    while (from < to && is_space(text_[from])) ++from;
    while (to > from && is_space(text_[to - 1])) --to;
    std::string_view name = text_.substr(from, to - from);
    Location at = locate(text_, from, source_);
    at.length = std::max(1, count_characters(name));
    const bool quotes = name.size() >= 2 && (name[0] == '"' || name[0] == '\'') && name.back() == name[0];
    if (quotes) name = name.substr(1, name.size() - 2);
    return {std::string(name), at};
  }

  std::string_view text_;
  const std::string& source_;
  Log& log_;
};

// TOML, or text when it is none and does not begin like a quoted or bracketed value.
std::optional<Node> parse_value(const Source& source, size_t equals, Log& log) {
  const std::string_view value = std::string_view(source.text).substr(equals + 1);
  const int column = count_characters(std::string_view(source.text).substr(0, equals)) + 1;
  const std::string padding(static_cast<size_t>(column - 2), ' ');  // so that places agree with the argument's
  auto parsed = parse_toml(padding + "v=" + std::string(value), source.name);
  Table* table = std::get_if<Table>(&parsed);
  if (table && table->entries.size() == 1 && !std::holds_alternative<DateTime>(table->entries[0].node.value))
    return std::move(table->entries[0].node);
  const size_t first = value.find_first_not_of(" \t");
  const bool explicit_toml =
      first != std::string_view::npos && std::string_view("\"'[{").find(value[first]) != std::string_view::npos;
  if (explicit_toml || !is_utf8(value) || value.find('\n') != std::string_view::npos) {
    auto* fault = std::get_if<SyntaxFault>(&parsed);
    log.error(fault ? fault->at : Location{source.name, 1, column + 1, 1},
              fault ? fault->message : "more than one value", fault ? fault->hint : kUsage);
    return std::nullopt;
  }
  return Node{std::string(value), {source.name, 1, column + 1, std::max(1, count_characters(value))}};
}

}  // namespace

std::optional<Override> parse_override(const Source& source, Log& log) {
  const size_t equals = find_equals(source.text);
  if (equals == std::string::npos || equals == 0) {
    log.error({source.name, 1, equals == 0 ? 1 : 0, 1}, equals == 0 ? "no key before '='" : "no '=' in it", kUsage);
    return std::nullopt;
  }
  auto path = PathParser(std::string_view(source.text).substr(0, equals), source.name, log).parse();
  auto value = parse_value(source, equals, log);
  if (!path || !value) return std::nullopt;
  return Override{std::move(*path), std::move(*value)};
}

}  // namespace perrin::config
