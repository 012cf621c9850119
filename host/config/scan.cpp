// What must not reach toml++: it recurses along dotted keys without a limit, and up to 3.4 characters beyond ASCII
// between tokens reach an unreachable point of its white-space tables.
#include <algorithm>
#include <array>
#include <cctype>

#include "host/config/parse.hpp"

namespace perrin::config {
namespace {

constexpr int kMaxParts = 32;

// Walks over text; strings and comments are skipped whole, the rest goes by in runs.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text), at_(text.starts_with("\xef\xbb\xbf") ? 3 : 0) {}

  // Why the parser must not see the text; empty when it may. Then at() is the offset of the culprit.
  std::string find() {
    int dots = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (static_cast<unsigned char>(c) >= 0x80) return "TOML syntax: a character beyond ASCII outside of quotes";
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == '"' || c == '\'') {
        skip_string(c);
      } else {
        dots = c == '.' ? dots + 1 : in_dotted_key(c) ? dots : 0;
        if (dots >= kMaxParts) return "a key has more than 32 dotted parts";
        ++at_;
      }
    }
    return "";
  }

  size_t at() const { return at_; }

 private:
  static bool in_dotted_key(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == ' ' || c == '\t';
  }

  void skip_string(char mark) {
    const std::array<char, 3> three = {mark, mark, mark};
    const std::string_view triple(three.data(), three.size());
    const bool multi = text_.substr(at_).starts_with(triple);
    const std::string_view end = multi ? triple : triple.substr(0, 1);
    at_ += end.size();
    while (at_ < text_.size() && !text_.substr(at_).starts_with(end)) {
      if (!multi && text_[at_] == '\n') return;  // not closed: the parser will say so
      at_ += mark == '"' && text_[at_] == '\\' ? 2 : 1;
    }
    at_ = std::min(at_ + end.size(), text_.size());
    for (int i = 0; i < 2 && multi && at_ < text_.size() && text_[at_] == mark; ++i) ++at_;  // quotes before the end
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

std::optional<SyntaxFault> scan_toml(std::string_view text, const std::string& file) {
  Scanner scanner(text);
  const std::string fault = scanner.find();
  if (fault.empty()) return std::nullopt;
  const bool beyond_ascii = scanner.at() < text.size() && static_cast<unsigned char>(text[scanner.at()]) >= 0x80;
  return SyntaxFault{
      locate(text, scanner.at(), file), fault,
      beyond_ascii ? "text needs quotes, and so does a key of other characters than A-Z a-z 0-9 _ -" : ""};
}

}  // namespace perrin::config
