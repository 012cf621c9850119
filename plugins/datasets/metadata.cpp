#include "metadata.hpp"

#include <filesystem>

#include "found.hpp"
#include "names.hpp"

namespace perrin::datasets {

void Metadata::add(const std::string& file_name, std::string caption, size_t line) {
  const std::string name = tidy(file_name);
  const auto [row, fresh] = rows_.emplace(name, Row{file_name, std::move(caption), line});
  if (!fresh)
    throw Failure(PERRIN_INVALID_DATA, file + ":" + std::to_string(line) + ": " + printable(file_name) +
                                           " has a row already, in line " + std::to_string(row->second.line));
  composed_.emplace(composed(name), name);
}

const std::string* Metadata::find(const std::string& path) {
  const std::string name = tidy(path);
  auto row = rows_.find(name);
  if (const auto other = composed_.find(composed(name)); row == rows_.end() && other != composed_.end())
    row = rows_.find(other->second);
  if (row == rows_.end()) return nullptr;
  row->second.used = true;
  return &row->second.caption;
}

void Metadata::say_unused() const {
  Tally tally;
  for (const auto& [name, row] : rows_)
    if (!row.used) tally.add("rows without an image", row.file_name + " in line " + std::to_string(row.line));
  tally.say(file);
}

Metadata read_metadata(const std::string& folder) {
  Metadata rows;
  std::error_code ignored;
  const bool jsonl = std::filesystem::exists(folder + "/metadata.jsonl", ignored);
  const bool csv = std::filesystem::exists(folder + "/metadata.csv", ignored);
  if (!jsonl && !csv)
    throw Failure(PERRIN_IO,
                  folder + " has neither metadata.jsonl nor metadata.csv, from which captions = \"metadata\" reads");
  rows.file = folder + (jsonl ? "/metadata.jsonl" : "/metadata.csv");
  (jsonl ? read_jsonl : read_csv)(read_text(rows.file, max_table_file), rows);
  if (jsonl && csv) warn(printable(folder) + ": has metadata.jsonl, so metadata.csv is not read");
  return rows;
}

}  // namespace perrin::datasets
