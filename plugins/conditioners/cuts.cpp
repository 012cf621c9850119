#include "cuts.hpp"

#include <algorithm>
#include <perrin/cpp/plugin.hpp>

#include "byte_bpe.hpp"
#include "code_points.hpp"
#include "normalizer.hpp"
#include "word_piece.hpp"

namespace text {

using perrin::Failure;

namespace {

Failure refused(const std::string& what) { return Failure(PERRIN_INVALID_DATA, what); }

void add(std::vector<Piece>& pieces, const Piece& whole, size_t first, size_t end) {
  if (end > first) pieces.push_back({whole.text.substr(first, end - first), whole.first && first == 0});
}

// What becomes of a character that separates: a piece of its own, together with its neighbours, or nothing.
enum class Separator { isolated, contiguous, removed };
Cutter at_each(bool (*separates)(int32_t), Separator kind) {
  return [=](const Piece& whole) {
    std::vector<Piece> result;
    size_t first = 0;
    bool inside = false;  // a run of separators
    for (size_t at = 0, behind = 0; at < whole.text.size(); at = behind) {
      const bool here = separates(next_code_point(whole.text, behind));
      if (!here && !inside) continue;
      if (!inside || kind != Separator::contiguous || !here) {
        if (!inside || kind != Separator::removed) add(result, whole, first, at);
        first = at;
      }
      inside = here;
    }
    if (!inside || kind != Separator::removed) add(result, whole, first, whole.text.size());
    return result;
  };
}

// pre_tokenizers/metaspace.rs.
Cutter metaspace(const Json& json) {
  const std::string mark = json.value("replacement", "\u2581"), scheme = json.value("prepend_scheme", "always");
  const bool split = json.value("split", true);
  if (mark.empty()) throw refused("its pre_tokenizer Metaspace has an empty replacement");
  return [=](const Piece& whole) {
    Piece piece{"", whole.first};
    for (const char c : whole.text) {
      if (c == ' ')
        require_length(piece.text += mark);
      else
        piece.text += c;
    }
    const bool prepend = scheme == "always" || (scheme == "first" && whole.first);
    if (prepend && !piece.text.starts_with(mark)) piece.text.insert(0, mark);
    if (!split) return std::vector<Piece>{piece};
    std::vector<Piece> result;
    for (size_t first = 0; first < piece.text.size();) {
      const size_t end = std::min(piece.text.find(mark, first + 1), piece.text.size());
      add(result, piece, first, end);
      first = end;
    }
    return result;
  };
}

// Matches alone (`Removed`, inverted), or also what is between them (`Isolated`).
Cutter split(const Json& json) {
  const std::string behavior = json.value("behavior", "");
  const bool only = behavior == "Removed" && json.value("invert", false);
  if (!only && behavior != "Isolated")
    throw refused("its pre_tokenizer Split has the behavior \"" + behavior + "\", which is not known here");
  const Match match = match_of(json.at("pattern").at("Regex").get<std::string>());
  return [=](const Piece& whole) {
    std::vector<Piece> result;
    size_t first = 0, at = 0;
    const auto between = [&] {
      if (!only) add(result, whole, first, at);
    };
    while (at < whole.text.size()) {
      const size_t length = match(whole.text, at);
      if (length == 0) {
        next_code_point(whole.text, at);
        continue;
      }
      between();
      add(result, whole, at, at + length);
      first = at += length;
    }
    between();
    return result;
  };
}

// pre_tokenizers/byte_level.rs; that a BPE of bytes writes them as characters is its own affair.
Cutter byte_level(const Json& json) {
  const bool space = json.value("add_prefix_space", true), words = json.value("use_regex", true);
  return [=](const Piece& whole) {
    const Piece piece{space && !whole.text.starts_with(' ') ? " " + whole.text : whole.text, whole.first};
    std::vector<Piece> result;
    if (!words) return std::vector<Piece>{piece};
    for (const std::string_view one : pieces(piece.text)) result.push_back({std::string(one), false});
    return result;
  };
}

void add_cuts(const Json& json, Cuts& cuts) {
  if (json.is_null()) return;
  const std::string type = json.value("type", "");
  if (cuts.byte_level) throw refused("its pre_tokenizer has \"" + type + "\" behind ByteLevel, which must be the last");
  if (type == "Sequence") {
    for (const Json& part : json.at("pretokenizers")) add_cuts(part, cuts);
  } else if (type == "WhitespaceSplit") {
    cuts.all.push_back(at_each(is_space, Separator::removed));
  } else if (type == "BertPreTokenizer") {
    cuts.all.push_back(at_each(is_space, Separator::removed));
    cuts.all.push_back(at_each(is_bert_punctuation, Separator::isolated));
  } else if (type == "Punctuation" && json.value("behavior", "Isolated") == "Isolated") {
    cuts.all.push_back(at_each(is_bert_punctuation, Separator::isolated));
  } else if (type == "Digits") {
    cuts.all.push_back(at_each(is_number, json.value("individual_digits", false) ? Separator::isolated : Separator::contiguous));
  } else if (type == "Metaspace") {
    cuts.all.push_back(metaspace(json));
  } else if (type == "Split") {
    cuts.all.push_back(split(json));
  } else if (type == "ByteLevel") {
    cuts.all.push_back(byte_level(json));
    cuts.byte_level = true;
  } else {
    throw refused("its pre_tokenizer \"" + type + "\" is not among those that are known here");
  }
}

}  // namespace

Cuts cuts_of(const Json& json) {
  Cuts cuts;
  add_cuts(json, cuts);
  return cuts;
}

}  // namespace text
