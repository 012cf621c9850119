// Where a tokenizer cuts a text into words: the "pre_tokenizer" of a tokenizer.json.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "json_file.hpp"

namespace text {

struct Piece {
  std::string text;
  bool first;  // where the whole text begins
};
using Cutter = std::function<std::vector<Piece>(const Piece&)>;

struct Cuts {
  std::vector<Cutter> all;     // one after the other
  bool byte_level = false;  // the last: its words are for a BPE of bytes
};

// As the tokenizers library 0.23 has them: Sequence, BertPreTokenizer, ByteLevel, Digits, Metaspace, Punctuation, Split,
// WhitespaceSplit; null cuts nowhere. Failure(PERRIN_INVALID_DATA) names any other.
Cuts cuts_of(const Json& json);

}  // namespace text
