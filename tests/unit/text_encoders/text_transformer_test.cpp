// text-transformer: what it learns from the dataset, and that it is the same wherever the batches are cut and after a
// restart. Texts are those of tests/golden/text_encoders/data/captions.txt.
#include <gtest/gtest.h>

#include <fstream>

#include "tests/unit/text_encoders/conditioners.hpp"

namespace perrin::testing {
namespace {

std::vector<std::string> lines() {
  std::ifstream file(data("captions.txt"));
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::vector<std::vector<std::string>> batches(size_t size) {
  std::vector<std::vector<std::string>> result;
  for (const std::string& line : lines()) {
    if (result.empty() || result.back().size() == size) result.emplace_back();
    result.back().push_back(line);
  }
  return result;
}

TEST(TextTransformer, learns_the_same_wherever_the_batches_are_cut) {
  const Conditioner a = conditioner("text-transformer", text_transformer()),
                    b = conditioner("text-transformer", text_transformer());
  EXPECT_EQ(fit(a.bound.component, batches(7)), 1000u);
  fit(b.bound.component, batches(64));
  const auto learnt = state(a.bound.component);
  EXPECT_GT(learnt.size(), 1000u);
  EXPECT_EQ(learnt, state(b.bound.component));
}

TEST(TextTransformer, a_restored_one_gives_the_same_bits) {
  const Conditioner fitted = conditioner("text-transformer", text_transformer()),
                    restored = conditioner("text-transformer", text_transformer());
  const at::Tensor texts = captions({"a small red circle on the left", "", "圆 é 😀"});
  const auto before = encode(fitted.bound.component, {{"caption", texts}}).sequence;
  fit(fitted.bound.component, batches(64));
  const auto after = encode(fitted.bound.component, {{"caption", texts}}).sequence;
  EXPECT_FALSE(before[0].equal(after[0])) << "bytes alone before";
  restore(restored.bound.component, state(fitted.bound.component));
  EXPECT_TRUE(encode(restored.bound.component, {{"caption", texts}}).sequence.equal(after));
  EXPECT_EQ(state(restored.bound.component), state(fitted.bound.component));
}

TEST(TextTransformer, refuses_a_state_that_is_not_its_own_and_keeps_what_it_has) {
  const Conditioner c = conditioner("text-transformer", text_transformer());
  fit(c.bound.component, batches(64));
  const auto own = state(c.bound.component);
  const auto said = [&](const std::string& bytes) {
    const std::string message = refused([&] { restore(c.bound.component, {bytes.begin(), bytes.end()}); });
    EXPECT_EQ(state(c.bound.component), own) << bytes;
    return message;
  };
  EXPECT_NE(said("a b c\n").find("line 1"), std::string::npos);
  EXPECT_NE(said("a bc\n").find("has no \"bc\""), std::string::npos);
  std::string many;
  for (char a = 'a'; a <= 'z'; ++a)
    for (char b = 'a'; b <= 'z'; ++b) many += std::string(1, a) + ' ' + b + '\n';
  EXPECT_NE(said(many).find("934 tokens, more than vocabulary_size = 514"), std::string::npos);
}

TEST(TextTransformer, says_that_there_was_nothing_to_learn) {
  const Conditioner c = conditioner("text-transformer", text_transformer());
  EXPECT_NE(refused([&] { fit(c.bound.component, {{"", ""}}); }).find("no vocabulary to learn"), std::string::npos);
}

TEST(TextTransformer, order_of_the_words_counts) {
  const Conditioner c = conditioner("text-transformer", text_transformer({{"output", std::string("vector")}}));
  fit(c.bound.component, batches(64));
  const auto z = encode(c.bound.component, {{"caption", captions({"red blue", "blue red", "red blue"})}}).vector;
  EXPECT_TRUE(z[0].equal(z[2]));
  EXPECT_GT(z[0].sub(z[1]).abs().max().item<double>(), 1e-4);
}

}  // namespace
}  // namespace perrin::testing
