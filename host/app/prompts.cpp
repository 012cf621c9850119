#include "host/app/prompts.hpp"

#include "host/base/error.hpp"
#include "perrin/cpp/text_file.hpp"

namespace perrin::app {
namespace {

constexpr uint64_t max_bytes = 64 << 20;

std::string text_of(const std::string& file) try { return read_text(file, max_bytes); } catch (const Failure& failure) {
  throw Error("cannot read the prompts", failure.what(), "give a text file, UTF-8, with one prompt a line",
              Exit::usage);
}

}  // namespace

std::vector<std::string> read_prompts(const std::string& file) {
  const std::string text = text_of(file);
  std::vector<std::string> prompts;
  for (size_t at = 0; at < text.size();) {
    const std::string_view line = next_line(text, at);
    if (line.find_first_not_of(" \t") != std::string_view::npos) prompts.emplace_back(line);
  }
  if (prompts.empty()) throw Error("the file holds no prompt", file, "write one prompt a line", Exit::usage);
  return prompts;
}

}  // namespace perrin::app
