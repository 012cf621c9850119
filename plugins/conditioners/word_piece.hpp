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
  // From the model of a tokenizer.json: for encode_word alone. `prefix`: of pieces within a word. A word of more than
  // `longest` characters is unknown. Failure(PERRIN_INVALID_DATA) if the tokens have no `unknown`.
  WordPiece(std::unordered_map<std::string, int64_t> tokens, const std::string& unknown, std::string prefix,
            size_t longest);

  size_t size() const { return size_; }
  int64_t padding() const { return padding_; }
  int64_t first() const { return first_; }          // [CLS]
  int64_t separator() const { return separator_; }  // [SEP]
  std::vector<int64_t> encode(std::string_view text) const;
  void encode_word(std::string_view word, std::vector<int64_t>& tokens) const;

 private:
  void encode_word(const std::u32string& word, std::vector<int64_t>& tokens) const;

  bool lower_case_ = false;
  size_t size_, longest_ = 100;  // characters, as in BERT's wordpiece tokenizer
  size_t longest_token_ = 0;     // bytes
  std::string prefix_ = "##";
  std::unordered_map<std::string, int64_t> tokens_;
  int64_t padding_ = -1, unknown_ = -1, first_ = -1, separator_ = -1;
};

// What BERT's basic tokenizer drops, what it cuts out as a word of its own, and the blocks that it calls Chinese.
bool is_bert_control(int32_t c);
bool is_bert_punctuation(int32_t c);
bool is_chinese(int32_t c);

// The basic tokenizer's words: control characters dropped, cut at white space, punctuation and Chinese characters a
// word each; in lower case and without accents if asked for.
std::vector<std::u32string> basic_words(std::string_view text, bool lower_case);

}  // namespace text
