// Vector quantisation by hand: the nearest code, the terms and whom they move, running means, perplexity.
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "tests/unit/encoders_vq/stepped.hpp"

namespace perrin::testing {
namespace {

using Settings = first_stage::Quantizer::Settings;

constexpr Settings kGradient{2, false, 0.9, 0.25, 0}, kEma{2, true, 0.9, 0.25, 0};

at::Tensor row(std::vector<double> values) { return at::tensor(values, at::kDouble); }

// Codes 0 and 1; vectors 0.2, 0.9 and 0.6, of which the first is nearest to code 0.
struct Line {
  explicit Line(const Settings& settings) : held(settings, 1) {
    held["embedding.weight"].detach().copy_(row({0, 1}).view({2, 1}));
  }
  first_stage::Quantizer::Trained train(uint32_t step = 1) {
    const At at(1, step);
    return held.quantizer->train(at.call, z);
  }
  HeldQuantizer held;
  at::Tensor z = row({0.2, 0.9, 0.6}).view({1, 1, 1, 3}).set_requires_grad(true);
};

void expect_near(const at::Tensor& ours, const at::Tensor& expected) {
  ASSERT_TRUE(ours.defined());
  EXPECT_LT((ours.detach().flatten() - expected).abs().max().item<double>(), 1e-12) << ours << expected;
}

TEST(Quantizer, gives_the_nearest_of_all_codes) {
  const Settings settings{50, false, 0.9, 0.25, 0};
  HeldQuantizer held(settings, 3);
  const auto codes = held["embedding.weight"].detach().mul_(50), z = at::randn({4, 3, 5, 2}, at::kDouble).mul(0.6);
  const auto z_q = (*held.quantizer)(z);
  ASSERT_EQ(z_q.sizes(), z.sizes());
  for (int64_t b = 0; b < 4; ++b)
    for (int64_t y = 0; y < 5; ++y)
      for (int64_t x = 0; x < 2; ++x) {
        const auto v = z[b].select(1, y).select(1, x), q = z_q[b].select(1, y).select(1, x);
        const auto distance = (codes - v).square().sum(1);
        EXPECT_TRUE(q.equal(codes[distance.argmin().item<int64_t>()]));
      }
}

// 1711.00937 Eq. 3: squared distances 0.04, 0.01 and 0.16, of mean 0.07.
TEST(Quantizer, terms_and_their_gradients_worked_by_hand) {
  Line line(kGradient);
  const auto trained = line.train();
  expect_near(trained.z, row({0, 1, 1}));
  expect_near(trained.commitment, row({0.25 * 0.07}));
  expect_near(trained.codebook, row({0.07}));
  trained.commitment.sum().backward();
  expect_near(line.z.grad().flatten(), row({0.25 * 2 * 0.2 / 3, 0.25 * 2 * -0.1 / 3, 0.25 * 2 * -0.4 / 3}));
  EXPECT_FALSE(line.held["embedding.weight"].grad().defined()) << "the commitment moves vectors alone";
  line.z.mutable_grad() = at::Tensor();
  trained.codebook.sum().backward();
  expect_near(line.held["embedding.weight"].grad().flatten(), row({2 * -0.2 / 3, 2 * (0.1 + 0.4) / 3}));
  EXPECT_FALSE(line.z.grad().defined()) << "the codebook term moves codes alone";
}

TEST(Quantizer, passes_the_gradient_of_the_codes_to_the_vectors) {
  Line line(kGradient);
  (line.train().z.flatten() * row({3, -5, 7})).sum().backward();
  expect_near(line.z.grad().flatten(), row({3, -5, 7}));
  EXPECT_FALSE(line.held["embedding.weight"].grad().defined());
}

// 1711.00937 Eq. 6 - 8 from N = (1.5, 1.5), the even share of three vectors, and decay 0.9: N = (1.45, 1.55),
// m = (0.02, 1.5).
TEST(Quantizer, running_means_worked_by_hand) {
  Line line(kEma);
  const auto trained = line.train();
  expect_near(trained.z, row({0, 1, 1}));
  expect_near(line.held["embedding.weight"], row({0.02 / 1.45, 1.5 / 1.55}));
  expect_near(line.held["use"], row({1.45 / 1.5, 1.55 / 1.5}));
  expect_near(trained.codebook, row({0}));
  // And once more: the vectors choose as before.
  line.train(2);
  expect_near(line.held["embedding.weight"],
              row({(0.9 * 0.02 + 0.02) / (0.9 * 1.45 + 0.1), (0.9 * 1.5 + 0.15) / (0.9 * 1.55 + 0.2)}));
}

TEST(Quantizer, writes_nothing_outside_of_training) {
  for (const Settings& settings : {kGradient, kEma}) {
    Line line(settings);
    const auto codes = line.held["embedding.weight"].clone(), use = line.held["use"].clone();
    line.train(0);
    (*line.held.quantizer)(line.z);
    EXPECT_TRUE(line.held["embedding.weight"].equal(codes));
    EXPECT_TRUE(line.held["use"].equal(use));
    EXPECT_TRUE(std::isnan(line.held.quantizer->perplexity()));
  }
}

TEST(Quantizer, perplexity_counts_the_codes_in_use) {
  const Settings settings{8, false, 0.9, 0.25, 0};
  HeldQuantizer held(settings, 1);
  held["embedding.weight"].detach().copy_(at::arange(8, at::kDouble).view({8, 1}));
  const At at(2, 1);
  held.quantizer->train(at.call, at::arange(8, at::kDouble).view({2, 1, 2, 2}));
  EXPECT_NEAR(held.quantizer->perplexity(), 8, 1e-12);
  EXPECT_EQ(held.quantizer->usage(), 1);
  held.quantizer->train(at.call, at::arange(8, at::kDouble).view({2, 1, 2, 2}).mul(0.01));
  EXPECT_NEAR(held.quantizer->perplexity(), 1, 1e-12);
  EXPECT_EQ(held.quantizer->usage(), 0.125);
}

}  // namespace
}  // namespace perrin::testing
