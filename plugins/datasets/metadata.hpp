// Captions of a whole folder in one file.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "tally.hpp"

namespace perrin::datasets {

// Rows of file_name and text.
class Metadata {
 public:
  // A row that was read in this line. Throws Failure if the file has a row already.
  void add(const std::string& file_name, std::string caption, size_t line);
  // The caption of the image at this path below the folder, null if there is none. "./a", "a//b", "a\b" and names in
  // another Unicode normal form are found.
  const std::string* find(const std::string& path);
  // The rows that no image asked for.
  void say_unused() const;

  std::string file;  // it came from

 private:
  struct Row {
    std::string file_name, caption;
    size_t line = 0;
    bool used = false;
  };
  std::map<std::string, Row> rows_;              // by tidy name
  std::map<std::string, std::string> composed_;  // composed name -> tidy name
};

// The folder's metadata.jsonl ({"file_name": ..., "text": ...} a line), else its metadata.csv (RFC 4180, with columns
// of these names; comma, semicolon or tab). Throws Failure, with file, line and column where there is one.
Metadata read_metadata(const std::string& folder);

// The two formats; `text` is the file's.
void read_jsonl(std::string_view text, Metadata& rows);
void read_csv(std::string_view text, Metadata& rows);

}  // namespace perrin::datasets
