// Samplers in sigma / alpha against diffusers' tests/schedulers: first test_scheduler_euler.py, whose harness differs
// from sampling in two ways: it multiplies the start by the largest sigma, and it replaces the sample by the scaled
// model input before every step.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "tests/golden/plugins/harness.hpp"

namespace perrin::testing {
namespace {

// sigma = sqrt((1 - abar) / abar), T = 1100, interpolated at linspace(1099, 0, 10).
std::vector<perrin_time> ten_steps() {
  const std::vector<perrin_time> all = levels(builtin("schedule", "linear", {{"steps", int64_t{1100}}}));
  const auto sigma = [&](size_t t) { return all[t].sigma / all[t].alpha; };
  std::vector<perrin_time> times;
  for (int i = 0; i < 10; ++i) {
    const double t = 1099.0 * (9 - i) / 9;
    const auto below = static_cast<size_t>(t), above = std::min(below + 1, all.size() - 1);
    const double s = sigma(below) + (t - std::floor(t)) * (sigma(above) - sigma(below));
    times.push_back({t, 1 / std::sqrt(1 + s * s), s / std::sqrt(1 + s * s)});
  }
  times.push_back(clean);
  return times;
}

// D of the dummy model's output at y = x / alpha.
at::Tensor denoised(const at::Tensor& y, const perrin_time& at, bool v) {
  const double s = at.sigma / at.alpha;
  const at::Tensor F = dummy_model(y, at.t);
  return v ? y / (1 + s * s) - s / std::sqrt(1 + s * s) * F : y - s * F;
}

double full_loop(const char* id, bool v) {
  const auto sampler = builtin("sampler", id);
  const std::vector<perrin_time> times = ten_steps();
  PeerNoise noise;
  at::Tensor y = dummy_sample() * (times[0].sigma / times[0].alpha);  // y = x / alpha
  for (size_t i = 0; i + 1 < times.size(); ++i) {
    y = y * times[i].alpha;  // the sample becomes the model input
    const at::Tensor D = denoised(y, times[i], v);
    Sampling one{{times[i], times[i + 1]},
                 [&](const at::Tensor&, const perrin_time&) { return D; },
                 [&](uint32_t draw, const at::Tensor& like) { return noise(draw, like); },
                 nullptr};
    y = one.run(sampler, times[i].alpha * y) / times[i + 1].alpha;
  }
  return sum_abs(y);
}

void expect_sum(const char* row, double ours, double published, double tolerance) {
  std::printf("%-40s %.4f (published %.4f)\n", row, ours, published);
  EXPECT_NEAR(ours, published, tolerance) << row;
}

TEST(GoldenEuler, FullLoop) { expect_sum("euler, 10 steps", full_loop("euler", false), 10.0807, 1e-2); }

// test_scheduler_euler_ancestral.py, noise from torch.manual_seed(0).
TEST(GoldenEulerAncestral, FullLoopEpsilon) {
  expect_sum("euler ancestral eps, seed 0", full_loop("euler-ancestral", false), 152.3192, 1e-2);
}
TEST(GoldenEulerAncestral, FullLoopV) {
  expect_sum("euler ancestral v, seed 0", full_loop("euler-ancestral", true), 108.4439, 1e-2);
}

// test_scheduler_lms.py has the same harness. As the sample is replaced between steps, each step is run by itself, on
// the slopes (y - D) / sigma that the peer's earlier steps saw: D is chosen such that these come out again.
TEST(GoldenLms, FullLoop) {
  const auto lms = builtin("sampler", "lms");
  const std::vector<perrin_time> times = ten_steps();
  const auto sigma = [](const perrin_time& at) { return at.sigma / at.alpha; };
  std::vector<at::Tensor> slopes;
  at::Tensor y = dummy_sample() * sigma(times[0]);
  for (size_t i = 0; i + 1 < times.size(); ++i) {
    y = y * times[i].alpha;
    slopes.push_back((y - denoised(y, times[i], false)) / sigma(times[i]));
    const size_t first = i < 3 ? 0 : i - 3;
    Sampling latest{{times.begin() + static_cast<int64_t>(first), times.begin() + static_cast<int64_t>(i) + 2},
                    nullptr,
                    nullptr,
                    nullptr};
    size_t call = first;
    latest.D = [&](const at::Tensor& x, const perrin_time& at) { return x / at.alpha - sigma(at) * slopes[call++]; };
    const at::Tensor end = latest.run(lms, y * times[first].alpha) / times[i + 1].alpha;
    y = y + (end - latest.latest / times[i].alpha);
  }
  // float32 sums of numbers that cancel to a thousandth of what they began as
  expect_sum("lms, 10 steps", sum_abs(y), 1006.388, 1e-4 * 1006.388);
}

// test_scheduler_edm_euler.py: sigmas of 2206.00364 Eq. 5 from 80 to .002, its preconditioning with sigma_data .5
// around the dummy model of c_noise = log(sigma) / 4.
TEST(GoldenEdmEuler, FullLoop) {
  Sampling sampling{{},
                    [](const at::Tensor& x, const perrin_time& at) {
                      const double s = at.sigma, norm = std::sqrt(s * s + 0.25);
                      return 0.25 / (norm * norm) * x + s * 0.5 / norm * dummy_model(x / norm, std::log(s) / 4);
                    },
                    nullptr,
                    nullptr};
  for (int i = 0; i < 10; ++i) {
    const double root = std::pow(80, 1. / 7) + i / 9. * (std::pow(0.002, 1. / 7) - std::pow(80, 1. / 7));
    sampling.times.push_back({root, 1, std::pow(root, 7)});
  }
  sampling.times.push_back(clean);
  expect_sum("edm_euler .002-80", sum_abs(sampling.run(builtin("sampler", "euler"), std::sqrt(6401.) * dummy_sample())),
             34.1855, 1e-3);
}

}  // namespace
}  // namespace perrin::testing
