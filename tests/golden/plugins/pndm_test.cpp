// Pseudo numerical methods against diffusers' tests/schedulers/test_scheduler_pndm.py: sums of |x| after 10 steps. Its
// row for v, 67.3986, is not the method's: that scheduler combines the v of several levels and takes eps from the
// mixture.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "tests/golden/plugins/harness.hpp"

namespace perrin::testing {
namespace {

// 10 leading steps of 1000, ended at the clean level or, set_alpha_to_one=False, at abar(0).
double full_loop(double beta_start, bool alpha_to_one, bool skip_prk_steps) {
  const auto schedule = builtin("schedule", "linear", {{"beta_start", beta_start}});
  const auto predicted = builtin("parameterization", "epsilon");
  std::vector<perrin_time> times = levels(schedule, {900, 800, 700, 600, 500, 400, 300, 200, 100, 0});
  times.push_back(alpha_to_one ? clean : times.back());
  Sampling sampling{times,
                    [&](const at::Tensor& x, const perrin_time& at) { return dummy_denoised(predicted, x, at, false); },
                    nullptr, interpolated(schedule)};
  return sum_abs(sampling.run(builtin("sampler", "pndm", {{"skip_prk_steps", skip_prk_steps}}), dummy_sample()));
}

void expect_sum(const char* row, double ours, double published) {
  std::printf("%-48s %.4f (%.4f)\n", row, ours, published);
  EXPECT_NEAR(ours, published, 1e-2) << row;
}

TEST(GoldenPndm, FullLoopEpsilon) { expect_sum("pndm eps", full_loop(1e-4, false, false), 198.1318); }
TEST(GoldenPndm, FullLoopSetAlphaToOne) {
  expect_sum("pndm beta0 = .01, alpha -> 1", full_loop(0.01, true, false), 230.0399);
  expect_sum("pndm beta0 = .01, alpha not -> 1", full_loop(0.01, false, false), 186.9482);
}

// diffusers 0.42.1, PNDMScheduler(skip_prk_steps=True) over the same loop.
TEST(GoldenPndm, FullLoopWithoutRungeKutta) {
  expect_sum("pndm skip_prk_steps", full_loop(1e-4, false, true), 197.715607);
  expect_sum("pndm skip_prk_steps, alpha -> 1", full_loop(1e-4, true, true), 200.568207);
}

// diffusers 0.42.1, IPNDMScheduler(trained_betas=[.95, .9, .8, ... .1, 0.]), whose betas are sigma and whose eps is
// sigma x + alpha F. Its own test starts at alpha = 0 and divides by it, and goes through the list twice: not a value
// of the method.
TEST(GoldenIpndm, FullLoop) {
  Sampling sampling{
      {},
      [](const at::Tensor& x, const perrin_time& at) { return at.alpha * x - at.sigma * dummy_model(x, at.t); },
      nullptr,
      nullptr};
  for (double beta : {0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0}) {
    const double alpha = std::sqrt(1 - beta * beta);
    sampling.times.push_back({std::atan2(beta, alpha) / M_PI * 2, alpha, beta});
  }
  expect_sum("ipndm", sum_abs(sampling.run(builtin("sampler", "ipndm"), dummy_sample())), 271.293549);
}

}  // namespace
}  // namespace perrin::testing
