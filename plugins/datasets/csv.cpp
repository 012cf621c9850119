#include <algorithm>
#include <vector>

#include "found.hpp"
#include "metadata.hpp"
#include "names.hpp"

namespace perrin::datasets {
namespace {

using Record = std::vector<std::string>;

// Records of RFC 4180 one after the other, each with its place. What only a mistake writes is refused.
class Csv {
 public:
  // From the byte `at` on, which begins a line.
  Csv(std::string_view text, size_t at, const std::string& name, char delimiter)
      : text_(text), name_(name), delimiter_(delimiter), at_(at) {}

  bool done() const { return at_ >= text_.size(); }
  size_t line() const { return line_; }  // of the last record's begin, from 1

  Record next() {
    Record fields;
    for (; counted_ < at_; ++counted_) line_ += ends_line(counted_);
    do fields.push_back(at_ < text_.size() && text_[at_] == '"' ? quoted() : plain());
    while (at_ < text_.size() && text_[at_] == delimiter_ && ++at_);
    if (!done()) next_line(text_, at_);
    return fields;
  }

  [[noreturn]] void fail(size_t at, const std::string& what) const {
    throw Failure(PERRIN_INVALID_DATA, place_of(name_, text_, at) + ": " + what);
  }
  size_t at() const { return at_; }

 private:
  bool ends_line(size_t i) const { return text_[i] == '\n' || (text_[i] == '\r' && text_.substr(i + 1, 1) != "\n"); }
  bool ends_field(size_t i) const {
    return i >= text_.size() || text_[i] == delimiter_ || text_[i] == '\n' || text_[i] == '\r';
  }

  std::string plain() {
    const size_t from = at_;
    while (!ends_field(at_)) ++at_;
    const std::string_view field = text_.substr(from, at_ - from);
    const size_t ink = field.find_first_not_of(' ');
    if (ink != std::string_view::npos && field[ink] == '"')
      fail(from, "blanks before a quote; write the quote right behind the delimiter");
    return std::string(field);
  }

  std::string quoted() {
    const size_t open = at_++;
    std::string field;
    for (;; ++at_) {
      if (done()) fail(open, "this quote is never closed");
      if (text_[at_] == '"' && text_.substr(++at_, 1) != "\"") break;
      field += text_[at_];
    }
    if (!ends_field(at_))
      fail(open, "this quote closes at " + place_of(name_, text_, at_ - 1) +
                     ", and more follows it there; a quote within is written twice");
    check_rows(field, open);
    return field;
  }

  // A forgotten quote ends where the next one begins: in between lie rows.
  void check_rows(std::string_view field, size_t open) const {
    for (size_t at = 0, n = 0; at < field.size(); ++n) {
      const std::string_view line = next_line(field, at), first = line.substr(0, line.find(delimiter_));
      if (n > 0 && first.size() < line.size() && is_image_ending(ending_of(first)))
        fail(open, "what this quote opens holds a row (" + printable(first) + "); close it before");
    }
  }

  std::string_view text_;
  const std::string& name_;
  char delimiter_;
  size_t at_, line_ = 1, counted_ = 0;
};

bool blank(const std::string& field) { return field.find_first_not_of(" \t") == std::string::npos; }

// The columns' names, without blanks and quotes around them.
Record header_of(std::string_view line, char delimiter) {
  Record names;
  for (size_t from = 0, end = 0; end < line.size() || names.empty(); from = end + 1) {
    end = std::min(line.find(delimiter, from), line.size());
    std::string_view name = line.substr(from, end - from);
    for (const char* around : {" \t", "\""}) {
      name.remove_prefix(std::min(name.find_first_not_of(around), name.size()));
      name = name.substr(0, name.find_last_not_of(around) + 1);
    }
    names.emplace_back(name);
  }
  return names;
}

// The delimiter by which the header has both columns.
char delimiter_of(std::string_view line, const std::string& name) {
  std::string seen;
  for (const char delimiter : {',', ';', '\t'}) {
    const Record header = header_of(line, delimiter);
    const auto has = [&](const char* column) { return std::count(header.begin(), header.end(), column) > 0; };
    if (has("file_name") && has("text")) return delimiter;
    if (!seen.empty() && header.size() == 1) continue;
    seen.clear();
    for (const std::string& column : header) seen += (seen.empty() ? "\"" : ", \"") + printable(column) + "\"";
  }
  throw Failure(PERRIN_INVALID_DATA, name + ":1:1: no columns are called file_name and text; there are " + seen);
}

}  // namespace

void read_csv(std::string_view text, Metadata& rows) {
  size_t first = 0;
  const std::string_view line = text.empty() ? text : next_line(text, first);
  const char delimiter = delimiter_of(line, rows.file);
  const Record header = header_of(line, delimiter);
  Csv csv(text, first, rows.file, delimiter);
  const auto column = [&](const char* name) {
    if (std::count(header.begin(), header.end(), name) > 1) csv.fail(0, "two columns are called " + std::string(name));
    return static_cast<size_t>(std::find(header.begin(), header.end(), name) - header.begin());
  };
  const size_t file = column("file_name"), caption = column("text");
  while (!csv.done()) {
    const size_t began = csv.at();
    Record record = csv.next();
    if (std::all_of(record.begin(), record.end(), blank)) continue;
    if (record.size() != header.size())
      csv.fail(began, std::to_string(record.size()) + " columns where the header has " + std::to_string(header.size()));
    if (record[file].empty()) csv.fail(began, "no file_name");
    rows.add(record[file], std::move(record[caption]), csv.line());
  }
}

}  // namespace perrin::datasets
