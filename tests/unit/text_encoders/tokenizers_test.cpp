// What the tokenizers hold to on any text; tests/golden/text_encoders compares their tokens with the peers'.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "perrin/cpp/plugin.hpp"
#include "plugins/conditioners/byte_bpe.hpp"
#include "plugins/conditioners/charsmap.hpp"
#include "plugins/conditioners/tokenizer.hpp"
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
  const WordPiece endless({{"[UNK]", 0}, {"a", 1}, {"##a", 2}}, "[UNK]", "##", SIZE_MAX);
  std::vector<int64_t> tokens;
  endless.encode_word(std::string(20000, 'a'), tokens);  // in time: no piece is longer than the longest token
  EXPECT_EQ(tokens.size(), 20000u);
  EXPECT_NE(refusal([] {
              WordPiece("vocab.txt", {"[PAD]", "[UNK]", "[CLS]"}, true);
            }).find("vocab.txt has no line \"[SEP]\""),
            std::string::npos);
}

// RFC 4648, section 4; without the padding.
std::string base64_of(const std::string& bytes) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto byte = [&](size_t i) { return i < bytes.size() ? static_cast<uint8_t>(bytes[i]) : 0u; };
  std::string text;
  for (size_t bit = 0; bit < 8 * bytes.size(); bit += 6)
    text += digits[(byte(bit / 8) << 8 | byte(bit / 8 + 1)) >> (10 - bit % 8) & 63];
  return text;
}

nlohmann::json unigram_file() {
  return nlohmann::json::parse(R"({"model": {"type": "Unigram", "unk_id": 2, "vocab": [
    ["<pad>", 0], ["</s>", 0], ["<unk>", 0], ["▁", -2], ["▁a", -3], ["b", -2], ["ab", -4], ["▁ab", -6]]},
    "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "Metaspace"}]},
    "added_tokens": [{"id": 0, "content": "<pad>", "special": true}, {"id": 1, "content": "</s>", "special": true}]})");
}
Encoder t5(const nlohmann::json& file) { return parse_tokenizer(file.dump(), "x.json", {"", "</s>", "<pad>"}); }

// By hand: "▁ab" alone costs 6, "▁a" + "b" 5, "▁" + "ab" 6. The unknown z costs 10 more than the rarest, 16.
TEST(Unigram, takes_the_likeliest_segmentation) {
  const Encoder pieces = t5(unigram_file());
  EXPECT_EQ(pieces.encode("  ab "), (std::vector<int64_t>{4, 5}));
  EXPECT_EQ(pieces.encode("ab b"), (std::vector<int64_t>{4, 5, 3, 5}));
  EXPECT_EQ(pieces.encode("azzb"), (std::vector<int64_t>{4, 2, 5})) << "a run of unknown characters is one token";
  EXPECT_EQ(pieces.encode(""), std::vector<int64_t>());
  EXPECT_EQ(pieces.encode("a</s>b"), (std::vector<int64_t>{4, 1, 3, 5})) << "an added token in a text";
  EXPECT_EQ(pieces.marks.padding, 0);
  EXPECT_EQ(pieces.marks.last, 1);
  EXPECT_FALSE(pieces.marks.first);
  EXPECT_EQ(pieces.size, 8);
}

TEST(Tokenizer, takes_its_marks_from_the_post_processor) {
  auto file = unigram_file();
  file["post_processor"] = nlohmann::json::parse(R"({"type": "TemplateProcessing", "single": [
    {"SpecialToken": {"id": "<pad>"}}, {"Sequence": {"id": "A"}}, {"SpecialToken": {"id": "</s>"}}]})");
  EXPECT_EQ(t5(file).marks.first, 0);
  EXPECT_EQ(t5(file).marks.last, 1);
}

