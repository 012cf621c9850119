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
  explicit Scanner(std::string_view text) : text_(text) {}

  // Offset at which a dotted key passes kMaxParts, or npos.
  size_t find() {
    int dots = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#')
        at_ = std::min(text_.find('\n', at_), text_.size());
      else if (c == '"' || c == '\'')
        skip_string(c);
      else {
        const bool bare =
            std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == ' ' || c == '\t';
        dots = c == '.' ? dots + 1 : bare ? dots : 0;
        if (dots >= kMaxParts) return at_;
        ++at_;
      }
    }
    return std::string_view::npos;
  }

 private:
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
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

std::optional<Location> find_deep_key(std::string_view text, const std::string& file) {
  const size_t offset = Scanner(text).find();
  if (offset == std::string_view::npos) return std::nullopt;
  return locate(text, offset, file);
}

}  // namespace perrin::config
