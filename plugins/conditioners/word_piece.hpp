// BERT's tokens (1810.04805): the basic tokenizer cuts a text into words, WordPiece cuts each into the longest pieces
// that the vocabulary has.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace text {

class WordPiece {
 public:
  // lines: the vocabulary, a token each; `file` is what messages call it. Failure(PERRIN_INVALID_DATA) without [PAD],
  // [UNK], [CLS] and [SEP].
  WordPiece(const std::string& file, const std::vector<std::string>& lines, bool lower_case);

  size_t size() const { return size_; }
  int64_t padding() const { return padding_; }
  int64_t first() const { return first_; }          // [CLS]
  int64_t separator() const { return separator_; }  // [SEP]
  std::vector<int64_t> encode(std::string_view text) const;

 private:
  void encode_word(const std::u32string& word, std::vector<int64_t>& tokens) const;

  bool lower_case_;
  size_t size_;
  std::unordered_map<std::string, int64_t> tokens_;
  int64_t padding_, unknown_, first_, separator_;
};

// The basic tokenizer's words: control characters dropped, cut at white space, punctuation and Chinese characters a
// word each; in lower case and without accents if asked for.
std::vector<std::u32string> basic_words(std::string_view text, bool lower_case);

}  // namespace text
