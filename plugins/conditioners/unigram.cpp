#include "unigram.hpp"

#include <algorithm>
#include <limits>
#include <perrin/cpp/plugin.hpp>

#include "code_points.hpp"

namespace text {
namespace {

constexpr double kUnknownPenalty = 10;  // below the rarest piece, as SentencePiece scores an unknown character

}  // namespace

Unigram::Unigram(const Json& model) {
  double worst = std::numeric_limits<double>::infinity();
  int64_t size = 0;
  for (const Json& entry : model.at("vocab")) {
    const std::string piece = entry.at(0);
    const double score = entry.at(1);
    worst = std::min(worst, score);
    longest_ = std::max(longest_, piece.size());
    pieces_.try_emplace(piece, Piece{size++, score});
  }
  const Json unknown = model.value("unk_id", Json());
  unknown_ = unknown.is_number_integer() ? unknown.get<int64_t>() : -1;
  if (unknown_ < 0 || unknown_ >= size) throw perrin::Failure(PERRIN_INVALID_DATA, "it has no unknown token (unk_id)");
  unknown_score_ = worst - kUnknownPenalty;
}

// Viterbi over the places between characters: best[i] is the best segmentation of the first i bytes.
void Unigram::encode_word(const std::string& word, std::vector<int64_t>& tokens) const {
  struct Best {
    double score = -std::numeric_limits<double>::infinity();
    size_t from = 0;
    int64_t token = -1;
  };
  std::vector<Best> best(word.size() + 1);
  best[0].score = 0;
  const auto offer = [&](size_t from, size_t to, double score, int64_t token) {
    const double sum = best[from].score + score;  // may be -infinity, and is still a way there
    if (best[to].token < 0 || sum > best[to].score) best[to] = {sum, from, token};
  };
  for (size_t at = 0, behind = 0; at < word.size(); at = behind) {
    next_code_point(word, behind);
    bool single = false;  // is this one character a piece?
    for (size_t end = behind; end <= word.size() && end - at <= longest_; next_code_point(word, end)) {
      const auto found = pieces_.find(word.substr(at, end - at));
      if (found != pieces_.end()) offer(at, end, found->second.score, found->second.token);
      single = single || (end == behind && found != pieces_.end());
      if (end == word.size()) break;
    }
    if (!single) offer(at, behind, unknown_score_, unknown_);
  }
  std::vector<int64_t> backwards;
  for (size_t at = word.size(); at > 0; at = best[at].from)
    if (best[at].token != unknown_ || backwards.empty() || backwards.back() != unknown_)  // one for a run of them
      backwards.push_back(best[at].token);
  tokens.insert(tokens.end(), backwards.rbegin(), backwards.rend());
}

}  // namespace text
