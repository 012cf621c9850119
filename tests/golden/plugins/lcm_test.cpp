// LCM against diffusers' tests/schedulers/test_scheduler_lcm.py: sums of |x|, noise from torch.manual_seed(0).
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "tests/golden/plugins/harness.hpp"

namespace perrin::testing {
namespace {

// D is the consistency function f = c_skip x + c_out x_0, whose boundary scalings the peer's scheduler applies:
// sigma_data .5, 10 t.
double full_loop(const std::vector<double>& t) {
  const auto schedule = builtin("schedule", "scaled-linear", {{"beta_start", 0.00085}, {"beta_end", 0.012}});
  const auto epsilon = builtin("parameterization", "epsilon");
  Sampling sampling{levels(schedule, t),
                    [&](const at::Tensor& x, const perrin_time& at) {
                      const double s = 10 * at.t, norm = std::sqrt(s * s + 0.25);
                      return 0.25 / (norm * norm) * x + s / norm * dummy_denoised(epsilon, x, at, false);
                    },
                    PeerNoise(), nullptr};
  sampling.times.push_back(clean);
  return sum_abs(sampling.run(builtin("sampler", "lcm"), dummy_sample()));
}

TEST(GoldenLcm, FullLoop) {
  const double one = full_loop({999}), ten = full_loop({999, 899, 799, 699, 599, 499, 399, 299, 199, 99});
  std::printf("lcm, 1 step %.4f (published 18.7097), 10 steps %.4f (published 197.7616)\n", one, ten);
  EXPECT_NEAR(one, 18.7097, 1e-3);
  EXPECT_NEAR(ten, 197.7616, 1e-3);
}

}  // namespace
}  // namespace perrin::testing
