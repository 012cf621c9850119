// SentencePiece's table of character replacements (1808.06226, section 3.4: normalisation compiled to an automaton).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace text {

class Charsmap {
 public:
  Charsmap() = default;  // changes nothing
  // base64: "precompiled_charsmap" of a tokenizer.json. Failure(PERRIN_INVALID_DATA) if it is none.
  explicit Charsmap(std::string_view base64);

  // At each place the longest sequence of the table is replaced; other characters stay.
  std::string operator()(std::string_view text) const;

 private:
  // Bytes of the longest sequence at the start of `text`, 0 if none; `replacement` is set where there is one.
  size_t match(std::string_view text, std::string_view& replacement) const;

  std::vector<uint32_t> trie_;  // a double array of darts-clone
  std::string replacements_;    // each ends with a zero
};

}  // namespace text
