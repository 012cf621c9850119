// The loss `adversarial` through its tables: values by hand, whose gradients reach whom, the adaptive weight.
#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "host/base/error.hpp"
#include "tests/unit/adversarial/gan.hpp"

namespace perrin::testing {
namespace {

Tensors pair(const at::Tensor& x, const at::Tensor& reconstruction) {
  return {{"x", x}, {"reconstruction", reconstruction}};
}

double softplus(double x) { return std::log1p(std::exp(x)); }

// With weights of zero every logit is the last bias, b.
TEST(Adversarial, values_worked_by_hand) {
  const auto x = at::zeros({2, 3, 16, 16}, at::kDouble);
  struct Row {
    const char* objective;
    double b, values, oppose;
  };
  for (const Row& row :
       {Row{"hinge", 0.7, -0.7, 0.5 * (0.3 + 1.7)}, Row{"hinge", 2, -2, 0.5 * 3}, Row{"hinge", -2, 2, 0.5 * 3},
        Row{"vanilla", 1, softplus(-1), 0.5 * (softplus(-1) + softplus(1))},
        Row{"non-saturating", 1, softplus(-1), softplus(-1) + softplus(1)}, Row{"wasserstein", 3, -3, 0}}) {
    Gan gan({{"objective", std::string(row.objective)}, {"gradient_penalty", 0.0}}, {3, 16, 16}, at::kDouble);
    gan.net.values.zero_();
    gan.fill("main.8.bias", row.b);
    const auto values = gan.values(pair(x, x)), oppose = gan.oppose(pair(x, x));
    ASSERT_EQ(values.sizes(), at::IntArrayRef{2});
    ASSERT_EQ(oppose.sizes(), at::IntArrayRef{2});
    EXPECT_NEAR((values - row.values).abs().max().item<double>(), 0, 1e-12) << row.objective << " " << row.b;
    EXPECT_NEAR((oppose - row.oppose).abs().max().item<double>(), 0, 1e-12) << row.objective << " " << row.b;
  }
}

TEST(Adversarial, gradients_reach_their_own_player_alone) {
  at::manual_seed(0);
  for (const char* norm : {"batch", "spectral", "none"}) {
    // Of the hinge the last bias has none while no logit is beyond it.
    Gan gan({{"norm", std::string(norm)}, {"objective", std::string("vanilla")}}, {3, 16, 16});
    const auto w = at::full({}, 0.5).set_requires_grad(true);  // the decoder
    const auto x = at::rand({4, 3, 16, 16}), reconstruction = at::rand({4, 3, 16, 16}) * w;
    const auto weights = gan.net.values.clone();
    gan.values(pair(x, reconstruction)).mean().backward();
    EXPECT_NE(w.grad().item<float>(), 0) << norm;
    EXPECT_EQ(gan.net.gradients.abs().max().item<float>(), 0) << norm << ": of the discriminator";
    EXPECT_TRUE(gan.net.values.equal(weights)) << norm << ": buffers are written in `oppose` alone";
    w.mutable_grad() = at::Tensor();
    gan.oppose(pair(x, reconstruction.detach())).mean().backward();
    EXPECT_FALSE(w.grad().defined()) << norm;
    for (const Declared& d : gan.net.declared)
      if (d.role == PERRIN_PARAMETER) EXPECT_GT(d.value.grad().abs().max().item<float>(), 0) << norm << ": " << d.name;
  }
}

// Data are noise, reconstructions constants; 30 steps of gradient descent.
TEST(Adversarial, the_discriminator_learns_to_tell_data_from_reconstructions) {
  at::manual_seed(0);
  for (const char* objective : {"hinge", "vanilla", "non-saturating", "wasserstein"}) {
    Gan gan({{"objective", std::string(objective)}, {"norm", std::string("spectral")}}, {1, 16, 16});
    const auto x = at::randn({16, 1, 16, 16}), fake = at::full({16, 1, 16, 16}, 0.5);
    double first = 0, last = 0;
    for (uint32_t step = 1; step <= 30; ++step) {
      gan.net.gradients.zero_();
      Step at;
      at.step = step;
      const auto loss = gan.oppose(pair(x, fake), at).mean();
      loss.backward();
      for (Declared& d : gan.net.declared)
        if (d.role == PERRIN_PARAMETER) d.value.detach().sub_(d.value.grad(), 0.05);
      (step == 1 ? first : last) = loss.item<double>();
    }
    EXPECT_LT(last, first - 0.02) << objective;
    const auto trace = gan.trace();
    EXPECT_GT(trace[0], trace[1]) << objective << ": logits of data and of reconstructions";
  }
}

// reconstruction = w h: the term pulls at w with g, the terms before it, 3 w, with 3.
TEST(Adversarial, the_adaptive_weight_balances_the_pull_at_the_last_layer) {
  at::manual_seed(0);
  const auto w = at::full({}, 0.5, at::kDouble).set_requires_grad(true);
  const auto x = at::rand({4, 3, 16, 16}, at::kDouble), h = at::randn({4, 3, 16, 16}, at::kDouble);
  const auto reconstruction = h * w;
  Gan gan({{"adaptive", true}}, {3, 16, 16}, at::kDouble), plain({}, {3, 16, 16}, at::kDouble);
  const auto own = plain.values(pair(x, reconstruction));
  const double g = torch::autograd::grad({own.mean()}, {w}, {}, true)[0].item<double>();
  Tensors inputs = pair(x, reconstruction);
  inputs.emplace_back("terms", 3 * w);
  inputs.emplace_back("last_layer", w);
  const auto values = gan.values(inputs);
  const double lambda = 3 / (std::abs(g) + 1e-4);
  ASSERT_LT(lambda, 1e4);
  EXPECT_NEAR((values / own - lambda).abs().max().item<double>() / lambda, 0, 1e-12);
  values.mean().backward();
  EXPECT_NEAR(w.grad().item<double>(), lambda * g, 1e-9);
  EXPECT_NEAR(gan.trace()[2], lambda, 1e-9 * lambda);
}

TEST(Adversarial, asks_for_a_last_layer_for_the_adaptive_weight_alone) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(Gan({{"adaptive", true}}, {3, 16, 16}).inputs(), (Names{"x", "reconstruction", "terms", "last_layer"}));
  EXPECT_EQ(Gan({}, {3, 16, 16}).inputs(), (Names{"x", "reconstruction"}));
}

TEST(Adversarial, traces_nan_before_its_start_and_logits_after) {
  Gan gan({}, {3, 16, 16});
  for (const double value : gan.trace()) EXPECT_TRUE(std::isnan(value));
  gan.net.values.zero_();
  gan.fill("main.8.bias", 0.25);
  const auto x = at::rand({2, 3, 16, 16});
  gan.oppose(pair(x, x));
  const auto trace = gan.trace();
  EXPECT_EQ(trace[0], 0.25);
  EXPECT_EQ(trace[1], 0.25);
  EXPECT_TRUE(std::isnan(trace[3])) << "no penalty";
}

TEST(Adversarial, refuses_clips) {
  try {
    Gan({}, {3, 4, 16, 16});
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("[C, H, W]"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace perrin::testing
