// Any bytes as metadata.csv and as metadata.jsonl: rows, or one Failure with its place. A name and a caption, the parts
// before and behind the first NUL, read back from a row that is written of them. Everything else is a finding.
#include <nlohmann/json.hpp>

#include "perrin/cpp/text_file.hpp"
#include "plugins/datasets/metadata.hpp"
#include "tests/fuzz/input.hpp"

namespace {

using namespace perrin;
using datasets::Metadata;
using fuzz::require;
using Reader = void (*)(std::string_view, Metadata&);

template <class Read>
void attempt(const Read& read) {
  try {
    read();
  } catch (const Failure& failure) {
    const std::string_view what = failure.what();
    require(failure.code == PERRIN_INVALID_DATA && what.starts_with("x:") && what.size() < (1 << 20));
    for (size_t at = 0, length = 0; at < what.size(); at += length) require((length = utf8_length(what, at)) > 0);
  }
}

void read(const std::string& bytes, Reader reader) {
  Metadata rows;
  rows.file = "x";
  reader(utf8_text(bytes, rows.file), rows);
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + '"';
}

void read_back(const std::string& written, Reader reader, const std::string& name, const std::string& caption) {
  Metadata rows;
  rows.file = "x";
  reader(utf8_text(written, rows.file), rows);
  const std::string* found = rows.find(name);
  require(found && *found == caption);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string input(fuzz::text_of(data, size));
  for (const Reader reader : {datasets::read_csv, datasets::read_jsonl}) attempt([&] { read(input, reader); });
  const auto [name, caption] = fuzz::split(input);
  attempt([&, name = name, caption = caption] {
    if (utf8_text(name, "x") != name || utf8_text(caption, "x") != caption) return;
    const nlohmann::json line = {{"file_name", name}, {"text", caption}};
    read_back(line.dump() + "\n", datasets::read_jsonl, name, caption);
    if (name.find_first_not_of(" \t") == name.npos) return;  // a blank row is none
    read_back("file_name,text\r\n" + in_quotes(name) + "," + in_quotes(caption), datasets::read_csv, name, caption);
  });
  return 0;
}
