// Tokens that are found in a text as they stand, before anything else is done to it: "added_tokens" of a tokenizer.json.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "normalizer.hpp"

namespace text {

class AddedTokens {
 public:
  // A stretch of text, or the token that stands in its place.
  struct Stretch {
    std::string text;
    bool first;  // where the whole text begins
    std::optional<int64_t> token;
  };

  // Those with "normalized": true are looked for in normalised text. The numbers were looked at (tokenizer.cpp).
  AddedTokens(const Json& list, const Normalise& normalise);

  // What stands between tokens is normalised. Of tokens that begin at one place the longest is taken.
  std::vector<Stretch> operator()(const std::string& text) const;

 private:
  struct Token {
    std::string content;
    int64_t id;
    bool single_word, lstrip, rstrip;
  };
  bool keeps_first(const std::string& text) const;
  std::vector<Stretch> found(const std::vector<Token>& tokens, const Stretch& whole) const;

  Normalise normalise_;
  std::vector<Token> raw_, normalised_;  // the longest first
};

}  // namespace text
