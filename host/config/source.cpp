#include "host/config/source.hpp"

#include <algorithm>

#include "host/config/text.hpp"

namespace perrin::config {

std::string to_string(const Location& location) {
  if (is_override(location.file) || location.line == 0) return location.file;
  std::string text = location.file + ":" + std::to_string(location.line);
  return location.column == 0 ? text : text + ":" + std::to_string(location.column);
}

Location locate(std::string_view text, size_t offset, const std::string& file) {
  const std::string_view before = text.substr(0, offset);
  const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  const auto lines = std::count(before.begin(), before.end(), '\n');
  return {file, static_cast<int>(lines) + 1, count_characters(before.substr(line_start)) + 1, 1};
}

std::string_view Source::line(int number) const {
  std::string_view rest = text;
  for (int i = 1; i < number; ++i) {
    const size_t end = rest.find('\n');
    if (end == std::string_view::npos) return {};
    rest.remove_prefix(end + 1);
  }
  rest = rest.substr(0, rest.find('\n'));
  if (rest.ends_with('\r')) rest.remove_suffix(1);
  if (number == 1 && rest.starts_with("\xef\xbb\xbf")) rest.remove_prefix(3);
  return rest;
}

const Source& Sources::add(std::string name, std::string text) {
  return sources_.emplace_back(Source{std::move(name), std::move(text)});
}

size_t Sources::order(std::string_view name) const {
  auto named = [name](const Source& source) { return source.name == name; };
  return static_cast<size_t>(std::find_if(sources_.begin(), sources_.end(), named) - sources_.begin());
}

const Source* Sources::find(std::string_view name) const {
  const size_t index = order(name);
  return index == sources_.size() ? nullptr : &sources_[index];
}

std::string override_name(size_t number) { return "--set " + std::to_string(number); }
bool is_override(std::string_view source_name) { return source_name.starts_with("--set "); }

}  // namespace perrin::config
