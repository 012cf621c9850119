// DDPM against diffusers' tests/schedulers/test_scheduler_ddpm.py: sums of |x|, noise from torch.manual_seed(0).
#include <ATen/ops/sin.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "tests/golden/plugins/harness.hpp"

namespace perrin::testing {
namespace {

// From t = first down to 0 by ones, then clean.
double full_loop(const std::string& parameterization, int first, const at::Tensor& x) {
  const auto schedule = builtin("schedule", "linear"), predicted = builtin("parameterization", parameterization);
  std::vector<double> t;
  for (int i = first; i >= 0; --i) t.push_back(i);
  Sampling sampling{levels(schedule, t),
                    [&](const at::Tensor& x, const perrin_time& at) { return dummy_denoised(predicted, x, at, true); },
                    PeerNoise(), nullptr};
  sampling.times.push_back(clean);
  return sum_abs(sampling.run(builtin("sampler", "ddpm"), x));
}

void expect_sum(const char* row, double ours, double published) {
  std::printf("%-32s %.4f (published %.4f)\n", row, ours, published);
  EXPECT_NEAR(ours, published, 1e-2) << row;
}

TEST(GoldenDdpm, FullLoopEpsilon1000Steps) {
  expect_sum("ddpm eps, seed 0, 1000 steps", full_loop("epsilon", 999, dummy_sample()), 258.9606);
}
TEST(GoldenDdpm, FullLoopV1000Steps) {
  expect_sum("ddpm v, seed 0, 1000 steps", full_loop("v", 999, dummy_sample()), 202.0296);
}

// test_full_loop_with_noise: the sample is noised to t = 1, and the last two steps are taken. At t = 1 their
// coefficients are differences of float32 numbers near 1: diffusers 0.42.1 given betas in float64 gives 387.96719.
TEST(GoldenDdpm, LastTwoStepsFromANoisedSample) {
  const perrin_time one = levels(builtin("schedule", "linear"), {1})[0];
  const double ours = full_loop("epsilon", 1, one.alpha * dummy_sample() + one.sigma * dummy_noise());
  std::printf("ddpm with noise, t = 1, 0        %.4f (published 387.9466, with float64 betas 387.9672)\n", ours);
  EXPECT_NEAR(ours, 387.96719, 1e-3);
  EXPECT_NEAR(ours / 387.9466, 1, 1e-4);
}

double variance_of_step(const services::Component& ddpm, const std::vector<perrin_time>& times) {
  const auto same = [](const at::Tensor& x, const perrin_time&) { return x; };
  Sampling sampling{times, same, nullptr, nullptr};
  sampling.run(ddpm, at::zeros({1, 2}));
  return sampling.deviations.empty() ? 0 : std::pow(sampling.deviations.at(0), 2);
}

// test_variance: _get_variance(t) with fixed_small. fixed_large is beta(t) of 2006.11239 Sec. 4: 1e-4 + t/999 (.02 -
// 1e-4).
TEST(GoldenDdpm, VarianceOfAStep) {
  const auto schedule = builtin("schedule", "linear");
  const auto small = builtin("sampler", "ddpm");
  const auto large = builtin("sampler", "ddpm", {{"variance", std::string("fixed-large")}});
  const struct { double t, small; } rows[] = {{487, 0.00979}, {999, 0.02}};
  for (const auto& row : rows) {
    const std::vector<perrin_time> step = levels(schedule, {row.t, row.t - 1});
    const double s = variance_of_step(small, step), l = variance_of_step(large, step);
    const double beta = 1e-4 + row.t / 999 * (0.02 - 1e-4);
    std::printf("ddpm variance t = %3.0f: fixed-small %.6f (published %.5f), fixed-large %.7f (%.7f)\n", row.t, s,
                row.small, l, beta);
    EXPECT_NEAR(s, row.small, 1e-5) << "fixed-small, t = " << row.t;
    EXPECT_NEAR(l, beta, 1e-13) << "fixed-large, t = " << row.t;
  }
  const std::vector<perrin_time> last = {levels(schedule, {0})[0], clean};
  EXPECT_EQ(variance_of_step(small, last), 0) << "t = 0";
}

// diffusers 0.42.1, DDPMScheduler(variance_type="learned_range", clip_sample=False), 10 leading steps, with
// sin(3 x + t / 100) as the model's second half.
TEST(GoldenDdpm, LearnedRange) {
  const auto epsilon = builtin("parameterization", "epsilon");
  Sampling sampling{levels(builtin("schedule", "linear"), {900, 800, 700, 600, 500, 400, 300, 200, 100, 0}),
                    [&](const at::Tensor& x, const perrin_time& at) { return dummy_denoised(epsilon, x, at, false); },
                    PeerNoise(), nullptr};
  sampling.times.push_back(clean);
  sampling.variance = [&] { return at::sin(3 * sampling.latest + sampling.asked.back().t / 100); };
  const auto learned = builtin("sampler", "ddpm", {{"variance", std::string("learned-range")}});
  expect_sum("ddpm learned_range, 10 steps", sum_abs(sampling.run(learned, dummy_sample())), 328.996582);
}

}  // namespace
}  // namespace perrin::testing
