// perceptual and style on an extractor of which everything is known: "pixels" [1, 2, 2] is the image, "pair" [2, 2] has
// the image's first row as one channel and twice its second row as the other, "vector" [4] is the image, flat.
#include <ATen/TensorOperators.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>

#include "tests/unit/losses_first_stage/held.hpp"
#include "tests/unit/plugins_b/finite_differences.hpp"

namespace perrin::testing {
namespace {

using Texts = std::vector<std::string>;

Double known() {
  Double extractor;
  extractor.names = {"pixels", "pair", "vector"};
  extractor.sizes = {{1, 2, 2}, {2, 2}, {4}};
  extractor.layers = [](const at::Tensor& x) -> std::vector<at::Tensor> {
    const auto rows = x.select(1, 0);  // [B, 2, 2]
    return {x, at::stack({rows.select(1, 0), rows.select(1, 1) * 2}, 1), x.flatten(1)};
  };
  return extractor;
}

class FirstStage : public ::testing::Test {
 protected:
  FirstStage() { stand_in(extractor); }

  services::Component opened(const std::string& id, Values values) {
    values.try_emplace("weights", std::string("f.safetensors"));
    auto loss = held(id, std::move(values));
    infer(loss, {{"x", {1, 2, 2}}, {"reconstruction", {1, 2, 2}}});
    return loss;
  }
  double value(const std::string& id, Values values) {
    return values_of(opened(id, std::move(values)), {{"reconstruction", r}, {"x", x}}).item<double>();
  }

