// What the tokenizers hold to on any text; tests/golden/text_encoders compares their tokens with the peers'.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "perrin/cpp/plugin.hpp"
#include "plugins/conditioners/byte_bpe.hpp"
#include "plugins/conditioners/charsmap.hpp"
#include "plugins/conditioners/unigram.hpp"
#include "plugins/conditioners/word_piece.hpp"

namespace text {
namespace {

// Any bytes, UTF-8 or not; seed 0.
std::vector<std::string> random_texts() {
  std::mt19937 draw(0);
  const std::vector<std::string> parts = {"a", "red", " ",  "  ", "\n",   "'s",   "'",
                                          "7", "é",   "圆", "😀",  "\xff", "\xc3", "!"};
  std::vector<std::string> texts;
  for (int i = 0; i < 500; ++i) {
    std::string& text = texts.emplace_back();
    for (size_t n = draw() % 12; n > 0; --n) text += parts[draw() % parts.size()];
  }
  return texts;
}

std::string refusal(const std::function<void()>& f) {
  try {
    f();
  } catch (const perrin::Failure& failure) {
    EXPECT_EQ(failure.code, static_cast<uint32_t>(PERRIN_INVALID_DATA));
    return failure.what();
  }
  return "accepted";
}

TEST(Pieces, are_the_text_again_and_never_empty) {
  for (const std::string& text : random_texts()) {
    std::string together;
    for (const std::string_view piece : pieces(text)) {
      EXPECT_FALSE(piece.empty());
      together += piece;
    }
    EXPECT_EQ(together, text);
  }
}

// Worked by hand from the expression in byte_pieces.cpp.
TEST(Pieces, keep_the_space_before_a_word_and_the_rest_apart) {
  using Parts = std::vector<std::string_view>;
  EXPECT_EQ(pieces("don't  stop3 now!\n"), (Parts{"don", "'t", " ", " stop", "3", " now", "!", "\n"}));
  EXPECT_EQ(pieces("a   "), (Parts{"a", "   "}));
  EXPECT_EQ(pieces("a\n\nb"), (Parts{"a", "\n", "\n", "b"}));
}

// 1508.07909, section 3.2: the pairs of {low: 5, lower: 2, newest: 6, widest: 3} are e s, then es t, then l o, lo w.
// (The paper's "es t</w>" and what follows needs its end of word; ties go to the smaller tokens.)
TEST(ByteBpe, learns_the_papers_first_pairs) {
  const PieceCounts counts = {{"low", 5}, {"lower", 2}, {"newest", 6}, {"widest", 3}};
  const Merges expected = {{"e", "s"}, {"es", "t"}, {"l", "o"}, {"lo", "w"}};
  const Merges learnt = learn(counts, 260);
  EXPECT_EQ(learnt, expected);
}

TEST(ByteBpe, tokens_have_the_bytes_of_the_text) {
  const PieceCounts counts = {{" red", 9}, {"red", 3}, {" circle", 5}, {"é", 4}, {"圆", 2}, {"aaaa", 3}};
  const Merges merges = learn(counts, 300);
  EXPECT_GE(merges.size(), 10u);
  const Vocabulary vocabulary = vocabulary_of(merges);
  std::vector<std::string> bytes(vocabulary.size());
  for (const auto& [written, token] : vocabulary)
    for (const char32_t c : [&] {  // every character of a file stands for a byte
           std::u32string characters;
           for (size_t at = 0; at < written.size(); ++at) {
             const auto first = static_cast<unsigned char>(written[at]);
             if (first < 0x80)
               characters += first;
             else
               characters += static_cast<char32_t>((first & 0x1F) << 6 | (written[++at] & 0x3F));
           }
           return characters;
         }())
      bytes[static_cast<size_t>(token)] += static_cast<char>(byte_of_character(static_cast<int32_t>(c)));
  Bpe bpe(vocabulary, merges, "", 0);
  for (const std::string& text : random_texts()) {
    std::string together;
    for (const std::string_view piece : pieces(text))
      for (const auto token : bpe(piece)) together += bytes[static_cast<size_t>(token)];
    EXPECT_EQ(together, text);
  }
}

TEST(ByteBpe, stops_where_no_pair_occurs_twice_and_at_the_size) {
  EXPECT_TRUE(learn({{"abcd", 1}}, 1000).empty());
  EXPECT_EQ(learn({{"abcd", 2}}, 1000).size(), 3u);
  EXPECT_EQ(learn({{"abcd", 2}}, 258).size(), 2u);
  EXPECT_EQ(learn({{"abcd", 2}}, 256).size(), 0u);
}

TEST(ByteBpe, merges_are_read_back_from_their_text) {
  const Merges merges = learn({{" #version", 3}, {"\n\t \x01", 2}, {"圆圆", 2}}, 300);
  EXPECT_GE(merges.size(), 10u);
  EXPECT_EQ(parse_merges(merges_text(merges), "t"), merges);
}

TEST(WordPiece, takes_the_longest_pieces_and_gives_up_whole_words) {
  const WordPiece words("v", {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "circ", "circle", "##le", "##s", "##l", "red", "!"},
                        true);
  EXPECT_EQ(words.encode("Circles réd!"), (std::vector<int64_t>{5, 7, 9, 10}));
  EXPECT_EQ(words.encode("circl circlex red"), (std::vector<int64_t>{4, 8, 1, 9}));
  EXPECT_EQ(words.encode(" \t\n"), std::vector<int64_t>());
  EXPECT_NE(refusal([] {
              WordPiece("vocab.txt", {"[PAD]", "[UNK]", "[CLS]"}, true);
            }).find("vocab.txt has no line \"[SEP]\""),
            std::string::npos);
}

nlohmann::json unigram_file() {
  return nlohmann::json::parse(R"({"model": {"type": "Unigram", "unk_id": 2, "vocab": [
    ["<pad>", 0], ["</s>", 0], ["<unk>", 0], ["▁", -2], ["▁a", -3], ["b", -2], ["ab", -4], ["▁ab", -6]]},
    "added_tokens": [{"id": 0, "content": "<pad>"}, {"id": 1, "content": "</s>"}]})");
}

