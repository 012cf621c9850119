// SentencePiece's table of character replacements (1808.06226, section 3.4: normalisation compiled to an automaton).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace text {

class Charsmap {
 public:
  Charsmap() = default;  // changes nothing
  // base64: "precompiled_charsmap" of a tokenizer.json. Failure(PERRIN_INVALID_DATA) if it is none.
  explicit Charsmap(std::string_view base64);

  // As the tokenizers library's Precompiled does it: a grapheme cluster of less than 6 bytes becomes what the table has for
  // the shortest of its sequences that the cluster begins with; else each of its characters does by itself. Valid UTF-8,
  // whatever the table has.
  std::string operator()(std::string_view text) const;

 private:
  // What the table has for the shortest of its sequences at the start of `text`.
  std::optional<std::string_view> replacement(std::string_view text) const;

  std::vector<uint32_t> trie_;  // a double array of darts-clone
  std::string replacements_;    // each ends with a zero
};

}  // namespace text