  Double extractor = known();
  const at::Tensor x = at::tensor({1.0, 0.0, 0.0, 1.0}, at::kDouble).view({1, 1, 2, 2}),
                   r = at::tensor({1.0, 2.0, 0.0, 3.0}, at::kDouble).view({1, 1, 2, 2});
};
using Perceptual = FirstStage;
using Style = FirstStage;

// The errors are 0 2 0 2; of "pair" 0 2 0 4.
TEST_F(Perceptual, is_the_mean_square_of_each_layer_weighted) {
  EXPECT_DOUBLE_EQ(value("perceptual", {{"layers", Texts{"pixels"}}}), 2);
  EXPECT_DOUBLE_EQ(value("perceptual", {{"layers", Texts{"vector"}}}), 2);
  EXPECT_DOUBLE_EQ(
      value("perceptual", {{"layers", Texts{"pair", "pixels"}}, {"layer_weights", std::vector{10.0, 1.0}}}), 52);
  EXPECT_EQ(extractor.wanted, (std::vector<uint32_t>{0, 1})) << "ascending, whatever the order of `layers`";
}

TEST_F(Perceptual, takes_every_layer_with_positions_unless_told) {
  EXPECT_DOUBLE_EQ(value("perceptual", {}), 2 + 5);
  EXPECT_EQ(extractor.wanted, (std::vector<uint32_t>{0, 1}));
}

// "pair" of x: positions (1, 0) and (0, 2); of r: (1, 0) and (2, 6). The cosine at the second is 6 / sqrt(40), and the
// squared distance of unit vectors is 2 - 2 cos.
TEST_F(Perceptual, compares_directions_position_by_position) {
  EXPECT_NEAR(value("perceptual", {{"layers", Texts{"pair"}}, {"normalise", true}}), (2 - 12 / std::sqrt(40.0)) / 2,
              1e-9);
}

TEST_F(Perceptual, stays_finite_where_a_position_is_zero) {
  const auto loss = opened("perceptual", {{"layers", Texts{"pair"}}, {"normalise", true}});
  const auto reconstruction = at::zeros_like(x).to(at::kFloat).set_requires_grad(true);
  const auto values = values_of(loss, {{"reconstruction", reconstruction}, {"x", x.to(at::kFloat)}});
  EXPECT_NEAR(values.item<double>(), 1, 1e-6);
  values.sum().backward();
  EXPECT_TRUE(std::isfinite(reconstruction.grad().abs().max().item<double>()));
}

// G = F F' / (C P) with C P = 4. "pair" of x: F = (1 0; 0 2), G = (1 0; 0 4) / 4. Of r: F = (1 2; 0 6),
// G = (5 12; 12 36) / 4. The difference is (4 12; 12 32) / 4 = (1 3; 3 8), and 1 + 9 + 9 + 64 = 83.
TEST_F(Style, is_the_squared_distance_of_gram_matrices) {
  EXPECT_DOUBLE_EQ(value("style", {{"layers", Texts{"pair"}}}), 83);
  EXPECT_DOUBLE_EQ(value("style", {{"layers", Texts{"pair"}}, {"layer_weights", std::vector{0.5}}}), 41.5);
  // 1508.06576, equation 4: 1 / (4 N^2 M^2) of the sums' distance, which is 16 times ours: a quarter of it.
  EXPECT_DOUBLE_EQ(83 * 16 / (4.0 * 2 * 2 * 2 * 2), 83 / 4.0);
}

TEST_F(Style, is_exact_in_a_stage_of_bfloat16) {
  const auto loss = opened("style", {});
  const Tensors inputs{{"reconstruction", at::randn({3, 1, 2, 2})}, {"x", at::randn({3, 1, 2, 2})}};
  EXPECT_TRUE(values_of(loss, inputs, {.bf16 = true}).equal(values_of(loss, inputs)));
}

// Gram matrices forget where a feature stands.
TEST_F(Style, does_not_see_positions) {
  const auto loss = opened("style", {{"layers", Texts{"pixels"}}});
  EXPECT_NEAR(values_of(loss, {{"reconstruction", r.flip({3})}, {"x", r}}).item<double>(), 0, 1e-15);
}

TEST_F(FirstStage, gradients_agree_with_finite_differences_and_reach_the_reconstruction_alone) {
  for (const char* id : {"perceptual", "style"})
    for (const bool normalise : {false, true}) {
      Values values{{"layers", Texts{"pair", "vector"}}, {"layer_weights", std::vector{0.3, 2.0}}};
      if (id == std::string("perceptual")) values["normalise"] = normalise;
      const auto loss = opened(id, values);
      const auto reconstruction = leaf({3, 1, 2, 2}), data = at::randn({3, 1, 2, 2}, at::kDouble);
      const auto weights = at::randn({3}, at::kDouble);
      worst_directional_error(
          [&] {
            return values_of(loss, {{"reconstruction", reconstruction}, {"x", data}}).mul(weights).sum();
          },
          {{"reconstruction", reconstruction}});
    }
}

TEST_F(FirstStage, opens_the_extractor_that_is_named_for_the_images_shape_and_closes_it) {
  {
    const auto loss = opened("style", {{"extractor", std::string("test.known")}, {"layers", Texts{"pixels"}}});
    EXPECT_EQ(extractor.use, "test.known");
    EXPECT_EQ(extractor.weights, "f.safetensors");
    EXPECT_EQ(extractor.x, (std::vector<int64_t>{1, 2, 2}));
    EXPECT_EQ(extractor.opened, 1);
    values_of(loss, {{"reconstruction", r}, {"x", x}}, {true, 7});
    EXPECT_FALSE(extractor.training) << "dropout is off in a trained extractor, whatever is trained with it";
    EXPECT_EQ(extractor.closed, 0);
  }
  EXPECT_EQ(extractor.closed, 1);
}

TEST_F(FirstStage, says_which_layers_there_are_and_what_does_not_fit) {
  const auto said = [&](const Values& values) { return message([&] { opened("perceptual", values); }); };
  const auto has = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
  const auto unknown = said({{"layers", Texts{"relu9_9"}}});
  EXPECT_TRUE(has(unknown, "no layer \"relu9_9\"") && has(unknown, "pixels, pair, vector")) << unknown;
  const auto twice = said({{"layers", Texts{"pair", "pair"}}});
  EXPECT_TRUE(has(twice, "\"pair\" is named twice")) << twice;
  const auto weights = said({{"layers", Texts{"pair"}}, {"layer_weights", std::vector{1.0, 2.0}}});
  EXPECT_TRUE(has(weights, "layer_weights has 2 numbers for 1 layers")) << weights;
  const auto unnamed = said({{"layer_weights", std::vector{1.0}}});
  EXPECT_TRUE(has(unnamed, "layer_weights has 1 numbers for 2 layers")) << unnamed;
  const auto file = said({{"layers", Texts{"pair"}}, {"heads", std::string("/nowhere/heads.safetensors")}});
  EXPECT_TRUE(has(file, "/nowhere/heads.safetensors")) << file;
}

}  // namespace
}  // namespace perrin::testing
