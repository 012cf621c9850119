#include "word_piece.hpp"

#include <algorithm>
#include <perrin/cpp/plugin.hpp>

#include "code_points.hpp"

namespace text {

bool is_bert_control(int32_t c) {
  const bool line = c == '\t' || c == '\n' || c == '\r';  // control characters that are white space to BERT
  return !line && (c == 0 || c == 0xFFFD || is_control(c));
}

// The blocks that BERT's basic tokenizer calls Chinese: CJK Unified Ideographs, their extensions A to E and the
// compatibility ideographs. Kana and Hangul stand in words, as other alphabets do.
bool is_chinese(int32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
         (c >= 0x2A700 && c <= 0x2CEAF) || (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

// BERT counts all of ASCII's signs as punctuation, $ + < = > ^ ` | ~ too.
bool is_bert_punctuation(int32_t c) {
  const bool ascii = (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126);
  return ascii || is_punctuation(c);
}

namespace {

std::vector<int32_t> folded(const std::vector<int32_t>& characters) {
  std::vector<int32_t> result;
  for (const int32_t c : decomposed(characters))
    if (!is_accent(c)) result.push_back(lower(c));
  return result;
}

std::string bytes_of(std::u32string_view characters) {
  std::string result;
  for (const char32_t c : characters) append(result, static_cast<int32_t>(c));
  return result;
}

}  // namespace

std::vector<std::u32string> basic_words(std::string_view text, bool lower_case) {
  std::vector<int32_t> clean;
  for (const int32_t c : code_points(text)) {
    if (is_bert_control(c)) continue;
    clean.push_back(is_space(c) ? ' ' : c);
  }
  std::vector<std::u32string> words;
  bool inside = false;
  for (const int32_t c : lower_case ? folded(clean) : clean) {
    const bool alone = is_bert_punctuation(c) || is_chinese(c);
    if (c != ' ' && (alone || !inside)) words.emplace_back();
    if (c != ' ') words.back() += static_cast<char32_t>(c);
    inside = c != ' ' && !alone;
  }
  return words;
}

WordPiece::WordPiece(const std::string& file, const std::vector<std::string>& lines, bool lower_case)
    : lower_case_(lower_case), size_(lines.size()) {
  for (const std::string& line : lines) {
    tokens_[line] = static_cast<int64_t>(&line - lines.data());
    longest_token_ = std::max(longest_token_, line.size());
  }
  const auto find = [&](const char* token) {
    const auto found = tokens_.find(token);
    if (found != tokens_.end()) return found->second;
    throw perrin::Failure(PERRIN_INVALID_DATA,
                          file + " has no line \"" + token + "\": it is not the vocab.txt of a BERT, one token a line");
  };
  padding_ = find("[PAD]"), unknown_ = find("[UNK]"), first_ = find("[CLS]"), separator_ = find("[SEP]");
}

WordPiece::WordPiece(std::unordered_map<std::string, int64_t> tokens, const std::string& unknown, std::string prefix,
                     size_t longest)
    : size_(tokens.size()), longest_(longest), prefix_(std::move(prefix)), tokens_(std::move(tokens)) {
  const auto found = tokens_.find(unknown);
  if (found == tokens_.end()) throw perrin::Failure(PERRIN_INVALID_DATA, "it has no unknown token \"" + unknown + "\"");
  unknown_ = found->second;
  for (const auto& [token, number] : tokens_) longest_token_ = std::max(longest_token_, token.size());
}

std::vector<int64_t> WordPiece::encode(std::string_view text) const {
  std::vector<int64_t> tokens;
  for (const std::u32string& word : basic_words(text, lower_case_)) encode_word(word, tokens);
  return tokens;
}

void WordPiece::encode_word(std::string_view word, std::vector<int64_t>& tokens) const {
  const std::vector<int32_t> points = code_points(word);
  encode_word(std::u32string(points.begin(), points.end()), tokens);
}

void WordPiece::encode_word(const std::u32string& word, std::vector<int64_t>& tokens) const {
  const size_t before = tokens.size();
  for (size_t first = 0; first < word.size();) {
    auto found = tokens_.end();
    size_t end = std::min(word.size(), first + longest_token_);
    if (word.size() <= longest_)
      for (; end > first && found == tokens_.end(); --end)
        found = tokens_.find((first > 0 ? prefix_ : "") + bytes_of({word.data() + first, end - first}));
    if (found == tokens_.end()) {
      tokens.resize(before);
      tokens.push_back(unknown_);
      return;
    }
    tokens.push_back(found->second);
    first = end + 1;  // the loop has stepped past the piece
  }
}

}  // namespace text
