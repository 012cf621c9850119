// Align Your Steps' list for Stable Diffusion XL: 2404.14507 Table 3, and diffusers 0.42.1's
// AysSchedules["StableDiffusionXLTimesteps"], the whole times of the same levels. The 11th level of the paper's list,
// .029, is the clean end's in ten steps.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "host/sample/step_levels.hpp"
#include "tests/unit/plugins_a/components.hpp"

namespace perrin::testing {
namespace {

const std::vector<double> kSigmas = {14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113};
const std::vector<double> kTimes = {999, 845, 730, 587, 443, 310, 193, 116, 53, 13};

// Of scaled-linear, Stable Diffusion XL's schedule.
sample::NoiseRange range() {
  const auto ends = levels(builtin("schedule", "scaled-linear"), {0, 999});
  return {ends[0].sigma / ends[0].alpha, ends[1].sigma / ends[1].alpha};
}

TEST(GoldenAlignYourSteps, TenStepsAreThePapersListForStableDiffusionXl) {
  const std::vector<double> ours = sample::ays_sdxl_levels(10, range());
  ASSERT_EQ(ours.size(), kSigmas.size());
  for (size_t i = 0; i < ours.size(); ++i)  // the first is the schedule's own end, 14.6146
    EXPECT_NEAR(ours[i], kSigmas[i], i == 0 ? 5e-4 : 1e-12) << i;
}

// A whole time is half a step off at most, which is this much of the noise level's own slope there.
TEST(GoldenAlignYourSteps, TheListIsThatOfTheWholeTimesOfDiffusers) {
  const services::Component schedule = builtin("schedule", "scaled-linear");
  const std::vector<double> ours = sample::ays_sdxl_levels(10, range());
  for (size_t i = 0; i < kTimes.size(); ++i) {
    const auto around = levels(schedule, {std::max(0.0, kTimes[i] - 1), kTimes[i], std::min(999.0, kTimes[i] + 1)});
    const auto sigma = [&](size_t k) { return around[k].sigma / around[k].alpha; };
    std::printf("t %3.0f: sigma %.4f (%.3f)\n", kTimes[i], sigma(1), ours[i]);
    EXPECT_NEAR(sigma(1), ours[i], sigma(2) - sigma(0)) << kTimes[i];
  }
}

// The authors' interpolation to other counts: linear in log sigma over the list, here to 20 and 5 steps.
TEST(GoldenAlignYourSteps, OtherCountsAreInterpolatedInLogSigma) {
  const std::vector<double> twenty = sample::ays_sdxl_levels(20, range()), five = sample::ays_sdxl_levels(5, range());
  ASSERT_EQ(twenty.size(), 20u);
  ASSERT_EQ(five.size(), 5u);
  for (size_t i = 1; i < 10; ++i) {
    EXPECT_NEAR(twenty[2 * i], kSigmas[i], 1e-12) << i;
    const double next = i + 1 < 10 ? kSigmas[i + 1] : 0.029;
    EXPECT_NEAR(twenty[2 * i + 1], std::sqrt(kSigmas[i] * next), 1e-12) << i;
  }
  for (size_t i = 1; i < 5; ++i) EXPECT_NEAR(five[i], kSigmas[2 * i], 1e-12) << i;
}

}  // namespace
}  // namespace perrin::testing
