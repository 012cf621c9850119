// DDIM against diffusers' tests/schedulers/test_scheduler_ddim.py: sums of |x| after 10 steps.
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "tests/golden/plugins/harness.hpp"

namespace perrin::testing {
namespace {

// 10 leading steps of 1000 (t = 900, 800, ... 0), ended at the clean level or, set_alpha_to_one=False, at abar(0).
std::vector<perrin_time> ten_steps(const services::Component& schedule, bool alpha_to_one) {
  std::vector<perrin_time> times = levels(schedule, {900, 800, 700, 600, 500, 400, 300, 200, 100, 0});
  times.push_back(alpha_to_one ? clean : times.back());
  return times;
}

double full_loop(const std::string& parameterization, double beta_start, bool alpha_to_one) {
  const auto schedule = builtin("schedule", "linear", {{"beta_start", beta_start}});
  const auto predicted = builtin("parameterization", parameterization);
  Sampling sampling{ten_steps(schedule, alpha_to_one),
                    [&](const at::Tensor& x, const perrin_time& at) { return dummy_denoised(predicted, x, at, true); },
                    nullptr, nullptr};
  return sum_abs(sampling.run(builtin("sampler", "ddim"), dummy_sample()));
}

void expect_sum(const char* row, double ours, double published) {
  std::printf("%-44s %.4f (published %.4f)\n", row, ours, published);
  EXPECT_NEAR(ours, published, 1e-2) << row;
}

TEST(GoldenDdim, FullLoopEpsilon) { expect_sum("ddim eps eta 0", full_loop("epsilon", 1e-4, true), 172.0067); }
TEST(GoldenDdim, FullLoopV) { expect_sum("ddim v", full_loop("v", 1e-4, true), 52.5302); }
TEST(GoldenDdim, FullLoopSetAlphaToOne) {
  expect_sum("ddim beta0 = .01, alpha -> 1", full_loop("epsilon", 0.01, true), 149.8295);
  expect_sum("ddim beta0 = .01, alpha not -> 1", full_loop("epsilon", 0.01, false), 149.0784);
}

// test_full_loop_with_noise: the sample is noised to the ninth of the ten steps, and two are taken.
TEST(GoldenDdim, LastTwoStepsFromANoisedSample) {
  const auto predicted = builtin("parameterization", "epsilon");
  std::vector<perrin_time> times = ten_steps(builtin("schedule", "linear"), true);
  times.erase(times.begin(), times.begin() + 8);
  Sampling sampling{times,
                    [&](const at::Tensor& x, const perrin_time& at) { return dummy_denoised(predicted, x, at, true); },
                    nullptr, nullptr};
  const at::Tensor noised = times[0].alpha * dummy_sample() + times[0].sigma * dummy_noise();
  expect_sum("ddim with noise, t = 100, 0", sum_abs(sampling.run(builtin("sampler", "ddim"), noised)), 354.5418);
}

// test_variance: _get_variance(t, s), ours at eta 1.
TEST(GoldenDdim, VarianceOfAStep) {
  const auto schedule = builtin("schedule", "linear");
  const auto ddim = builtin("sampler", "ddim", {{"eta", 1.0}});
  const struct {
    double t, s, variance;
  } rows[] = {{420, 400, 0.14771}, {980, 960, 0.32460}, {487, 486, 0.00979}, {999, 998, 0.02}, {0, 0, 0}};
  for (const auto& row : rows) {
    const auto zero = [](const at::Tensor& x, const perrin_time&) { return x; };
    Sampling sampling{levels(schedule, {row.t, row.s}), zero, nullptr, nullptr};
    sampling.run(ddim, at::zeros({1, 2}));
    const double variance = sampling.deviations.empty() ? 0 : std::pow(sampling.deviations.at(0), 2);
    std::printf("ddim variance (%3.0f, %3.0f)  %.6f (published %.5f)\n", row.t, row.s, variance, row.variance);
    EXPECT_NEAR(variance, row.variance, 1e-5) << row.t << " -> " << row.s;
  }
}

// test_scheduler_ddim_inverse.py: from clean up to t = 0, 100, ... 900. The peer's v_prediction reads the model's
// output as v at the level below, which no D is; its rows 1394.2185 and those that clip x_0 there are not the method's.
double inverse_loop(double beta_start, bool alpha_to_one) {
  const auto schedule = builtin("schedule", "linear", {{"beta_start", beta_start}});
  const auto predicted = builtin("parameterization", "epsilon");
  std::vector<perrin_time> times = levels(schedule, {0, 0, 100, 200, 300, 400, 500, 600, 700, 800, 900});
  if (alpha_to_one) times.front() = clean;
  Sampling sampling{times,
                    [&](const at::Tensor& x, const perrin_time& at) { return dummy_denoised(predicted, x, at, false); },
                    nullptr, nullptr};
  return sum_abs(sampling.run(builtin("sampler", "ddim-inversion"), dummy_sample()));
}
TEST(GoldenDdimInversion, FullLoop) {
  expect_sum("ddim inverse eps", inverse_loop(1e-4, true), 671.6816);
  expect_sum("ddim inverse beta0 = .01, alpha -> 1", inverse_loop(0.01, true), 539.9622);
  // 542.6722 with the peer's clip_sample; without, diffusers 0.42.1 gives
  expect_sum("ddim inverse beta0 = .01, alpha not -> 1", inverse_loop(0.01, false), 542.682434);
}

}  // namespace
}  // namespace perrin::testing
