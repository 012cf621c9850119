#include "byte_bpe.hpp"

#include <set>

namespace text {
namespace {

using Pair = std::pair<int32_t, int32_t>;

// Every such pair in `tokens`, from the left, becomes one token.
void replace(std::vector<int32_t>& tokens, Pair pair, int32_t token) {
  size_t kept = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const bool here = i + 1 < tokens.size() && Pair(tokens[i], tokens[i + 1]) == pair;
    tokens[kept++] = here ? token : tokens[i];
    i += here;
  }
  tokens.resize(kept);
}

// How often each pair stands in the pieces, and where.
class Pairs {
 public:
  explicit Pairs(const PieceCounts& counts) {
    for (const auto& [piece, count] : counts) {
      Word& word = words_.emplace_back(Word{{}, static_cast<int64_t>(count)});
      for (const char c : piece)
        word.tokens.push_back(static_cast<int32_t>(token_of_byte(static_cast<unsigned char>(c))));
      add(words_.size() - 1, +1);
    }
  }

  struct Commonest {
    Pair pair;
    int64_t count;
  };
  Commonest commonest() const {
    if (queue_.empty()) return {{}, 0};
    return {queue_.begin()->second, -queue_.begin()->first};
  }

  void join(Pair pair, int32_t token) {
    const std::set<size_t> where = std::move(where_[pair]);
    for (const size_t w : where) {
      add(w, -1);
      replace(words_[w].tokens, pair, token);
      add(w, +1);
    }
  }

 private:
  struct Word {
    std::vector<int32_t> tokens;
    int64_t count;
  };

  void add(size_t w, int64_t sign) {
    const auto& [tokens, count] = words_[w];
    for (size_t i = 0; i + 1 < tokens.size(); ++i) {
      const Pair pair(tokens[i], tokens[i + 1]);
      int64_t& total = count_[pair];
      queue_.erase({-total, pair});
      total += sign * count;
      if (total > 0) queue_.insert({-total, pair});
      if (sign > 0) where_[pair].insert(w);
    }
  }

  std::vector<Word> words_;
  std::map<Pair, int64_t> count_;
  std::map<Pair, std::set<size_t>> where_;    // and where it was
  std::set<std::pair<int64_t, Pair>> queue_;  // (-count, pair)
};

}  // namespace

Merges learn(const PieceCounts& counts, size_t size) {
  std::vector<std::string> tokens = written_bytes();
  Vocabulary known = vocabulary_of({});
  Merges merges;
  Pairs pairs(counts);
  while (tokens.size() < size) {
    const auto [pair, count] = pairs.commonest();
    if (count < 2) break;
    const auto& [left, right] =
        merges.emplace_back(tokens[static_cast<size_t>(pair.first)], tokens[static_cast<size_t>(pair.second)]);
    const auto [entry, is_new] = known.try_emplace(left + right, static_cast<int32_t>(tokens.size()));
    if (is_new) tokens.push_back(entry->first);
    pairs.join(pair, entry->second);
  }
  return merges;
}

Vocabulary vocabulary_of(const Merges& merges) {
  Vocabulary vocabulary;
  const auto add = [&](const std::string& token) {
    vocabulary.try_emplace(token, static_cast<int32_t>(vocabulary.size()));
  };
  for (const std::string& byte : written_bytes()) add(byte);
  for (const auto& [left, right] : merges) add(left + right);
  return vocabulary;
}

std::string merges_text(const Merges& merges) {
  std::string text = "#version: 0.2\n";
  for (const auto& [left, right] : merges) text += left + ' ' + right + '\n';
  return text;
}

}  // namespace text
