#include "tokenizer.hpp"

#include <algorithm>
#include <memory>
#include <perrin/cpp/plugin.hpp>
#include <unordered_map>

#include "added_tokens.hpp"
#include "bpe.hpp"
#include "code_points.hpp"
#include "cuts.hpp"
#include "unigram.hpp"
#include "word_piece.hpp"

namespace text {

using perrin::Failure;

namespace {

Failure refused(const std::string& what) { return Failure(PERRIN_INVALID_DATA, what); }

// Every number is read here: what is none, is negative or does not fit would else become another token.
int32_t number_of(const std::string& token, const Json& number) {
  if (!number.is_number_unsigned() || number.get<uint64_t>() > INT32_MAX)
    throw refused("its token \"" + token + "\" has no number from 0 on");
  return number.get<int32_t>();
}

template <class Map>
Map vocabulary_of(const Json& model) {
  const Json& vocabulary = model.at("vocab");
  if (!vocabulary.is_object()) throw refused("its vocabulary is no object of tokens and their numbers");
  Map map;
  for (const auto& [token, number] : vocabulary.items()) map.emplace(token, number_of(token, number));
  return map;
}

// The tokens of one word, behind those that are there.
using Words = std::function<void(const std::string& word, std::vector<int64_t>& tokens)>;

void require_default(const Json& model, const char* key, const Json& value) {
  const Json held = model.value(key, Json());
  if (!held.is_null() && held != value)
    throw refused(std::string("its model has ") + key + " = " + held.dump() + ", which is not known here");
}

Words bpe(const Json& model, bool byte_level) {
  if (!byte_level) throw refused("its BPE is not one of bytes: its pre_tokenizer does not end with ByteLevel");
  require_default(model, "dropout", 0.0);
  require_default(model, "continuing_subword_prefix", "");
  require_default(model, "byte_fallback", false);
  require_default(model, "ignore_merges", false);
  require_default(model, "fuse_unk", false);
  const auto vocabulary = vocabulary_of<Vocabulary>(model);
  Merges merges;
  for (const Json& pair : model.at("merges")) {
    if (pair.is_array()) {
      merges.emplace_back(pair.at(0).get<std::string>(), pair.at(1).get<std::string>());
    } else {  // as files before tokenizers 0.20 write them
      const Merges one = parse_merges(pair.get<std::string>(), "a merge");
      merges.insert(merges.end(), one.begin(), one.end());
    }
  }
  const Json unknown = model.value("unk_token", Json()), suffix = model.value("end_of_word_suffix", Json());
  int32_t stand_in = Bpe::dropped;
  if (unknown.is_string()) {
    const auto found = vocabulary.find(unknown.get<std::string>());
    if (found == vocabulary.end()) throw refused("its vocabulary has no unk_token " + unknown.dump());
    stand_in = found->second;
  }
  auto own = std::make_shared<Bpe>(vocabulary, merges, suffix.is_string() ? suffix.get<std::string>() : std::string(),
                                   stand_in);
  return [own](const std::string& word, std::vector<int64_t>& tokens) {
    const std::vector<int32_t>& found = (*own)(word);
    tokens.insert(tokens.end(), found.begin(), found.end());
  };
}

Words word_piece(const Json& model) {
  const Json longest = model.value("max_input_chars_per_word", Json(100u));
  if (!longest.is_number_unsigned()) throw refused("its max_input_chars_per_word is no number from 0 on");
  auto own = std::make_shared<WordPiece>(
      vocabulary_of<std::unordered_map<std::string, int64_t>>(model), model.value("unk_token", "[UNK]"),
      model.value("continuing_subword_prefix", "##"), longest.get<size_t>());
  return [own](const std::string& word, std::vector<int64_t>& tokens) { own->encode_word(word, tokens); };
}

Words unigram(const Json& model) {
  require_default(model, "byte_fallback", false);
  auto own = std::make_shared<Unigram>(model);
  return [own](const std::string& word, std::vector<int64_t>& tokens) { own->encode_word(word, tokens); };
}

Words words_of(const Json& model, bool byte_level) {
  // Files of old releases leave the type out.
  const std::string type = model.value("type", model.contains("merges") ? "BPE" : "");
  if (type == "BPE") return bpe(model, byte_level);
  if (byte_level) throw refused("its ByteLevel pre_tokenizer stands before a model that is no BPE: " + type);
  if (type == "WordPiece") return word_piece(model);
  if (type == "Unigram") return unigram(model);
  throw refused("its model \"" + type + "\" is none of BPE, WordPiece and Unigram");
}

// Every token by what it is called: an added one stands before one of the vocabulary that has its name.
struct Known {
  std::unordered_map<std::string, int64_t> tokens;
  int64_t size = 0;  // the largest of either + 1