TEST(Tokenizer, says_what_a_file_lacks_and_what_is_not_known) {
  const auto said = [](const std::string& where, const nlohmann::json& value) {
    auto file = unigram_file();
    file[nlohmann::json::json_pointer(where)] = value;
    return refusal([&] { t5(file); });
  };
  const auto has = [&](const std::string& message, const std::string& part) {
    EXPECT_NE(message.find(part), std::string::npos) << part << " is not in: " << message;
    EXPECT_NE(message.find("x.json"), std::string::npos) << message;
  };
  has(said("/model/type", "WordLevel"), "WordLevel");
  has(said("/model/type", "BPE"), "ByteLevel");
  has(said("/model/unk_id", nullptr), "no unknown token");
  has(said("/model/byte_fallback", true), "byte_fallback");
  has(said("/normalizer", {{"type", "Precompiled"}, {"precompiled_charsmap", "////"}}), "precompiled_charsmap is damaged");
  has(said("/normalizer", {{"type", "ByteLevel"}}), "normalizer \"ByteLevel\"");
  has(said("/normalizer", {{"type", "Replace"}, {"pattern", {{"Regex", "a+"}}}, {"content", ""}}), "regular expression \"a+\"");
  has(said("/pre_tokenizer", {{"type", "UnicodeScripts"}}), "pre_tokenizer \"UnicodeScripts\"");
  has(said("/post_processor", {{"type", "Other"}}), "post_processor \"Other\"");
  has(said("/model", "text"), "x.json");
  has(said("/model/vocab", 3), "x.json");
  has(refusal([] { parse_tokenizer("{", "x.json", {}); }), "x.json is not JSON");
  has(refusal([] { parse_tokenizer("[]", "x.json", {}); }), "no \"model\"");
}

// What tests/fuzz/tokenizers holds every file to, and files that did not hold it.
TEST(Tokenizer, gives_tokens_below_its_size_of_any_file) {
  auto file = unigram_file();
  file["model"]["vocab"] =
      nlohmann::json::parse(R"([["</s>", -1e308], ["<pad>", -1e308], ["▁a", -1e308], ["a", -1e308]])");
  EXPECT_EQ(t5(file).encode("aa"), (std::vector<int64_t>{2, 3})) << "likelihoods beyond all numbers";
  const auto bpe = [](const char* number) {
    return parse_tokenizer(R"({"model": {"type": "BPE", "unk_token": "</s>", "merges": [], "vocab": {"</s>": 0, "a": )" +
                               std::string(number) + R"(}}, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false},
                           "added_tokens": [{"id": 2, "content": "a", "single_word": true}]})",
                           "x.json", {"", "</s>", ""});
  };
  EXPECT_EQ(bpe("50").encode("aa"), (std::vector<int64_t>{50, 50}));
  EXPECT_EQ(bpe("50").size, 51) << "an added token has the name of another";
  for (const char* number : {"-1", "5000000001", "1e300", "0.5"})
    EXPECT_NE(refusal([&] { bpe(number); }).find("\"a\" has no number from 0 on"), std::string::npos) << number;
}

// Found by tests/fuzz/tokenizers: 40 rules that double a text, and a table that cuts a character.
TEST(Normalizer, ends_in_time_and_in_utf8) {
  auto file = unigram_file();
  const nlohmann::json twice = {{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", "aa"}};
  file["normalizer"] = {{"type", "Sequence"}, {"normalizers", std::vector<nlohmann::json>(40, twice)}};
  EXPECT_NE(refusal([&] { t5(file).encode("a"); }).find("of a text"), std::string::npos);
  // Units of 0, 'a' at 0x60 and its leaf at 0x100; then two of the three bytes of a character.
  std::vector<uint32_t> units(0x101);
  units[0] = 1 << 10, units[0x60] = 'a' | 1 << 8 | 0x160 << 10, units[0x100] = 1u << 31;
  const uint32_t bytes = 4 * 0x101;
  std::string table(reinterpret_cast<const char*>(&bytes), 4);
  table.append(reinterpret_cast<const char*>(units.data()), bytes);
  EXPECT_EQ(Charsmap(base64_of(table + "\xe2\x96"))("bab"), "b\uFFFD\uFFFDb");
}

// As deep as a parser's stack that recurses.
TEST(Tokenizer, refuses_json_that_is_nested_without_end) {
  const std::string deep = std::string(2000000, '[') + std::string(2000000, ']');
  EXPECT_NE(refusal([&] { parse_tokenizer(deep, "x.json", {}); }).find("nested deeper than 64"), std::string::npos);
  std::string normalizer = "null";
  for (int i = 0; i < 100; ++i) normalizer = R"({"type": "Sequence", "normalizers": [)" + normalizer + "]}";
  auto file = unigram_file();
  file["normalizer"] = "HERE";
  std::string text = file.dump();
  text.replace(text.find("\"HERE\""), 6, normalizer);
  EXPECT_NE(refusal([&] { parse_tokenizer(text, "x.json", {}); }).find("nested deeper than 64"), std::string::npos);
}

}  // namespace
}  // namespace text
