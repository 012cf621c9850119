// SentencePiece's unigram model (1804.10959): the segmentation of greatest likelihood.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "json_file.hpp"

namespace text {

class Unigram {
 public:
  // model: of a tokenizer.json. Failure(PERRIN_INVALID_DATA) if it has no unknown token.
  explicit Unigram(const Json& model);

  // Tokens of a word, white space as the vocabulary writes it, behind those that are there.
  void encode_word(const std::string& word, std::vector<int64_t>& tokens) const;

 private:
  struct Piece {
    int64_t token;
    double score;  // log probability
  };
  std::unordered_map<std::string, Piece> pieces_;
  size_t longest_ = 0;  // piece, in bytes
  double unknown_score_ = 0;
  int64_t unknown_ = 0;
};

}  // namespace text
