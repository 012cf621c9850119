// The rule for weights in prompts, by table: what is written, what is read, how much each byte counts.
#include "host/sample/prompt.hpp"

#include <gtest/gtest.h>

#include "tests/unit/composition/composition.hpp"

namespace perrin::sample {
namespace {

using test::message_of;

// "2:1 3:1.5" for weights {1, 1, 1.5, 1.5, 1.5}.
std::string counted(const std::vector<float>& weights) {
  std::string text;
  for (size_t i = 0, n = 0; i < weights.size(); i += n) {
    for (n = 0; i + n < weights.size() && weights[i + n] == weights[i];) ++n;
    char part[40];
    std::snprintf(part, sizeof part, "%s%zu:%g", i ? " " : "", n, weights[i]);
    text += part;
  }
  return text;
}

struct Row {
  const char *written, *text, *weights;
};
void expect(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const Prompt prompt = parse_prompt(row.written);
    EXPECT_EQ(prompt.text, row.text) << row.written;
    EXPECT_EQ(counted(prompt.weights), row.weights) << row.written;
  }
}

TEST(Prompts, AGroupCountsForItsWordsAlone) {
  expect({{"a (red:1.5) hat", "a red hat", "2:1 3:1.5 4:1"},
          {"(a b:0.5)(c:2)", "a bc", "3:0.5 1:2"},
          {"(half:.5)", "half", "4:0.5"},
          {"(one:1.)", "one", "3:1"},
          {"(red:1.3 )", "red", "3:1.3"},
          {"(red: 1.3)", "red", "3:1.3"},
          {"(red :1.3)", "red ", "4:1.3"},
          {"(no:0)(most:10)(10.0:10.0)", "nomost10.0", "2:0 8:10"},
          {"(a: b:1.2)", "a: b", "4:1.2"},
          {"(f:2:0.5)", "f:2", "3:0.5"},
          {"(\u7ea2\u8272:1.5)", "\u7ea2\u8272", "6:1.5"},
          {"", "", ""}});
}

TEST(Prompts, WeightsInsideEachOtherMultiply) {
  expect({{"(a (red:1.2):1.5)", "a red", "2:1.5 3:1.8"},
          {"((red:1.2):1.5)", "red", "3:1.8"},
          {"((a:2) b (c:0.25):2)", "a b c", "1:4 3:2 1:0.5"},
          {"(((x:10):0.5):2)", "x", "1:10"},
          {"((x:0):10)", "x", "1:0"},
          {"((a) b:1.5)", "(a) b", "5:1.5"},
          {"((red:1.2))", "(red)", "1:1 3:1.2 1:1"},
          {"((a:1.2) b)", "(a b)", "1:1 1:1.2 3:1"}});
}

TEST(Prompts, WhatIsNoWeightIsText) {
  for (const char* text : {"a hat (blue)",  "f(x): y",
                           "(a:b)",         "(:2)",
                           "( )",           "()",
                           "(1.3)",         "(a:)",
                           "(a:.)",         "(a:1.2.3)",
                           "(noon, 12:30)", "(noon, 12:05)",
                           "(to:infinity)", "(cat:nan)",
                           "(x:1e999)",     "(x:1e1)",
                           "(b:0x10)",      "(a:-1)",
                           "(a:+1)",        "(a:10.01)",
                           "(a:11)",        "(a:1,5)",
                           "(a:1.2 3)",     "(a:1\t)",
                           "(a:\u0661)",    "\uff08a:1.2\uff09",
                           "(a\uff1a1.2)",  "[a:1.2]",
                           "{a:1.2}",       "100 % (ok)",
                           "(a:1.2\u00a0)", "(x:99999999999999999999999999999999999999999)"}) {
    const Prompt prompt = parse_prompt(text);
    EXPECT_EQ(prompt.text, text);
    EXPECT_EQ(prompt.weights, std::vector<float>(prompt.text.size(), 1)) << text;
  }
  EXPECT_EQ(parse_prompt("(x:" + std::string(400, '9') + ")").text.size(), 404u);
}

TEST(Prompts, AParenthesisWithoutAPartnerIsText) {
  expect({{"open (paren:1", "open (paren:1", "13:1"},
          {"close) it", "close) it", "9:1"},
          {"(a (b:2)", "(a b", "3:1 1:2"},
          {"(a:2))", "a)", "1:2 1:1"},
          {") (a:2) (", ") a (", "2:1 1:2 2:1"}});
}

TEST(Prompts, ABackslashMakesALetter) {
  expect({{"\\(red:1.5\\)", "(red:1.5)", "9:1"},
          {"(fate \\(red\\):1.2)", "fate (red)", "10:1.2"},
          {"(a\\):1.5)", "a)", "2:1.5"},
          {"\\\\(a:2)", "\\a", "1:1 1:2"},
          {"(a\\\\:2)", "a\\", "2:2"},
          {"C:\\dir\\n", "C:\\dir\\n", "8:1"},
          {"end\\", "end\\", "4:1"}});
}

TEST(Prompts, DepthCostsNothing) {
  const size_t depth = 200000;
  std::string nested = std::string(depth, '(') + "a";
  for (size_t i = 0; i < depth; ++i) nested += ":1)";
  EXPECT_EQ(parse_prompt(nested).text, "a");
  EXPECT_EQ(parse_prompt(std::string(depth, '(')).text.size(), depth);
  EXPECT_EQ(parse_prompt(std::string(depth, ')')).text.size(), depth);
}

TEST(Prompts, WhatCannotBeMeantIsRefused) {
  const std::string product = message_of([] { parse_prompt("a (b (c:5) (red:5):3)"); });
  EXPECT_NE(product.find("multiply to more than 10"), std::string::npos) << product;
  EXPECT_NE(product.find("column 7"), std::string::npos) << product;
  const std::string bytes = message_of([] { parse_prompt("caf\xe9"); });
  EXPECT_NE(bytes.find("is not UTF-8"), std::string::npos) << bytes;
  const std::string zero = message_of([] { parse_prompt(std::string("a\0b", 3)); });
  EXPECT_NE(zero.find("zero byte"), std::string::npos) << zero;
}

}  // namespace
}  // namespace perrin::sample
