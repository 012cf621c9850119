// CLIP's tokenizer by itself. tests/golden/text_clip compares it with the peers' on many more texts.
#include <gtest/gtest.h>

#include <numeric>
#include <perrin/cpp/plugin.hpp>

#include "plugins/conditioners/clean.hpp"
#include "plugins/conditioners/clip_bpe.hpp"

namespace text {
namespace {

using Ids = std::vector<int64_t>;

Vocabulary numbered(const std::vector<std::string>& tokens) {
  Vocabulary vocabulary;
  for (const std::string& token : tokens) vocabulary.emplace(token, static_cast<int32_t>(vocabulary.size()));
  return vocabulary;
}

// Vocabulary, merges, text and tokens of transformers' tests/models/clip/test_tokenization_clip.py.
TEST(ClipBpe, gives_the_tokens_of_transformers_toy_vocabulary) {
  const auto vocabulary = numbered({"l",
                                    "o",
                                    "w",
                                    "e",
                                    "r",
                                    "s",
                                    "t",
                                    "i",
                                    "d",
                                    "n",
                                    "lo",
                                    "l</w>",
                                    "w</w>",
                                    "r</w>",
                                    "t</w>",
                                    "low</w>",
                                    "er</w>",
                                    "lowest</w>",
                                    "newer</w>",
                                    "wider",
                                    "<unk>",
                                    "<|startoftext|>",
                                    "<|endoftext|>"});
  const Merges merges = parse_merges("#version: 0.2\nl o\nlo w</w>\ne r</w>", "merges.txt");
  ASSERT_EQ(merges.size(), 3u);
  ClipBpe bpe(vocabulary, merges);
  EXPECT_EQ(bpe.encode("lower newer"), (Ids{10, 2, 16, 9, 3, 2, 16}));
  EXPECT_EQ(bpe.encode("low"), (Ids{15}));
  EXPECT_EQ(bpe.encode("xyz"), (Ids{22, 22, 22})) << "what the vocabulary lacks is its end token, as there";
  EXPECT_EQ(bpe.start(), 21);
  EXPECT_EQ(bpe.end(), 22);
  EXPECT_EQ(bpe.entries(), 23);
}

// The bytes as one-character tokens: how a text is split, without merges.
class Split : public ::testing::Test {
 protected:
  // Words, each by its bytes' tokens: the last one of a word is 256 or more.
  std::vector<std::string> words(std::string_view text) {
    std::vector<std::string> result = {""};
    for (int64_t token : bpe_.encode(text)) {
      result.back() += byte(token % 256);
      if (token >= 256) result.emplace_back();
    }
    result.pop_back();
    return result;
  }

