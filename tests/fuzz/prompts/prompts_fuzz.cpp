// Any bytes as a prompt: a text with a weight for each byte, or one clean Error. The text with its letters escaped
// reads as itself. Everything else is a finding.
#include <algorithm>

#include "host/base/error.hpp"
#include "host/config/text.hpp"
#include "host/sample/prompt.hpp"
#include "tests/fuzz/input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace perrin;
  using fuzz::require;
  try {
    const sample::Prompt prompt = sample::parse_prompt(fuzz::text_of(data, size));
    require(prompt.text.size() <= size && prompt.weights.size() == prompt.text.size());
    require(config::is_utf8(prompt.text));
    for (const float weight : prompt.weights) require(weight >= 0 && weight <= 10);
    std::string escaped;
    for (const char c : prompt.text) {
      if (std::string_view("()\\").find(c) != std::string_view::npos) escaped += '\\';
      escaped += c;
    }
    const sample::Prompt plain = sample::parse_prompt(escaped);
    require(plain.text == prompt.text && std::ranges::count(plain.weights, 1) == std::ssize(plain.text));
  } catch (const Error& fault) {
    require(config::is_utf8(fault.message()));
  }
  return 0;
}
