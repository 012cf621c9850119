// Samplers along a flow path against diffusers 0.42.1: FlowMatchEulerDiscreteScheduler and
// FlowMatchHeunDiscreteScheduler(num_train_timesteps=1000), set_timesteps(8), model(x, t / 1000) as the velocity.
#include <gtest/gtest.h>

#include <cstdio>

#include "tests/golden/plugins/harness.hpp"

namespace perrin::testing {
namespace {

// sigma = linspace(1, .001, 8), then 0; alpha = 1 - sigma; D = x - sigma v.
double full_loop(const char* sampler) {
  Sampling sampling{{},
                    [](const at::Tensor& x, const perrin_time& at) { return x - at.sigma * dummy_model(x, at.t); },
                    nullptr,
                    nullptr};
  for (int i = 0; i < 8; ++i) {
    const double sigma = 1 - i / 7. * 0.999;
    sampling.times.push_back({sigma, 1 - sigma, sigma});
  }
  sampling.times.push_back(clean);
  return sum_abs(sampling.run(builtin("sampler", sampler), dummy_sample()));
}

TEST(GoldenFlow, FullLoop) {
  const double euler = full_loop("flow-euler"), heun = full_loop("flow-heun");
  std::printf("flow euler %.4f (269.9776), flow heun %.4f (282.5355)\n", euler, heun);
  EXPECT_NEAR(euler, 269.977600, 1e-3);
  EXPECT_NEAR(heun, 282.535522, 1e-3);
}

}  // namespace
}  // namespace perrin::testing
