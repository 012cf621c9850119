#include "clip_bpe.hpp"

#include <algorithm>
#include <array>
#include <perrin/cpp/plugin.hpp>

#include "clean.hpp"
#include "code_points.hpp"

namespace text {
namespace {

constexpr std::string_view kStart = "<|startoftext|>", kEnd = "<|endoftext|>";
constexpr std::string_view kContractions[] = {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"};
constexpr const char kSmallMerges[] =
#include "data/small_merges.inc"
    ;

int32_t special(const Vocabulary& vocabulary, std::string_view token) {
  const auto found = vocabulary.find(std::string(token));
  if (found != vocabulary.end()) return found->second;
  throw perrin::Failure(PERRIN_INVALID_DATA, "the vocabulary has no \"" + std::string(token) +
                                                 "\": it is not one of CLIP's. Set `vocabulary` to the vocab.json of a "
                                                 "CLIP model");
}

enum class Class : uint8_t { space, letter, number, other };  // \s, \p{L}, \p{N} and the rest

Class class_of(int32_t c) {
  if (is_letter(c)) return Class::letter;
  if (is_number(c)) return Class::number;
  return is_space(c) ? Class::space : Class::other;
}

struct Point {
  Class kind;
  size_t length;  // bytes
};

// Of the code point that `text` begins with.
Point first_of(std::string_view text) {
  static const auto ascii = [] {
    std::array<Class, 128> table;
    for (int32_t c = 0; c < 128; ++c) table[static_cast<size_t>(c)] = class_of(c);
    return table;
  }();
  if (const auto byte = static_cast<uint8_t>(text[0]); byte < 128) return {ascii[byte], 1};
  size_t behind = 0;
  const int32_t point = next_code_point(text, behind);
  return {class_of(point), behind};
}

}  // namespace

size_t clip_word_length(std::string_view text) {
  if (text[0] == '\'')
    for (std::string_view ending : kContractions)
      if (text.starts_with(ending)) return ending.size();
  const Point first = first_of(text);
  size_t length = first.length;
  if (first.kind == Class::number) return length;
  while (length < text.size()) {
    const Point next = first_of(text.substr(length));
    if (next.kind != first.kind) break;
    length += next.length;
  }
  return length;
}

ClipBpe::ClipBpe(const Vocabulary& vocabulary, const Merges& merges, bool html)
    : html_(html),
      start_(special(vocabulary, kStart)),
      end_(special(vocabulary, kEnd)),
      entries_(1 + std::max_element(vocabulary.begin(), vocabulary.end(),
                                    [](const auto& a, const auto& b) { return a.second < b.second; })
                       ->second),
      bpe_(vocabulary, merges, "</w>", end_) {}

Vocabulary ClipBpe::vocabulary_of(const Merges& merges) {
  Vocabulary vocabulary;
  const auto add = [&](const std::string& token) {
    vocabulary.emplace(token, static_cast<int32_t>(vocabulary.size()));
  };
  for (const std::string& byte : written_bytes()) add(byte);
  for (const std::string& byte : written_bytes()) add(byte + "</w>");
  for (const auto& [left, right] : merges) add(left + right);
  add(std::string(kStart));
  add(std::string(kEnd));
  return vocabulary;
}

Merges ClipBpe::small_merges() { return parse_merges(kSmallMerges, "the built-in merges"); }

// Special tokens are found before anything is put into lower case.
std::vector<int64_t> ClipBpe::encode(std::string_view text) {
  const bool references = html_ && text.find('&') != text.npos;
  const std::string unescaped = references ? unescape_html(unescape_html(text)) : std::string(text);
  std::vector<int64_t> tokens;
  for (std::string_view rest = unescaped; !rest.empty();) {
    const size_t start = rest.find(kStart), end = rest.find(kEnd), behind = std::min({start, end, rest.size()});
    encode_words(composed_lower_case(rest.substr(0, behind)), tokens);
    if (behind == rest.size()) break;
    tokens.push_back(start < end ? start_ : end_);
    rest.remove_prefix(behind + (start < end ? kStart : kEnd).size());
  }
  return tokens;
}

void ClipBpe::encode_words(std::string_view text, std::vector<int64_t>& tokens) {
  while (!text.empty()) {
    if (const Point first = first_of(text); first.kind == Class::space) {
      text.remove_prefix(first.length);
      continue;
    }
    const std::string_view word = text.substr(0, clip_word_length(text));
    const std::vector<int32_t>& found = bpe_(word);
    tokens.insert(tokens.end(), found.begin(), found.end());
    text.remove_prefix(word.size());
  }
}

}  // namespace text
