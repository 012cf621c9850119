// SentencePiece's unigram model (1804.10959): the segmentation of greatest likelihood, from a tokenizer.json of the
// Hugging Face libraries.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "charsmap.hpp"

namespace text {

class Unigram {
 public:
  // json: the file's text; `file` is what messages call it. Failure(PERRIN_INVALID_DATA) unless its model is a Unigram
  // with </s> and <pad> among its tokens.
  Unigram(const std::string& file, const std::string& json);

  int64_t size() const { return size_; }  // largest token + 1
  int64_t padding() const { return padding_; }
  int64_t end() const { return end_; }
  // White space of any length stands for one space; a control token's name in the text is text.
  std::vector<int64_t> encode(std::string_view text) const;

 private:
  struct Piece {
    int64_t token;
    double score;  // log probability
  };
  void encode_word(const std::string& word, std::vector<int64_t>& tokens) const;

  Charsmap normalise_;
  std::unordered_map<std::string, Piece> pieces_;
  size_t longest_ = 0;  // piece, in bytes
  double unknown_score_ = 0;
  int64_t size_ = 0, unknown_ = 0, padding_ = -1, end_ = -1;
};

}  // namespace text
