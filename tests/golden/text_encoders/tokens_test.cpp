// The tokens of nasty texts are the peers': accents, emoji, scripts without spaces, white space of all kinds, control
// characters, words too long for a tokenizer, 200 words.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "plugins/conditioners/byte_bpe.hpp"
#include "plugins/conditioners/tokenizer.hpp"
#include "plugins/conditioners/word_piece.hpp"

namespace text {
namespace {

std::string content(const std::string& file) {
  std::ifstream stream(std::string(PERRIN_TEXT_ENCODERS) + "/" + file, std::ios::binary);
  EXPECT_TRUE(stream) << file;
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<std::string> lines(const std::string& file) {
  std::vector<std::string> result;
  std::istringstream stream(content(file));
  for (std::string line; std::getline(stream, line);) result.push_back(line);
  return result;
}

std::vector<int64_t> tokens(Bpe& bpe, const std::string& text) {
  std::vector<int64_t> result;
  for (const std::string_view piece : pieces(text)) {
    const auto& own = bpe(piece);
    result.insert(result.end(), own.begin(), own.end());
  }
  return result;
}

template <class Encode>
void expect_tokens(const char* peer, const Encode& encode) {
  size_t texts = 0, tokens = 0;
  const auto golden = nlohmann::json::parse(content("texts.json"));
  for (const auto& row : golden["texts"]) {
    const auto expected = row[peer].get<std::vector<int64_t>>();
    EXPECT_EQ(encode(row["text"].get<std::string>()), expected) << peer << ": " << row["text"];
    ++texts, tokens += expected.size();
  }
  std::printf("%s: %zu texts, %zu tokens\n", peer, texts, tokens);
  EXPECT_GT(texts, 20u);
}

// The merges of tokenizers' BpeTrainer on the same texts.
TEST(Tokens, a_learnt_vocabulary_is_the_peers) {
  PieceCounts counts;
  for (const std::string& line : lines("captions.txt"))
    for (const std::string_view piece : pieces(line)) ++counts[std::string(piece)];
  const Merges merges = learn(counts, 512);
  EXPECT_EQ(merges, parse_merges(content("learnt_merges.txt"), "learnt_merges.txt"));
  Bpe bpe(vocabulary_of(merges), merges, "", 0);
  expect_tokens("learnt", [&](const std::string& text) { return tokens(bpe, text); });
}

TEST(Tokens, of_gpt_are_the_peers) {
  const auto vocabulary = nlohmann::json::parse(content("vocab.json")).get<Vocabulary>();
  Bpe bpe(vocabulary, parse_merges(content("merges.txt"), "merges.txt"), "", 0);
  expect_tokens("gpt", [&](const std::string& text) { return tokens(bpe, text); });
}

TEST(Tokens, of_bert_are_the_peers) {
  const WordPiece uncased("vocab.txt", lines("vocab.txt"), true), cased("vocab.txt", lines("vocab.txt"), false);
  expect_tokens("bert", [&](const std::string& text) { return uncased.encode(text); });
  expect_tokens("bert_cased", [&](const std::string& text) { return cased.encode(text); });
}

TEST(Tokens, of_t5_are_the_peers) {
  const Encoder t5 = parse_tokenizer(content("tokenizer.json"), "tokenizer.json", {"", "</s>", "<pad>"});
  expect_tokens("t5", t5.encode);
}

// Files that transformers' CLIP, GPT-2, BERT and T5 tokenizers save, and others of the tokenizers library;
// tokenizers.py.
TEST(Tokens, of_tokenizer_files_are_the_peers) {
  const auto golden = nlohmann::json::parse(content("tokenizers.json"));
  const std::map<std::string, MarkNames> names = {{"clip", {"<|startoftext|>", "<|endoftext|>", ""}},
                                                  {"gpt", {"", "<|endoftext|>", ""}},
                                                  {"bytes", {"", "<|endoftext|>", ""}},
                                                  {"bert", {"[CLS]", "[SEP]", "[PAD]"}},
                                                  {"bert_cased", {"[CLS]", "[SEP]", "[PAD]"}},
                                                  {"bert_accents", {"[CLS]", "[SEP]", "[PAD]"}}};
  EXPECT_GE(golden["texts"].size(), 250u);
  EXPECT_GE(golden["files"].size(), 11u);
  for (const auto& [name, file] : golden["files"].items()) {
    const auto own = names.find(name);
    const Encoder encoder =
        parse_tokenizer(file.dump(), name, own == names.end() ? MarkNames{"", "</s>", "<pad>"} : own->second);
    size_t tokens = 0, apart = 0;
    for (size_t i = 0; i < golden["texts"].size(); ++i) {
      const std::string text = golden["texts"][i].get<std::string>();
      // Combining marks of Unicode 9 and 14: accents here and letters to the peer, whose tables are older.
      const bool newer = text.find("\U00011C9C") != std::string::npos || text.find("\U0001CF0D") != std::string::npos;
      if (newer && (name == "bert" || name == "mixed")) continue;
      const auto expected = golden["tokens"][name][i].get<std::vector<int64_t>>();
      const auto given = encoder.encode(text);
      tokens += expected.size();
      if (given == expected) continue;
      if (++apart <= 3) EXPECT_EQ(given, expected) << name << ": " << golden["texts"][i];
    }
    EXPECT_EQ(apart, 0u) << name;
    std::printf("%s: %zu texts, %zu tokens\n", name.c_str(), golden["texts"].size(), tokens);
  }
}

}  // namespace
}  // namespace text
