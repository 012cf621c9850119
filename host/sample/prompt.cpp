#include "host/sample/prompt.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "host/base/error.hpp"
#include "host/config/text.hpp"

namespace perrin::sample {
namespace {

constexpr double kMost = 10;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_escape(std::string_view text, size_t at) {
  return text[at] == '\\' && at + 1 < text.size() && std::string_view("()\\").find(text[at + 1]) != std::string_view::npos;
}

std::optional<double> number(std::string_view digits) {
  if (std::ranges::count(digits, '.') > 1 || std::ranges::none_of(digits, is_digit)) return {};
  if (digits.size() > 1 && digits[0] == '0' && digits[1] != '.') return {};
  double value = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed);
  return read.ec == std::errc() && value <= kMost ? std::optional(value) : std::nullopt;
}

// ":1.3" where `inside`, a group without its parentheses, ends.
struct Tail {
  size_t colon;
  double weight;
};
std::optional<Tail> tail_of(std::string_view inside) {
  size_t end = inside.size();
  while (end > 0 && inside[end - 1] == ' ') --end;
  size_t begin = end;
  while (begin > 0 && (is_digit(inside[begin - 1]) || inside[begin - 1] == '.')) --begin;
  const auto weight = number(inside.substr(begin, end - begin));
  while (begin > 0 && inside[begin - 1] == ' ') --begin;
  if (!weight || begin < 2 || inside[begin - 1] != ':') return {};
  return Tail{begin - 1, *weight};
}

// What is not text: where a weighted group opens, and where its tail begins and ends.
struct Mark {
  size_t at, behind;
  double weight;  // of a group that opens here; below 0: one closes
};
std::vector<Mark> marks_of(std::string_view written) {
  std::vector<Mark> marks;
  std::vector<size_t> open;
  for (size_t i = 0; i < written.size(); ++i) {
    if (is_escape(written, i)) {
      ++i;
    } else if (written[i] == '(') {
      open.push_back(i);
    } else if (written[i] == ')' && !open.empty()) {
      const size_t first = open.back() + 1;
      open.pop_back();
      const auto tail = tail_of(written.substr(first, i - first));
      if (!tail) continue;
      marks.push_back({first - 1, first, tail->weight});
      marks.push_back({first + tail->colon, i + 1, -1});
    }
  }
  std::ranges::sort(marks, {}, &Mark::at);
  return marks;
}

[[noreturn]] void refuse(std::string_view written, size_t at, const std::string& what, const std::string& fix) {
  throw Error("a prompt " + what,
              config::quote(written) + ", column " + std::to_string(config::count_characters(written.substr(0, at)) + 1), fix,
              Exit::usage);
}

}  // namespace

Prompt parse_prompt(std::string_view written) {
  if (!config::is_utf8(written)) refuse(written, 0, "is not UTF-8", "save or type it as UTF-8");
  if (const size_t zero = written.find('\0'); zero != written.npos)
    refuse(written, zero, "has a zero byte, which ends a text", "take it out");
  const std::vector<Mark> marks = marks_of(written);
  Prompt prompt;
  std::vector<double> weight{1};
  auto mark = marks.begin();
  for (size_t i = 0; i < written.size();) {
    if (mark != marks.end() && mark->at == i) {
      mark->weight < 0 ? weight.pop_back() : weight.push_back(weight.back() * mark->weight);
      i = mark++->behind;
      continue;
    }
    if (weight.back() > kMost * (1 + 1e-9))
      refuse(written, i, "has weights inside each other that multiply to more than 10", "lower one of them");
    i += is_escape(written, i);
    prompt.text += written[i++];
    prompt.weights.push_back(static_cast<float>(weight.back()));
  }
  return prompt;
}

}  // namespace perrin::sample
