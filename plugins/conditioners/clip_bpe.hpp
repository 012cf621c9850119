// CLIP's tokenizer (2103.00020, section 2.4): text in lower case, split into words, byte pair encoding of each.
//
// Before it is split a text is brought into normalisation form C, as by transformers' CLIPTokenizer, whose tokens these
// are. With `html` it is first unescaped twice (clean.hpp), as CLIP's own tokenizer does; that runs ftfy before, which
// also repairs wrongly decoded text and replaces curly quotes, ligatures and full-width letters: tokens are its own for
// text that ftfy leaves alone.
#pragma once

#include "bpe.hpp"

namespace text {

// Bytes of the word that `text` begins with, which is no space: CLIP's regular expression, special tokens aside,
//   's|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+
size_t clip_word_length(std::string_view text);

class ClipBpe {
 public:
  // Failure(PERRIN_INVALID_DATA) if the vocabulary lacks <|startoftext|> or <|endoftext|>.
  ClipBpe(const Vocabulary& vocabulary, const Merges& merges, bool html = false);
  // The vocabulary that CLIP builds from merges alone: bytes, bytes that end a word, merges, start and end.
  static Vocabulary vocabulary_of(const Merges& merges);
  // A few hundred merges of captions of shapes, colours and clothes (data/small_merges.py).
  static Merges small_merges();

  // Tokens of `text`, without start and end around them; where it has these as text, they are the special tokens. Not
  // for two threads at once: words are kept.
  std::vector<int64_t> encode(std::string_view text);

  int32_t start() const { return start_; }
  int32_t end() const { return end_; }
  int64_t entries() const { return entries_; }  // the highest token, plus one

 private:
  void encode_words(std::string_view text, std::vector<int64_t>& tokens);

  bool html_;
  int32_t start_, end_;
  int64_t entries_;
  Bpe bpe_;
};

}  // namespace text