// By hand: "▁ab" alone costs 6, "▁a" + "b" 5, "▁" + "ab" 6. The unknown z costs 10 more than the rarest, 16.
TEST(Unigram, takes_the_likeliest_segmentation) {
  const Unigram pieces("t", unigram_file().dump());
  EXPECT_EQ(pieces.encode("  ab "), (std::vector<int64_t>{4, 5}));
  EXPECT_EQ(pieces.encode("ab b"), (std::vector<int64_t>{4, 5, 3, 5}));
  EXPECT_EQ(pieces.encode("azzb"), (std::vector<int64_t>{4, 2, 5})) << "a run of unknown characters is one token";
  EXPECT_EQ(pieces.encode(""), std::vector<int64_t>());
  EXPECT_EQ(pieces.padding(), 0);
  EXPECT_EQ(pieces.end(), 1);
}

TEST(Unigram, says_what_a_file_lacks) {
  const auto said = [](const nlohmann::json& file) { return refusal([&] { Unigram("x.json", file.dump()); }); };
  auto other = unigram_file(), unknown = unigram_file(), marks = unigram_file(), map = unigram_file();
  other["model"]["type"] = "BPE";
  unknown["model"].erase("unk_id");
  marks["added_tokens"].clear();
  map["normalizer"] = {{"type", "Precompiled"}, {"precompiled_charsmap", "////"}};
  EXPECT_NE(said(other).find("x.json is not the tokenizer.json of a T5: its model is not a Unigram"),
            std::string::npos);
  EXPECT_NE(said(unknown).find("no unknown token"), std::string::npos);
  EXPECT_NE(said(marks).find("no <pad>"), std::string::npos);
  EXPECT_NE(said(map).find("precompiled_charsmap is damaged"), std::string::npos);
  EXPECT_NE(refusal([] { Unigram("x.json", "{"); }).find("x.json"), std::string::npos);
}

}  // namespace
}  // namespace text
