// The deterministic samplers solve the probability flow to first order (2010.02502 Sec. 4.3: Euler's method on Eq. 13).
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "tests/unit/plugins_a/exact.hpp"
#include "tests/unit/plugins_a/sampling.hpp"

namespace perrin::testing {
namespace {

// n + 1 variance-preserving levels, log(alpha / sigma) from -4 to 3 in equal steps: no step to the clean end, whose
// size does not shrink with n.
std::vector<perrin_time> log_snr_grid(int n) {
  std::vector<perrin_time> times;
  for (int i = 0; i <= n; ++i) {
    const double odds = std::exp(2 * (-4 + 7.0 * i / n));
    times.push_back(level_of(n - i, odds / (1 + odds)));
  }
  return times;
}

double root_mean_square(const at::Tensor& difference) {
  return std::sqrt((difference * difference).mean().item<double>());
}

void expect_first_order(const char* id) {
  const auto mixture =
      builtin("dataset", "gaussian-mixture", {{"components", int64_t{3}}, {"radius", 1.0}, {"deviation", 0.3}});
  const auto sampler = builtin("sampler", id);
  const at::Tensor x = start(256, 2, 1);
  const auto solve = [&](int n) {
    Sampling sampling{log_snr_grid(n),
                      [&](const at::Tensor& y, const perrin_time& at) { return exact_denoised(mixture, y, at); },
                      nullptr, nullptr};
    return sampling.run(sampler, x);
  };
  const at::Tensor reference = solve(16384);
  std::printf("%s: root mean square distance to the trajectory of 16384 steps\n  steps      error   order\n", id);
  double before = 0;
  for (int n = 8; n <= 512; n *= 2) {
    const double error = root_mean_square(solve(n) - reference), order = std::log2(before / error);
    std::printf("  %5d  %.3e   %s\n", n, error, before > 0 ? std::to_string(order).substr(0, 5).c_str() : "");
    if (n >= 128) EXPECT_NEAR(order, 1, 0.1) << id << " from " << n / 2 << " to " << n << " steps";
    before = error;
  }
}

TEST(Convergence, DdimIsOfFirstOrder) { expect_first_order("ddim"); }
TEST(Convergence, EulerIsOfFirstOrder) { expect_first_order("euler"); }

}  // namespace
}  // namespace perrin::testing
