// kl: hand-worked values, warm-up, free bits.
#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "tests/unit/losses_first_stage/held.hpp"
#include "tests/unit/plugins_b/finite_differences.hpp"

namespace perrin::testing {
namespace {

Tensors posterior(const at::Tensor& mean, const at::Tensor& log_variance, at::IntArrayRef x) {
  return {{"posterior_mean", mean}, {"posterior_log_variance", log_variance}, {"x", at::zeros(x, at::kDouble)}};
}
at::Tensor filled(at::IntArrayRef sizes, double value) { return at::full(sizes, value, at::kDouble); }

// Of one element: (m^2 + v - 1 - ln v) / 2. m = 1, v = 1: 1/2; m = 0, v = 4: (3 - ln 4) / 2; m = 2, v = 1/4:
// (4 - 3/4 + ln 4) / 2.
TEST(Kl, values_by_hand) {
  const auto mean = at::tensor({1.0, 0.0, 2.0, 0.0}, at::kDouble).view({4, 1});
  const auto variance = at::tensor({1.0, 4.0, 0.25, 1.0}, at::kDouble).view({4, 1});
  const auto kl = held("kl");
  const auto values = values_of(kl, posterior(mean, variance.log(), {4, 1}));
  const double ln4 = std::log(4.0), expected[] = {0.5, (3 - ln4) / 2, (3.25 + ln4) / 2, 0};
  for (int64_t b = 0; b < 4; ++b) EXPECT_NEAR(values[b].item<double>(), expected[b], 1e-14);
  EXPECT_NEAR(traced(kl)[0], (0.5 + 1.5 + 1.625) / 4, 1e-14) << "the logs cancel";
}

TEST(Kl, sums_over_the_latent_and_divides_by_the_datas_elements) {
  const auto kl = held("kl");
  const auto inputs = posterior(filled({2, 4, 2, 2}, 1), filled({2, 4, 2, 2}, 0), {2, 3, 8, 8});
  EXPECT_NEAR(values_of(kl, inputs)[1].item<double>(), 16 * 0.5 / 192, 1e-15);
  EXPECT_NEAR(traced(kl)[0], 8, 1e-14);
}

TEST(Kl, gradient_agrees_with_finite_differences) {
  for (const double free_bits : {0.0, 1.5}) {
    const auto kl = held("kl", {{"free_bits", free_bits}});
    const auto mean = leaf({3, 4, 2, 2}), log_variance = leaf({3, 4, 2, 2});
    worst_directional_error(
        [&] {
          return values_of(kl, posterior(mean, log_variance, {3, 3, 8, 8})).sum();
        },
        {{"mean", mean}, {"log_variance", log_variance}});
  }
}

TEST(Kl, warms_up_in_a_line_over_the_stages_steps) {
  const auto kl = held("kl", {{"warmup", int64_t{10}}});
  const auto inputs = posterior(filled({1, 1}, 1), filled({1, 1}, 0), {1, 1});
  const auto at_step = [&](uint32_t step) { return values_of(kl, inputs, {true, step}).item<double>(); };
  EXPECT_EQ(at_step(0), 0);
  EXPECT_DOUBLE_EQ(at_step(3), 0.15);
  EXPECT_EQ(at_step(10), 0.5);
  EXPECT_EQ(at_step(4000000), 0.5);
  EXPECT_EQ(values_of(kl, inputs, {false, 0}).item<double>(), 0.5) << "out of training there is no warm-up";
  EXPECT_DOUBLE_EQ(traced(kl)[0], 0.5) << "the trace is of the KL alone";
}

// Two samples, two channels of two positions. KL of a channel with means m: sum of m^2 / 2. Channel 0: 1 and 3, mean 2;
// channel 1: 0.25 and 0.25. With lambda = 1: 2 + 1 on average, and no gradient to channel 1.
TEST(Kl, free_bits_hold_a_channel_by_its_mean_over_the_batch) {
  const auto kl = held("kl", {{"free_bits", 1.0}});
  const double a = 1, b = std::sqrt(3.0), c = 0.5;
  const auto mean = at::tensor({a, a, c, c, b, b, c, c}, at::kDouble).view({2, 2, 1, 2}).set_requires_grad(true);
  const auto values = values_of(kl, posterior(mean, filled({2, 2, 1, 2}, 0), {2, 1, 1, 4}));
  EXPECT_NEAR(values.mean().item<double>(), (2 + 1) / 4.0, 1e-14);
  values.mean().backward();
  const double per = 0.5 / 4;  // over the batch and the data's elements
  const double expected[] = {a * per, a * per, 0, 0, b * per, b * per, 0, 0};
  for (int64_t i = 0; i < 8; ++i) EXPECT_NEAR(mean.grad().flatten()[i].item<double>(), expected[i], 1e-14) << i;
}

}  // namespace
}  // namespace perrin::testing
