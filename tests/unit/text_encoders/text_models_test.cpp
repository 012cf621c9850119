// What every text encoder here holds to: shapes, null texts, samples apart, gradients, bad input.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "tests/unit/plugins_b/finite_differences.hpp"
#include "tests/unit/text_encoders/conditioners.hpp"

namespace perrin::testing {
namespace {

struct Model {
  const char* id;
  Values (*values)(const Values&);
};
void PrintTo(const Model& model, std::ostream* out) { *out << model.id; }

const std::vector<std::string> kTexts = {"a red circle", "", "three small blue squares on the left of 圆 é 😀", "red"};

class TextModels : public ::testing::TestWithParam<Model> {
 protected:
  Conditioner make(const Values& more = {}, at::ScalarType dtype = at::kFloat) const {
    return conditioner(GetParam().id, GetParam().values(more), dtype);
  }
};

double apart(const at::Tensor& a, const at::Tensor& b) { return a.sub(b).abs().max().item<double>(); }

TEST_P(TextModels, give_the_slots_that_they_said) {
  for (const char* output : {"sequence", "vector", "both"})
    for (const char* null : {"empty", "learnt"}) {
      const Conditioner c = make({{"output", std::string(output)}, {"null", std::string(null)}});
      expect_shapes(encode(c.bound.component, {{"caption", captions(kTexts)}}), c.spec, 4);
    }
}

TEST_P(TextModels, hide_a_text_as_the_empty_one) {
  const Conditioner c = make({{"output", std::string("both")}});
  const auto z = encode(c.bound.component, {{"caption", captions(kTexts)}}, {.drop = {1, 0, 0, 0}});
  EXPECT_TRUE(z.sequence[0].equal(z.sequence[1]));
  EXPECT_TRUE(z.vector[0].equal(z.vector[1]));
  EXPECT_GT(apart(z.sequence[2], z.sequence[1]), 1e-3);
}

TEST_P(TextModels, hide_a_text_behind_what_is_learnt) {
  Conditioner c = make({{"output", std::string("both")}, {"null", std::string("learnt")}});
  const auto z = encode(c.bound.component, {{"caption", captions(kTexts)}}, {.drop = {0, 0, 0, 1}});
  for (const int64_t hidden : {1, 3}) {
    EXPECT_TRUE(z.sequence[hidden].equal(c.bound.at("null.sequence").value));
    EXPECT_TRUE(z.vector[hidden].equal(c.bound.at("null.vector").value));
  }
  EXPECT_GT(apart(z.sequence[0], z.sequence[1]), 1e-3);
}

// Padding reaches nothing: a longer row of tokens changes no real token's state.
TEST_P(TextModels, keep_samples_and_padding_apart) {
  const at::NoGradGuard no_grad;
  const Conditioner c = make({{"output", std::string("both")}});
  const auto all = encode(c.bound.component, {{"caption", captions(kTexts)}});
  for (size_t i = 0; i < kTexts.size(); ++i) {
    const auto one = encode(c.bound.component, {{"caption", captions({kTexts[i]})}});
    const auto b = static_cast<int64_t>(i);
    EXPECT_LT(apart(one.sequence[0], all.sequence[b]), 1e-5);
    EXPECT_LT(apart(one.vector[0], all.vector[b]), 1e-5);
  }
  if (std::string(GetParam().id) == "text-transformer") return;  // its table of positions has the length of a text
  const Conditioner shorter = make({{"output", std::string("both")}, {"tokens", int64_t{8}}});
  const auto z = encode(shorter.bound.component, {{"caption", captions({"red"})}});
  EXPECT_LT(apart(z.sequence[0][0], all.sequence[3][0]), 1e-5);
  EXPECT_LT(apart(z.vector[0], all.vector[3]), 1e-5);
}

TEST_P(TextModels, weigh_the_parts_of_a_prompt) {
  const Conditioner c = make();
  const at::Tensor texts = captions({"a red circle", "a red circle"}),
                   weights = at::ones({2, texts.size(1)}, at::kFloat);
  const auto plain = encode(c.bound.component, {{"caption", texts}}).sequence;
  EXPECT_TRUE(encode(c.bound.component, {{"caption", texts}, {"caption.weight", weights}}).sequence.equal(plain));
  weights[1].narrow(0, 2, 3).fill_(1.5);  // "red"
  const auto z = encode(c.bound.component, {{"caption", texts}, {"caption.weight", weights}}).sequence;
  EXPECT_LT(apart(z[0], plain[0]), 1e-5);
  EXPECT_GT(apart(z[1], plain[1]), 1e-3);
}

// A weight that is almost 1 changes almost nothing: where weights change between words, tokens are those of the plain text.
TEST_P(TextModels, cut_a_weighted_prompt_between_words_as_the_plain_one) {
  const Conditioner c = make();
  const at::Tensor texts = captions({"a red  circle, 2 blue squares"}), weights = at::ones({1, texts.size(1)}, at::kFloat);
  const auto plain = encode(c.bound.component, {{"caption", texts}}).sequence;
  weights[0].narrow(0, 2, 3).fill_(1.000001);  // "red"
  const auto z = encode(c.bound.component, {{"caption", texts}, {"caption.weight", weights}}).sequence;
  EXPECT_LT(apart(z, plain), 1e-4);
}

TEST_P(TextModels, count_the_tokens_that_a_text_has_before_it_is_cut) {
  const Conditioner c = make();
  const auto lengths = text_lengths(c.bound.component, {{"caption", captions({"", "red", kTexts[2], kTexts[2] + kTexts[2]})}});
  EXPECT_EQ(lengths.limit, 12u);
  EXPECT_LE(lengths.tokens[0], 2u);
  EXPECT_GT(lengths.tokens[1], lengths.tokens[0]);
  EXPECT_GT(lengths.tokens[2], 12u);
  EXPECT_GT(lengths.tokens[3], lengths.tokens[2] + 10);
}

TEST_P(TextModels, gradients_agree_with_finite_differences) {
  at::set_num_threads(1);
  at::manual_seed(0);
  // T5 1.1's layers: relu has no derivative at 0, which a finite step crosses.
  Values more = {{"output", std::string("both")}, {"null", std::string("learnt")}};
  if (std::string(GetParam().id) == "t5")
    more = with(more, {{"weights", data("t5_gated.safetensors")}, {"feed_forward", std::string("gated-gelu")}});
  Conditioner c = make(more, at::kDouble);
  if (std::string(GetParam().id) == "text-transformer") c.bound.values.normal_(0, 0.3);  // others have weights
  std::vector<Input> inputs;
  for (const Declared& d : c.bound.declared) inputs.push_back({d.name, d.value});
  const at::Tensor texts = captions(kTexts);
  const auto once = encode(c.bound.component, {{"caption", texts}});
  const auto s = at::randn(once.sequence.sizes(), at::kDouble), v = at::randn(once.vector.sizes(), at::kDouble);
  const double worst = worst_directional_error(
      [&] {
        const auto z = encode(c.bound.component, {{"caption", texts}});
        return z.sequence.mul(s).sum().add(z.vector.mul(v).sum());
      },
      inputs);
  std::printf("%s: %zu parameters, largest relative error %.1e\n", GetParam().id, inputs.size(), worst);
}

TEST_P(TextModels, say_what_is_wrong_with_the_field) {
  const auto said = [&](const char* field) { return refused([&] { make({{"field", std::string(field)}}); }); };
  EXPECT_NE(said("captoin").find("the dataset has no field \"captoin\"; its texts are: \"caption\""),
            std::string::npos);
  EXPECT_NE(said("image").find("is not a text"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(All, TextModels,
                         ::testing::Values(Model{"text-transformer", text_transformer}, Model{"bert", bert},
                                           Model{"gpt", gpt}, Model{"t5", t5}),
                         [](const auto& info) {
                           std::string name = info.param.id;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

std::string said(const std::string& id, const Values& values) {
  return refused([&] { conditioner(id, values); });
}

void expect_said(const std::string& message, std::initializer_list<const char*> parts) {
  for (const char* part : parts) EXPECT_NE(message.find(part), std::string::npos) << part << " is not in: " << message;
}

TEST(TextWeights, missing_files_are_named_with_the_places_tried) {
  expect_said(said("bert", bert({{"vocabulary", std::string("no.txt")}})), {"no.txt"});
  expect_said(said("bert", bert({{"weights", std::string("no.safetensors")}})), {"no.safetensors"});
  expect_said(said("t5", t5({{"tokenizer", std::string("no.json")}})), {"no.json"});
  expect_said(said("gpt", gpt({{"merges", std::string("no.merges")}})), {"no.merges"});
}

TEST(TextWeights, a_tokenizer_file_stands_for_the_vocabulary) {
  const std::string none;
  expect_said(said("bert", bert({{"vocabulary", none}})), {"give `tokenizer`, or `vocabulary`"});
  expect_said(said("gpt", gpt({{"merges", none}})), {"give `tokenizer`, or `vocabulary` and `merges`"});
  expect_said(said("gpt", gpt({{"tokenizer", data("tokenizer.json")}})), {"leave one out"});
  expect_said(said("gpt", gpt({{"vocabulary", none}, {"merges", none}, {"tokenizer", data("tokenizer.json")}})),
              {"tokenizer.json", "<|endoftext|>"});
}

TEST(TextWeights, of_another_size_are_refused_with_both_shapes) {
  expect_said(said("bert", bert({{"width", int64_t{12}}})), {"[471, 24]", "[471, 12]", "word_embeddings"});
  expect_said(said("gpt", gpt({{"positions", int64_t{20}}})), {"wpe.weight", "[16, 24]", "[20, 24]"});
  expect_said(said("gpt", gpt({{"layers", int64_t{3}}})), {"h.2."});
  expect_said(said("t5", t5({{"feed_forward", std::string("gated-gelu")}})), {"wi_0"});
  expect_said(said("t5", t5({{"vocabulary_size", int64_t{100}}})),
              {"the tokenizer has", "vocabulary_size = 100 is less"});
}

TEST(TextWeights, of_another_model_are_refused) {
  expect_said(said("bert", bert({{"weights", data("gpt.safetensors")}})), {"gpt.safetensors", "word_embeddings"});
}

}  // namespace
}  // namespace perrin::testing
