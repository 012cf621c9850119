#include "host/config/diagnostics.hpp"

#include <algorithm>
#include <tuple>

#include "host/base/utf8.hpp"
#include "host/config/text.hpp"

namespace perrin::config {
namespace {

constexpr size_t kShown = 100;   // errors; a file with more is not an experiment
constexpr int kLineWidth = 110;  // characters of a source line around the place

// Part of a source line and the place in it, both in characters.
struct Excerpt {
  std::string text;
  int column = 0;
};

// Cuts a line to kLineWidth characters that hold the place.
Excerpt excerpt(std::string_view line, int column) {
  int skipped = 0;
  std::string prefix;
  if (column > kLineWidth * 3 / 4) {
    for (; !line.empty() && skipped < column - kLineWidth / 2; ++skipped)
      line.remove_prefix(first_character(line).size);
    prefix = "…";
  }
  size_t bytes = 0;
  for (int i = 0; bytes < line.size() && i < kLineWidth; ++i) bytes += first_character(line.substr(bytes)).size;
  const int at = column - skipped + (skipped > 0 ? 1 : 0);
  return {prefix + printable(line.substr(0, bytes)) + (bytes < line.size() ? "…" : ""), at};
}

// "    ^~~~" under characters column .. column+length of `text`; tabs are kept so that it lines up.
std::string underline(std::string_view text, int column, int length) {
  std::string marks;
  for (int i = 1; i < column; ++i) {
    const Character character = text.empty() ? Character{' ', 0} : first_character(text);
    marks += text.starts_with('\t') ? "\t" : std::string(static_cast<size_t>(display_width(character.code)), ' ');
    text.remove_prefix(character.size);
  }
  marks += '^';
  int width = -1;
  for (int i = 0; i < length && !text.empty(); ++i) {
    const Character character = first_character(text);
    width += display_width(character.code);
    text.remove_prefix(character.size);
  }
  return marks + std::string(static_cast<size_t>(std::max(width, 0)), '~');
}

std::string source_lines(const Location& at, const Sources& sources) {
  const Source* source = sources.find(at.file);
  if (source == nullptr || at.line == 0) return "";
  const Excerpt shown = excerpt(source->line(at.line), at.column);
  const std::string number = is_override(at.file) ? "" : std::to_string(at.line);
  const std::string gutter(std::max<size_t>(4, number.size()), ' ');
  std::string text = gutter.substr(number.size()) + number + " | " + shown.text + "\n";
  if (at.column > 0) text += gutter + " | " + underline(shown.text, shown.column, at.length) + "\n";
  return text;
}

std::string counted(size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string render_all(const std::vector<Diagnostic>& entries, const Sources& sources, const std::string& file) {
  std::string text;
  for (size_t i = 0; i < std::min(entries.size(), kShown); ++i) text += render(entries[i], sources);
  if (entries.size() > kShown) text += "… and " + std::to_string(entries.size() - kShown) + " more\n";
  auto is_error = [](const Diagnostic& entry) { return entry.severity == Severity::error; };
  const auto errors = static_cast<size_t>(std::count_if(entries.begin(), entries.end(), is_error));
  const size_t warnings = entries.size() - errors;
  text += counted(errors, "error") + (warnings ? " and " + counted(warnings, "warning") : "");
  return text + " in " + file + "; nothing was run.\n";
}

}  // namespace

std::string render(const Diagnostic& diagnostic, const Sources& sources) {
  const std::string severity = diagnostic.severity == Severity::error ? "error" : "warning";
  std::string text = to_string(diagnostic.at) + ": " + severity + ": " + diagnostic.message + "\n";
  text += source_lines(diagnostic.at, sources);
  return diagnostic.hint.empty() ? text : text + "     = " + diagnostic.hint + "\n";
}

Diagnostics::Diagnostics(std::vector<Diagnostic> sorted, const Sources& sources, const std::string& file)
    : Error(render_all(sorted, sources, file), {}, {}, Exit::usage), entries(std::move(sorted)) {}

void Log::error(Location at, std::string message, std::string hint) {
  entries_.push_back({Severity::error, std::move(at), std::move(message), std::move(hint)});
  ++errors_;
}

void Log::warning(Location at, std::string message, std::string hint) {
  entries_.push_back({Severity::warning, std::move(at), std::move(message), std::move(hint)});
}

std::vector<Diagnostic> Log::sorted() const {
  std::vector<Diagnostic> entries = entries_;
  auto place = [this](const Diagnostic& entry) {
    return std::tuple(sources_.order(entry.at.file), entry.at.line, entry.at.column);
  };
  std::stable_sort(entries.begin(), entries.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
  return entries;
}

void Log::throw_if_failed(const std::string& file) const {
  if (failed()) throw Diagnostics(sorted(), sources_, file);
}

}  // namespace perrin::config
