#include "captions.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "found.hpp"

namespace perrin::datasets {
namespace {

namespace fs = std::filesystem;
using Captions = std::map<std::string, std::string>;

[[noreturn]] void fail(const std::string& path, size_t line, const std::string& what) {
  throw Failure(PERRIN_INVALID_DATA, path + ":" + std::to_string(line) + ": " + what);
}

Captions from_jsonl(const std::string& path) {
  Captions captions;
  const std::string bytes = whole_file(path);
  size_t number = 0;
  for (size_t at = 0, end = 0; at < bytes.size(); at = end + 1) {
    end = std::min(bytes.find('\n', at), bytes.size());
    ++number;
    if (bytes.find_first_not_of(" \t\r", at) >= end) continue;
    const auto line = nlohmann::json::parse(&bytes[at], &bytes[0] + end, nullptr, false);
    if (!line.is_object() || !line.contains("file_name") || !line.contains("text") || !line["file_name"].is_string() ||
        !line["text"].is_string())
      fail(path, number, R"(expected {"file_name": "...", "text": "..."})");
    captions[line["file_name"].get<std::string>()] = line["text"].get<std::string>();
  }
  return captions;
}

// One record from `at` on, which moves behind it; lines counts them.
std::vector<std::string> csv_record(const std::string& bytes, size_t& at, size_t& lines) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (; at < bytes.size(); ++at) {
    const char c = bytes[at];
    if (c == '\n') ++lines;
    if (quoted) {
      if (c != '"')
        fields.back() += c;
      else if (at + 1 < bytes.size() && bytes[at + 1] == '"')
        fields.back() += bytes[++at];
      else
        quoted = false;
    } else if (c == '"' && fields.back().empty()) {
      quoted = true;
    } else if (c == ',') {
      fields.emplace_back();
    } else if (c == '\n') {
      ++at;
      break;
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  return fields;
}

Captions from_csv(const std::string& path) {
  const std::string bytes = whole_file(path);
  size_t at = 0, line = 1;
  const std::vector<std::string> header = csv_record(bytes, at, line);
  const auto column = [&](const char* name) {
    const auto found = std::find(header.begin(), header.end(), name);
    if (found == header.end()) fail(path, 1, std::string("no column is called ") + name);
    return static_cast<size_t>(found - header.begin());
  };
  const size_t file = column("file_name"), text = column("text");
  Captions captions;
  while (at < bytes.size()) {
    const size_t began = line;
    const std::vector<std::string> record = csv_record(bytes, at, line);
    if (record.size() == 1 && record[0].empty()) continue;
    if (record.size() != header.size())
      fail(path, began,
           std::to_string(record.size()) + " columns where the header has " + std::to_string(header.size()));
    captions[record[file]] = record[text];
  }
  return captions;
}

}  // namespace

Captions read_metadata(const std::string& folder) {
  std::error_code ignored;
  const fs::path jsonl = fs::path(folder) / "metadata.jsonl", csv = fs::path(folder) / "metadata.csv";
  if (fs::exists(jsonl, ignored)) return from_jsonl(jsonl.string());
  if (fs::exists(csv, ignored)) return from_csv(csv.string());
  throw Failure(PERRIN_IO,
                folder + " has neither metadata.jsonl nor metadata.csv, from which captions = \"metadata\" reads");
}

void copy_caption(std::string_view caption, uint64_t size, uint8_t* out) {
  size_t n = std::min<size_t>(caption.size(), size);
  // A byte 10xxxxxx continues a character that began before it.
  if (n < caption.size())
    while (n > 0 && (static_cast<uint8_t>(caption[n]) & 0xC0) == 0x80) --n;
  std::memcpy(out, caption.data(), n);
  std::memset(out + n, 0, size - n);
}

}  // namespace perrin::datasets
