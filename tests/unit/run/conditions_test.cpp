// What samples are told: prompts with weights, several conditioners side by side.
#include "host/sample/conditions.hpp"

#include <gtest/gtest.h>

#include "host/run/conditioning.hpp"
#include "tests/unit/run/composition.hpp"

namespace perrin::sample {
namespace {

using run::test::message_of;

TEST(Prompts, AWeightCountsForItsWordsAlone) {
  const Prompt p = parse_prompt("a (red:1.5) hat");
  EXPECT_EQ(p.text, "a red hat");
  EXPECT_EQ(p.weights, (std::vector<float>{1, 1, 1.5, 1.5, 1.5, 1, 1, 1, 1}));
}

TEST(Prompts, WhatIsNoWeightStaysAsWritten) {
  for (const char* text : {"a hat (blue)", "f(x): y", "(a:b)", "(:2)", "open (paren:1", "100 % (ok)", "(1.3)"}) {
    const Prompt p = parse_prompt(text);
    EXPECT_EQ(p.text, text);
    EXPECT_EQ(p.weights, std::vector<float>(p.text.size(), 1)) << text;
  }
  EXPECT_EQ(parse_prompt("\\(red:1.5\\)").text, "(red:1.5)") << "escaped";
  EXPECT_EQ(parse_prompt("(a b:0.5)(c:2)").text, "a bc");
  EXPECT_EQ(parse_prompt("(a b:0.5)(c:2)").weights, (std::vector<float>{0.5, 0.5, 0.5, 2}));
  EXPECT_EQ(parse_prompt("(half:.5)").weights, std::vector<float>(4, 0.5));
  EXPECT_EQ(parse_prompt("").text, "");
}

TEST(Prompts, ARunWithoutTextRefusesThem) {
  const auto c = run::test::compose(run::test::kPoints);
  const std::string message = message_of([&] { prompt_fields(*c, {"a hat"}); });
  EXPECT_NE(message.find("the run is not conditioned on text"), std::string::npos) << message;
}

perrin_conditioning_spec vector_of(int64_t width) {
  perrin_conditioning_spec spec{};
  spec.slots = PERRIN_SLOT_VECTOR;
  spec.vector.rank = 1;
  spec.vector.sizes[0] = width;
  return spec;
}

perrin_conditioning_spec sequence_of(int64_t length, int64_t width) {
  perrin_conditioning_spec spec{};
  spec.slots = PERRIN_SLOT_SEQUENCE;
  spec.sequence.rank = 2;
  spec.sequence.sizes[0] = length;
  spec.sequence.sizes[1] = width;
  return spec;
}

TEST(Conditioners, SlotsOfSeveralStandBesideEachOther) {
  const auto all = run::combined({vector_of(8), sequence_of(4, 16), vector_of(3), sequence_of(5, 16)});
  EXPECT_EQ(all.slots, PERRIN_SLOT_VECTOR | PERRIN_SLOT_SEQUENCE);
  EXPECT_EQ(all.vector.sizes[0], 11);
  EXPECT_EQ(all.sequence.sizes[0], 9);
  EXPECT_EQ(all.sequence.sizes[1], 16);
  const std::string message = message_of([] { run::combined({sequence_of(4, 16), sequence_of(4, 8)}); });
  EXPECT_NE(message.find("[4, 16] and [4, 8], which do not stand beside each other"), std::string::npos) << message;
}

}  // namespace
}  // namespace perrin::sample