 private:
  static char byte(int64_t place) {  // printed bytes first
    for (int b = 0; b < 256; ++b)
      if (order(b) == place) return static_cast<char>(b);
    throw std::out_of_range("byte");
  }
  static int64_t order(int byte) {
    const auto prints = [](int b) { return (b > 32 && b < 127) || (b > 160 && b < 173) || b > 173; };
    int64_t before = 0;
    for (int b = 0; b < 256; ++b) before += prints(b) == prints(byte) ? b < byte : prints(b) && !prints(byte);
    return before;
  }
  ClipBpe bpe_{ClipBpe::vocabulary_of({}), {}, true};
};
using Words = std::vector<std::string>;

TEST_F(Split, knows_contractions_letters_digits_and_signs) {
  EXPECT_EQ(words("It's 2024, they'll say: \"I'm\""),
            (Words{"it", "'s", "2", "0", "2", "4", ",", "they", "'ll", "say", ":", "\"", "i", "'m", "\""}));
  EXPECT_EQ(words("'d'd''d"), (Words{"'d", "'d", "''", "d"}));
  EXPECT_EQ(words(" \t\r\n\v\f \u00a0\u2003\u3000 "), (Words{}));
  EXPECT_EQ(words(""), (Words{}));
}

TEST_F(Split, composes_accents_and_lowers_letters_of_any_script) {
  EXPECT_EQ(words("Cafe\u0301 CAFÉ"), (Words{"café", "café"}));
  EXPECT_EQ(words("ПРИВЕТ Ωμέγα İ"), (Words{"привет", "ωμέγα", "i", "\u0307"})) << "a mark alone is no letter";
  EXPECT_EQ(words("東京2"), (Words{"東京", "2"}));
}

TEST_F(Split, keeps_an_emoji_with_its_modifiers) {
  EXPECT_EQ(words("cat👨‍👩‍👧!!dog"), (Words{"cat", "👨‍👩‍👧!!", "dog"}));
}

TEST_F(Split, takes_bytes_that_are_not_text_as_replacement_characters) {
  EXPECT_EQ(words("a\xff\xfe b\xc3"), (Words{"a", "\ufffd\ufffd", "b", "\ufffd"}));
}

TEST_F(Split, unescapes_twice) { EXPECT_EQ(words("&amp;lt;b&gt; caf&eacute;"), (Words{"<", "b", ">", "café"})); }

TEST(UnescapeHtml, follows_the_standards_table) {
  EXPECT_EQ(unescape_html("&lt;&gt;&quot;&apos;&#39;&#x27;"), "<>\"'''");
  EXPECT_EQ(unescape_html("&notit; &notin; &copy2"), "¬it; ∉ ©2") << "longest name without a semicolon";
  EXPECT_EQ(unescape_html("&NotEqualTilde;&acE;"), "≂̸∾̳") << "two code points";
  EXPECT_EQ(unescape_html("& &; &# &#x; &unknown; a&"), "& &; &# &#x; &unknown; a&");
  EXPECT_EQ(unescape_html("&#128;&#150;&#0;&#xd800;&#x110000;&#99999999999;"), "€–\ufffd\ufffd\ufffd\ufffd");
  EXPECT_EQ(unescape_html("&#1;&#xfdd0;|"), "|") << "what HTML does not allow is nothing";
}

TEST(ClipBpe, takes_special_tokens_in_a_text_as_such) {
  ClipBpe bpe(ClipBpe::vocabulary_of({}), {});
  const auto a = bpe.encode("a"), b = bpe.encode("b");
  EXPECT_EQ(bpe.encode("a<|endoftext|>b<|startoftext|>"), (Ids{a[0], bpe.end(), b[0], bpe.start()}));
  EXPECT_GT(bpe.encode("<|EndOfText|>").size(), 1u);
}

TEST(ClipBpe, knows_every_word_of_its_captions_by_the_built_in_merges) {
  const Merges merges = ClipBpe::small_merges();
  ClipBpe bpe(ClipBpe::vocabulary_of(merges), merges);
  std::printf("%zu merges, %lld entries\n", merges.size(), static_cast<long long>(bpe.entries()));
  EXPECT_EQ(bpe.entries(), 512 + static_cast<int64_t>(merges.size()) + 2) << "no token twice";
  EXPECT_EQ(bpe.encode("a small red circle above two large blue triangles on a white background").size(), 13u);
  EXPECT_EQ(bpe.encode("a photo of an ankle boot").size(), 6u);
  EXPECT_GT(bpe.encode("zeppelin").size(), 1u) << "others go by their bytes";
}

TEST(ClipBpe, gives_the_same_for_a_word_met_again_and_for_200_words) {
  const Merges merges = ClipBpe::small_merges();
  ClipBpe bpe(ClipBpe::vocabulary_of(merges), merges);
  std::string text;
  Ids all;
  for (int i = 0; i < 200; ++i) {
    const std::string word = i % 3 == 0 ? "circle" : i % 3 == 1 ? "zebra" : "42";
    text += word + " ";
    const Ids own = ClipBpe(ClipBpe::vocabulary_of(merges), merges).encode(word);
    all.insert(all.end(), own.begin(), own.end());
  }
  EXPECT_EQ(bpe.encode(text), all);
  EXPECT_EQ(bpe.encode(text), all);
}

template <class F>
std::string message(F f) {
  try {
    f();
    return {};
  } catch (const perrin::Failure& e) {
    return e.what();
  }
}

TEST(ClipBpe, says_what_does_not_belong_together) {
  const auto lacking = message([] { ClipBpe(numbered({"a", "b"}), {}); });
  EXPECT_NE(lacking.find("no \"<|startoftext|>\""), std::string::npos) << lacking;
  EXPECT_NE(lacking.find("vocab.json of a CLIP model"), std::string::npos) << lacking;
  const auto vocabulary = numbered({"a", "b", "<|startoftext|>", "<|endoftext|>"});
  const auto foreign = message([&] { ClipBpe(vocabulary, {{"a", "b"}}); });
  EXPECT_NE(foreign.find("merge 1, \"a b\": the vocabulary has no \"ab\""), std::string::npos) << foreign;
}

}  // namespace
}  // namespace text
