// What a tokenizer does to a text before it cuts it: the "normalizer" of a tokenizer.json.
#pragma once

#include <functional>
#include <string>

#include "json_file.hpp"

namespace text {

// Valid UTF-8 in and out.
using Normalise = std::function<std::string(const std::string&)>;

// Failure(PERRIN_INVALID_DATA) for a text that a file's rules have made longer than any that is meant: rules that each
// double it would fill the memory.
void require_length(const std::string& text);

// As the tokenizers library 0.23 has them: Sequence, NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Strip, Prepend,
// Replace, Nmt, BertNormalizer, Precompiled; null changes nothing. Failure(PERRIN_INVALID_DATA) names any other.
Normalise normalizer_of(const Json& json);

// Bytes of the longest match of one of the regular expressions that tokenizers' files have, at `text[at]`; 0: none.
// Failure(PERRIN_INVALID_DATA) names an expression that is not known.
using Match = std::function<size_t(std::string_view text, size_t at)>;
Match match_of(const std::string& expression);

}  // namespace text
