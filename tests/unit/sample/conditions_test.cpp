// What samples are told: prompts with weights, several conditioners side by side.
#include "host/sample/conditions.hpp"

#include <gtest/gtest.h>

#include "host/data/captions.hpp"
#include "host/model/conditioning.hpp"
#include "host/model/text_lengths.hpp"
#include "tests/unit/composition/composition.hpp"

namespace perrin::sample {
namespace {

using test::message_of;

TEST(Prompts, ARunWithoutTextRefusesThem) {
  const auto c = test::compose(test::kPoints);
  const std::string message = message_of([&] { prompt_fields(*c, {"a hat"}); });
  EXPECT_NE(message.find("the run is not conditioned on text"), std::string::npos) << message;
}

const std::string kWords =
    "[dataset]\nuse='captioned-shapes'\nsamples=20\n[denoiser]\nuse='unet'\nchannels=[8]\ngroups=4\nattention=[]\n"
    "[conditioner]\nuse='text-transformer'\nwidth=8\nheads=2\nlayers=1\noutput='vector'\ntokens=";

// Before a fit each byte is a token; one more is the end.
TEST(CutTexts, AreCountedBeforeTheFirstStep) {
  const auto c = test::compose(kWords + "8\n", {}, false);
  const auto lines = data::cut_captions(*c, 8, 12);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find("\"text-transformer\" cuts 12 of the dataset's first 12 of 20 texts to 8 tokens"),
            std::string::npos)
      << lines[0];
  EXPECT_NE(lines[0].find("% of all tokens are lost"), std::string::npos) << lines[0];
  const auto wide = test::compose(kWords + "400\n", {}, false);
  EXPECT_TRUE(data::cut_captions(*wide, 8).empty());
}

TEST(CutTexts, OfPromptsAreNamedWithTheirLostWords) {
  const auto c = test::compose(kWords + "8\n", {}, false);
  const auto lines = cut_prompts(*c, {"red", "a (red:1.5) é hat", "a (red:1.5) é hat"});
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find("cuts the prompt \"a red é hat\" from 13 to 8 tokens: lost is \"é hat\""), std::string::npos)
      << lines[0];
}

TEST(CheckPrompts, FindsWhatSamplingWouldRefuse) {
  const auto said = [](const std::string& text, const std::string& prompt) {
    return message_of([&] {
      const auto c = test::compose(text + "[samples]\nprompts=['" + prompt + "']\n", {}, false);
      check_prompts(*c, c.loaded);
    });
  };
  EXPECT_EQ(said(kWords + "8\n", "(a:2)"), "");
  const std::string product = said(kWords + "8\n", "((a:5):5)");
  EXPECT_NE(product.find("t.toml:"), std::string::npos) << product;
  EXPECT_NE(product.find("multiply to more than 10"), std::string::npos) << product;
  EXPECT_NE(said(test::kPoints, "a").find("not conditioned on text"), std::string::npos);
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
  const auto all = model::combined({vector_of(8), sequence_of(4, 16), vector_of(3), sequence_of(5, 16)});
  EXPECT_EQ(all.slots, PERRIN_SLOT_VECTOR | PERRIN_SLOT_SEQUENCE);
  EXPECT_EQ(all.vector.sizes[0], 11);
  EXPECT_EQ(all.sequence.sizes[0], 9);
  EXPECT_EQ(all.sequence.sizes[1], 16);
  const std::string message = message_of([] { model::combined({sequence_of(4, 16), sequence_of(4, 8)}); });
  EXPECT_NE(message.find("[4, 16] and [4, 8], which do not stand beside each other"), std::string::npos) << message;
}

}  // namespace
}  // namespace perrin::sample
