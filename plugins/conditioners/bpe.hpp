// Byte-level byte pair encoding (1508.07909 over the bytes of UTF-8), as CLIP and GPT-2 have it: a word's bytes are
// joined, the pair of lowest rank first, until no pair of the list is left.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace text {

// A token as vocabulary files write it -> its number. Bytes are written as byte_bpe.hpp says.
using Vocabulary = std::unordered_map<std::string, int32_t>;
// Pairs of tokens, the lowest rank first.
using Merges = std::vector<std::pair<std::string, std::string>>;

// The files vocab.json and merges.txt of Hugging Face's layout, found as perrin.artifact/1 finds files. Failures name
// the file and the line; `key` is what the experiment calls the file.
Vocabulary read_vocabulary(const std::string& name, const std::string& key);
Merges read_merges(const std::string& name, const std::string& key);
// The text of a merges.txt; `file` stands in messages.
Merges parse_merges(std::string_view text, const std::string& file);

// How files write the bytes, in the order of the first 256 entries of GPT-2's and CLIP's vocabularies.
std::vector<std::string> written_bytes();

class Bpe {
 public:
  static constexpr int32_t dropped = -1;
  // end_of_word: what a word's last byte has behind it in `vocabulary`, "</w>" or nothing. unknown: stands for bytes
  // that the vocabulary does not have; `dropped`: nothing does. Failure(PERRIN_INVALID_DATA) if a merge's parts or result are not in the
  // vocabulary.
  Bpe(const Vocabulary& vocabulary, const Merges& merges, const std::string& end_of_word, int32_t unknown);

  // Tokens of a word that is not empty, valid until the next call. Words are kept: not for two threads at once.
  const std::vector<int32_t>& operator()(std::string_view word);

 private:
  struct Merge {
    int32_t rank, token;
  };
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
  };
  static constexpr int32_t never = INT32_MAX;
  static constexpr size_t most_words = 65536;  // kept

  Merge merge_of(int32_t left, int32_t right) const;
  void join(std::vector<int32_t>& tokens) const;

  int32_t inner_[256], last_[256];  // tokens of a byte within a word and at its end
  std::unordered_map<uint64_t, Merge> merges_;
  std::unordered_map<std::string, std::vector<int32_t>, Hash, std::equal_to<>> words_;
  std::vector<int32_t> beyond_;  // the last word, once enough are kept
};

}  // namespace text
