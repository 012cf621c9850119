// Texts that an experiment is made of, and places in them.
#pragma once

#include <deque>
#include <string>
#include <string_view>

namespace perrin::config {

// Lines and columns count from 1, columns in characters; 0 means the whole file (line) or the whole line (column).
struct Location {
  std::string file;
  int line = 0, column = 0;
  int length = 0;  // characters to underline
};

// "file:12:8", shorter where line or column are unknown; "--set 2" for an override.
std::string to_string(const Location& location);

// The place of a byte offset, one character long.
Location locate(std::string_view text, size_t offset, const std::string& file);

struct Source {
  std::string name;  // path as given, or "--set N"
  std::string text;

  std::string_view line(int number) const;  // without its end of line; empty when there is none
};

// In the order in which they were read: the file, what it includes, the overrides. Addresses stay valid.
class Sources {
 public:
  const Source& add(std::string name, std::string text);
  const Source* find(std::string_view name) const;
  size_t order(std::string_view name) const;  // size() when unknown

 private:
  std::deque<Source> sources_;
};

std::string override_name(size_t number);  // "--set 2"
bool is_override(std::string_view source_name);

}  // namespace perrin::config