  void add(const std::string& name, int64_t token) {
    tokens[name] = token;
    size = std::max(size, token + 1);
  }
};

Known names_of(const Json& whole) {
  Known names;
  const Json& vocabulary = whole.at("model").at("vocab");
  if (vocabulary.is_object())
    for (const auto& [name, number] : vocabulary.items()) names.add(name, number_of(name, number));
  if (vocabulary.is_array())
    for (size_t i = vocabulary.size(); i-- > 0;)  // of one name the first
      names.add(vocabulary[i].at(0).get<std::string>(), static_cast<int64_t>(i));
  for (const Json& added : whole.value("added_tokens", Json::array())) {
    const auto name = added.at("content").get<std::string>();
    names.add(name, number_of(name, added.at("id")));
  }
  return names;
}

// Names of what a post_processor puts before and behind a text: "A" is the text.
std::vector<std::string> around(const Json& processor) {
  const std::string type = processor.is_null() ? std::string() : processor.value("type", "");
  if (type.empty() || type == "ByteLevel") return {"A"};
  if (type == "RobertaProcessing" || type == "BertProcessing")
    return {processor.at("cls").at(0).get<std::string>(), "A", processor.at("sep").at(0).get<std::string>()};
  if (type == "Sequence") {
    std::vector<std::string> all{"A"};
    for (const Json& part : processor.at("processors"))
      if (auto own = around(part); own.size() > 1) all = own;
    return all;
  }
  if (type != "TemplateProcessing") throw refused("its post_processor \"" + type + "\" is not among those that are known here");
  std::vector<std::string> all;
  for (const Json& part : processor.at("single"))
    all.push_back(part.contains("Sequence") ? std::string("A") : part.at("SpecialToken").at("id").get<std::string>());
  return all;
}

Encoder::Marks marks_of(const Json& whole, const std::unordered_map<std::string, int64_t>& names, MarkNames own) {
  const std::vector<std::string> all = around(whole.value("post_processor", Json()));
  const auto text = static_cast<size_t>(std::ranges::find(all, "A") - all.begin());
  if (text >= all.size() || text > 1 || all.size() - text > 2)
    throw refused("its post_processor puts more than one token before or behind a text");
  if (all.size() > 1) own.first = text == 1 ? all[0] : "";
  if (all.size() > text + 1) own.last = all[text + 1];
  const auto token = [&](const std::string& name) {
    const auto found = names.find(name);
    if (found == names.end()) throw refused("it has no token \"" + name + "\"");
    return found->second;
  };
  Encoder::Marks marks{.last = token(own.last), .padding = token(own.padding.empty() ? own.last : own.padding)};
  if (!own.first.empty()) marks.first = token(own.first);
  return marks;
}

}  // namespace

Encoder parse_tokenizer(const std::string& json, const std::string& file, const MarkNames& names) {
  const Json whole = parse_json(json, file);
  try {
    if (!whole.is_object() || !whole.contains("model")) throw refused("it has no \"model\"");
    const Known known = names_of(whole);
    const AddedTokens added(whole.value("added_tokens", Json::array()), normalizer_of(whole.value("normalizer", Json())));
    const Cuts cuts = cuts_of(whole.value("pre_tokenizer", Json()));
    const Words words = words_of(whole.at("model"), cuts.byte_level);
    Encoder encoder{{}, marks_of(whole, known.tokens, names), known.size};
    encoder.encode = [=](std::string_view text) {
      std::vector<int64_t> result;
      for (const AddedTokens::Stretch& part : added(utf8(code_points(text)))) {
        if (part.token) {
          result.push_back(*part.token);
          continue;
        }
        std::vector<Piece> pieces{{part.text, part.first}};
        for (const Cutter& cut : cuts.all) {
          std::vector<Piece> finer;
          for (const Piece& piece : pieces)
            for (Piece& own : cut(piece)) finer.push_back(std::move(own));
          pieces = std::move(finer);
        }
        for (const Piece& piece : pieces) words(piece.text, result);
      }
      return result;
    };
    return encoder;
  } catch (const std::exception& error) {
    throw refused(file + " is no tokenizer.json that can be used: " + error.what());
  }
}

}  // namespace text
