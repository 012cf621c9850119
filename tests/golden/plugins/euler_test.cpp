// Euler against diffusers' tests/schedulers/test_scheduler_euler.py, whose harness differs from sampling in two ways:
// it multiplies the start by the largest sigma, and it replaces the sample by the scaled model input before every step.
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

TEST(GoldenEuler, FullLoop) {
  const auto euler = builtin("sampler", "euler");
  const std::vector<perrin_time> times = ten_steps();
  const auto sigma = [&](size_t i) { return times[i].sigma / times[i].alpha; };
  at::Tensor y = dummy_sample() * sigma(0);  // y = x / alpha
  for (size_t i = 0; i + 1 < times.size(); ++i) {
    y = y / std::sqrt(1 + sigma(i) * sigma(i));  // the sample becomes the model input
    const at::Tensor D = y - sigma(i) * dummy_model(y, times[i].t);
    Sampling one{{times[i], times[i + 1]}, [&](const at::Tensor&, const perrin_time&) { return D; }, nullptr, nullptr};
    y = one.run(euler, times[i].alpha * y) / times[i + 1].alpha;
  }
  std::printf("euler, 10 steps %.4f (published 10.0807)\n", sum_abs(y));
  EXPECT_NEAR(sum_abs(y), 10.0807, 1e-2);
}

}  // namespace
}  // namespace perrin::testing
