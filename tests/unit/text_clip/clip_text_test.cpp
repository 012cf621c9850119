// The conditioner clip-text: shapes, null text, weights of a prompt, gradients, messages. Parity with its original is
// tests/golden/text_clip's.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include "tests/unit/plugins_b/finite_differences.hpp"
#include "tests/unit/text_clip/clip.hpp"

namespace perrin::testing {
namespace {

using Texts = std::vector<std::string>;

int64_t numbers(const Clip& clip) {
  const Built built = build(clip);
  int64_t total = 0;
  for (const Declared& d : built.bound.declared) total += c10::multiply_integers(d.sizes);
  return total;
}

TEST(ClipText, has_the_published_number_of_parameters) {
  Clip published{.entries = 49408, .max_tokens = 77, .width = 768, .layers = 12, .heads = 12};
  EXPECT_EQ(numbers(published), 123060480) << "transformers' CLIPTextModel of ViT-L/14 (golden/text_clip/peers.py)";
}

TEST(ClipText, gives_the_slots_that_it_is_asked_for) {
  const at::NoGradGuard no_grad;
  const Built sequence = build({});
  EXPECT_EQ(sequence.spec.slots, PERRIN_SLOT_SEQUENCE);
  EXPECT_EQ(sequence.spec.sequence.sizes[0], 16);
  EXPECT_EQ(sequence.spec.sequence.sizes[1], 32);
  auto given = encode(sequence.bound.component, {"a red circle", ""});
  EXPECT_EQ(given.sequence.sizes(), (at::IntArrayRef{2, 16, 32}));
  EXPECT_FALSE(given.vector.defined() || given.concat.defined());

  const Built both = build({.output = "both", .projection = 24});
  EXPECT_EQ(both.spec.slots, PERRIN_SLOT_SEQUENCE | PERRIN_SLOT_VECTOR);
  EXPECT_EQ(both.spec.vector.sizes[0], 24);
  given = encode(both.bound.component, {"a red circle", ""});
  EXPECT_EQ(given.vector.sizes(), (at::IntArrayRef{2, 24}));

  const Built vector = build({.output = "vector"});
  EXPECT_EQ(vector.spec.slots, PERRIN_SLOT_VECTOR);
  EXPECT_EQ(encode(vector.bound.component, {"red"}).vector.sizes(), (at::IntArrayRef{1, 32}));
}

// With layer = "penultimate" the last block has nothing to do unless the vector is asked for.
TEST(ClipText, declares_no_block_that_nobody_reads) {
  const int64_t block = 12 * 32 * 32 + 13 * 32;
  EXPECT_EQ(numbers({}) - numbers({.layer = "penultimate"}), block);
  EXPECT_EQ(numbers({.layer = "penultimate", .output = "both"}), numbers({}));
}

TEST(ClipText, hides_dropped_and_empty_texts_behind_the_empty_one) {
  const at::NoGradGuard no_grad;
  const Built built = build({.output = "both"});
  const auto shown = encode(built.bound.component, {"a red circle", "", "blue"});
  const auto hidden = encode(built.bound.component, {"a red circle", "", "blue"}, {1, 0, 0});
  EXPECT_TRUE(hidden.sequence[0].equal(hidden.sequence[1]));
  EXPECT_TRUE(hidden.vector[0].equal(hidden.vector[1]));
  EXPECT_FALSE(hidden.sequence[0].equal(shown.sequence[0]));
  EXPECT_TRUE(hidden.sequence[2].equal(shown.sequence[2]));
}

TEST(ClipText, has_a_null_text_that_learns) {
  Built built = build({.output = "both", .null = "learnt", .projection = 24});
  const auto given = encode(built.bound.component, {"a red circle", "", "blue"}, {1, 0, 0});
  const auto sequence = built.bound.at("null.sequence").value, vector = built.bound.at("null.vector").value;
  ASSERT_EQ(sequence.sizes(), (at::IntArrayRef{16, 32}));
  ASSERT_EQ(vector.sizes(), (at::IntArrayRef{24}));
  for (int64_t hidden : {0, 1}) {
    EXPECT_TRUE(given.sequence[hidden].equal(sequence));
    EXPECT_TRUE(given.vector[hidden].equal(vector));
  }
  EXPECT_FALSE(given.sequence[2].equal(sequence));
  given.sequence.sum().add(given.vector.sum()).backward();
  EXPECT_TRUE(sequence.grad().eq(2).all().item<bool>()) << "two samples stand behind it";
  EXPECT_TRUE(vector.grad().eq(2).all().item<bool>());
}

TEST(ClipText, has_the_drop_probability_that_it_is_given) {
  double p = 0;
  build({.drop = 0.5}).bound.component.invoke<&perrin_conditioner::drop_probability>(&p);
  EXPECT_EQ(p, 0.5);
}

// A token sees what is before it and nothing behind it.
TEST(ClipText, is_causal) {
  const at::NoGradGuard no_grad;
  const Built built = build({});
  const auto given = encode(built.bound.component, {"a red circle", "a red square"}).sequence;  // start a red ...
  EXPECT_TRUE(given[0].narrow(0, 0, 3).equal(given[1].narrow(0, 0, 3)));
  EXPECT_FALSE(given[0][3].equal(given[1][3]));
  EXPECT_FALSE(given[0][15].equal(given[1][15]));
}

TEST(ClipText, cuts_a_long_text_and_keeps_its_end) {
  const at::NoGradGuard no_grad;
  const Built built = build({.output = "both"});
  std::string start, longer;
  for (int i = 0; i < 14; ++i) start += "red ";
  for (int i = 0; i < 86; ++i) longer += "red ";
  const auto given = encode(built.bound.component, {start, longer});
  EXPECT_TRUE(given.sequence[0].equal(given.sequence[1])) << "start, 14 words, end; then start, 86 words cut, end";
  EXPECT_TRUE(given.vector[0].equal(given.vector[1]));
}

// In training; before sampling the host counts by perrin.text-lengths/1.
TEST(ClipText, says_once_in_training_what_it_cuts) {
  const at::NoGradGuard no_grad;
  const Built built = build({.output = "both"});
  std::string longer;
  for (int i = 0; i < 86; ++i) longer += "red ";
  const auto said = [&](const std::vector<std::string>& texts, bool training) {
    ::testing::internal::CaptureStderr();
    encode(built.bound.component, texts, {}, {}, training);
    return ::testing::internal::GetCapturedStderr();
  };
  EXPECT_EQ(said({longer}, false), "");
  const std::string first = said({"red", longer}, true);
  // 16 kept: of 3 + 88 tokens 72 are lost.
  EXPECT_NE(first.find("1 of 2 texts so far have more than 16 tokens, the longest 88"), std::string::npos) << first;
  EXPECT_NE(first.find("79 % of all tokens are lost"), std::string::npos) << first;
  EXPECT_EQ(said({longer}, true), "") << "again at the tenth";
}

TEST(ClipText, encodes_each_sample_by_itself) {
  const at::NoGradGuard no_grad;
  const Built built = build({.output = "both"});
  Texts texts = {"a red circle", "", "two tiny blue squares on white", "a", "Café 👍🏽", "x", "large"};
  const auto all = encode(built.bound.component, texts);
  double worst = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto one = encode(built.bound.component, {texts[i]});
    const auto row = static_cast<int64_t>(i);
    worst = std::max({worst, one.sequence[0].sub(all.sequence[row]).abs().max().item<double>(),
                      one.vector[0].sub(all.vector[row]).abs().max().item<double>()});
  }
  std::printf("a text alone against the same one in a batch of 7: at most %.1e apart\n", worst);
  EXPECT_LT(worst, 1e-5);
  const auto again = encode(built.bound.component, texts);
  EXPECT_TRUE(again.sequence.equal(all.sequence));
}

// Causal: a token sees no padding behind it, padding sees itself.
TEST(ClipText, pads_with_the_end_token_or_with_token_0) {
  Clip zeros;
  zeros.padding = "zero";
  const Built end = build(Clip{}), zero = build(zeros);
  const auto a = encode(end.bound.component, {"a"}).sequence, b = encode(zero.bound.component, {"a"}).sequence;
  const auto apart = [&](int64_t token) { return a[0][token].sub(b[0][token]).abs().max().item<double>(); };
  EXPECT_LT(apart(0), 1e-5);
  EXPECT_GT(apart(15), 1e-3);
}

// Words at weight 2 in one sample of two: its tokens double around the same mean, the other sample is untouched.
TEST(ClipText, scales_weighted_tokens_around_the_mean) {
  const at::NoGradGuard no_grad;
  Built built = build({}, at::kDouble);
  for (Declared& d : built.bound.declared)  // a mean that is not near zero
    if (d.name == "final_layer_norm.bias") d.value.detach().fill_(0.5);
  const Texts texts = {"a red circle", "blue"};
  const auto plain = encode(built.bound.component, texts).sequence;
  at::Tensor weights = at::ones({2, 512});
  EXPECT_TRUE(encode(built.bound.component, texts, {}, weights).sequence.equal(plain)) << "1 changes nothing";
  weights[0].narrow(0, 2, 3).fill_(2);  // "red"
  const auto given = encode(built.bound.component, texts, {}, weights).sequence;
  EXPECT_TRUE(given[1].equal(plain[1]));
  at::Tensor expected = plain[0].clone();
  expected[2].mul_(2);  // start, a, red
  expected.mul_(plain[0].mean().div(expected.mean()));
  EXPECT_TRUE(at::allclose(given[0], expected, 1e-12, 1e-14));
  EXPECT_NEAR(given[0].mean().item<double>(), plain[0].mean().item<double>(), 1e-14);
}

TEST(ClipText, scales_weighted_tokens_alone_where_there_is_no_mean) {
  const at::NoGradGuard no_grad;
  const Built built = build({});  // its normalisation's bias is zero, and so is each token's mean
  const auto plain = encode(built.bound.component, {"a red circle"}).sequence;
  at::Tensor weights = at::ones({1, 512});
  weights.narrow(1, 2, 3).fill_(2);
  const auto given = encode(built.bound.component, {"a red circle"}, {}, weights).sequence;
  at::Tensor expected = plain.clone();
  expected[0][2].mul_(2);
  EXPECT_TRUE(given.equal(expected));
}

TEST(ClipText, has_the_gradient_of_finite_differences) {
  Built built = build({.output = "both", .null = "learnt", .max_tokens = 6, .width = 8, .layers = 2, .projection = 5},
                      at::kDouble);
  // Embeddings of deviation .01 and .02 lie within a few difference steps of the normalisation's pole at 0; these do not.
  for (Declared& d : built.bound.declared)
    if (d.name.find("embedding") != std::string::npos) d.value.detach().mul_(50);
  const auto f = [&] {
    const auto c = encode(built.bound.component, {"red", "a tiny star", ""});
    return c.sequence.sin().sum().add(c.vector.cos().sum());
  };
  std::vector<Input> inputs;
  for (const Declared& d : built.bound.declared) inputs.push_back({d.name, d.value});
  const double worst = worst_directional_error(f, inputs);
  std::printf("%zu parameters, at most %.1e apart\n", inputs.size(), worst);
}

TEST(ClipText, says_what_does_not_fit) {
  const auto expect = [](const Clip& clip, const std::string& part) {
    const std::string message = refusal([&] { build(clip); });
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  expect({.field = "title"}, "the dataset has no field \"title\"; its texts are: \"caption\"");
  expect({.field = "image"}, "\"image\" is not a text, which is uint8 of rank 1: its rank is 3");
  expect({.entries = 100}, "entries, and `entries` makes room for 100: set entries = 0");
  expect({.heads = 5}, "heads = 5 does not divide width = 32");
  expect({.projection = 4}, "set output = \"vector\" or \"both\"");
  expect({.layer = "penultimate", .layers = 1}, "needs two layers");
}

}  // namespace
}  // namespace perrin::testing
