#include "unigram.hpp"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <perrin/cpp/plugin.hpp>

#include "code_points.hpp"

namespace text {
namespace {

using Json = nlohmann::json;

constexpr const char* kSpace = "\u2581";  // stands before each word
constexpr double kUnknownPenalty = 10;    // below the rarest piece, as SentencePiece scores an unknown character

// The charsmap of a normalizer, alone or in a sequence; "" if there is none.
std::string charsmap_of(const Json& normalizer) {
  if (!normalizer.is_object()) return {};
  if (const auto held = normalizer.find("precompiled_charsmap"); held != normalizer.end() && held->is_string())
    return *held;
  for (const Json& part : normalizer.value("normalizers", Json::array()))
    if (const std::string found = charsmap_of(part); !found.empty()) return found;
  return {};
}

// Each with kSpace before it; a kSpace of the text's own begins a word too.
std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> result;
  bool inside = false;
  for (const int32_t c : code_points(text)) {
    const bool space = is_space(c), own = c == 0x2581;
    if (own || (!space && !inside)) result.emplace_back(kSpace);
    if (!own && !space) append(result.back(), c);
    inside = !space;
  }
  return result;
}

}  // namespace

Unigram::Unigram(const std::string& file, const std::string& json) try {
  const Json whole = Json::parse(json), &model = whole.at("model");
  if (model.value("type", "") != "Unigram") throw perrin::Failure(PERRIN_INVALID_DATA, "its model is not a Unigram");
  double worst = std::numeric_limits<double>::infinity();
  for (const Json& entry : model.at("vocab")) {
    const std::string piece = entry.at(0);
    const double score = entry.at(1);
    worst = std::min(worst, score);
    longest_ = std::max(longest_, piece.size());
    pieces_.try_emplace(piece, Piece{size_++, score});
  }
  unknown_ = model.value("unk_id", int64_t{-1});
  if (unknown_ < 0 || unknown_ >= size_) throw perrin::Failure(PERRIN_INVALID_DATA, "it has no unknown token (unk_id)");
  unknown_score_ = worst - kUnknownPenalty;
  for (const Json& added : whole.value("added_tokens", Json::array())) {
    const int64_t token = added.at("id");
    size_ = std::max(size_, token + 1);
    if (added.at("content") == "<pad>") padding_ = token;
    if (added.at("content") == "</s>") end_ = token;
  }
  if (padding_ < 0 || end_ < 0) throw perrin::Failure(PERRIN_INVALID_DATA, "it has no <pad> or no </s>");
  if (const std::string map = charsmap_of(whole.value("normalizer", Json())); !map.empty()) normalise_ = Charsmap(map);
} catch (const std::exception& error) {
  throw perrin::Failure(PERRIN_INVALID_DATA, file + " is not the tokenizer.json of a T5: " + error.what());
}

std::vector<int64_t> Unigram::encode(std::string_view text) const {
  std::vector<int64_t> tokens;
  for (const std::string& word : words(normalise_(text))) encode_word(word, tokens);
  return tokens;
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
    if (best[from].score + score > best[to].score) best[to] = {best[from].score + score, from, token};
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
