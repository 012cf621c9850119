#include "host/sample/steps.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/run/composition.hpp"

namespace perrin::sample {
namespace {

using run::test::compose;
using run::test::kPoints;
using run::test::message_of;
using Times = std::vector<int64_t>;

// diffusers/tests/schedulers/test_scheduler_ddim.py, test_steps_offset.
TEST(SpacedTimesteps, LeadingWithOffsetIsThePeersRow) {
  EXPECT_EQ(spaced_timesteps(1000, 5, "leading", 1), (Times{801, 601, 401, 201, 1}));
}

// 2305.08891, Table 2: T = 1000, S = 10. The paper counts from 1; here 0 is the first.
TEST(SpacedTimesteps, TenStepsAreTheRowsOfThePaper) {
  EXPECT_EQ(spaced_timesteps(1000, 10, "leading", 0), (Times{900, 800, 700, 600, 500, 400, 300, 200, 100, 0}));
  EXPECT_EQ(spaced_timesteps(1000, 10, "linspace", 0), (Times{999, 888, 777, 666, 555, 444, 333, 222, 111, 0}));
  EXPECT_EQ(spaced_timesteps(1000, 10, "trailing", 0), (Times{999, 899, 799, 699, 599, 499, 399, 299, 199, 99}));
}

// The formulas of the same table for S = 25: arange(0, 1000, 40), arange(1000, 0, -40) - 1 and multiples of 999 / 24,
// whose halves (166.5, 499.5 and 832.5) numpy rounds to even.
TEST(SpacedTimesteps, TwentyFiveSteps) {
  Times leading, trailing;
  for (int64_t i = 24; i >= 0; --i) leading.push_back(40 * i), trailing.push_back(40 * i + 39);
  EXPECT_EQ(spaced_timesteps(1000, 25, "leading", 0), leading);
  EXPECT_EQ(spaced_timesteps(1000, 25, "trailing", 0), trailing);
  EXPECT_EQ(spaced_timesteps(1000, 25, "linspace", 0),
            (Times{999, 957, 916, 874, 832, 791, 749, 708, 666, 624, 583, 541, 500,
                   458, 416, 375, 333, 291, 250, 208, 166, 125, 83,  42,  0}));
}

TEST(SpacedTimesteps, OneStepAndAllSteps) {
  EXPECT_EQ(spaced_timesteps(1000, 1, "trailing", 0), Times{999});
  EXPECT_EQ(spaced_timesteps(1000, 1, "leading", 0), Times{0});
  for (const char* spacing : {"leading", "trailing", "linspace"}) {
    const Times all = spaced_timesteps(1000, 1000, spacing, 0);
    for (int64_t i = 0; i < 1000; ++i) ASSERT_EQ(all[static_cast<size_t>(i)], 999 - i) << spacing;
  }
}

TEST(SpacedTimesteps, WhatCannotBeIsRefusedWithTheRange) {
  EXPECT_NE(message_of([] { spaced_timesteps(1000, 1001, "leading", 0); }).find("give 1 to 1000"), std::string::npos);
  EXPECT_NE(message_of([] { spaced_timesteps(1000, 0, "leading", 0); }).find("give 1 to 1000"), std::string::npos);
  const std::string late = message_of([] { spaced_timesteps(1000, 10, "leading", 100); });
  EXPECT_NE(late.find("reaches t = 1000, but the last step is 999"), std::string::npos) << late;
  EXPECT_NE(message_of([] { spaced_timesteps(1000, 10, "evenly", 0); }).find("leading, trailing or linspace"),
            std::string::npos);
}

TEST(SamplingTimes, EndCleanAndFallInNoise) {
  for (const char* schedule : {"linear", "cosine"}) {
    const auto c = compose(kPoints, {std::string("schedule.use=") + schedule, "parameterization.use=v"});
    for (const char* spacing : {"leading", "trailing", "linspace"}) {
      const auto times = sampling_times(c->times, 10, spacing, 0);
      ASSERT_EQ(times.size(), 11u);
      EXPECT_EQ(times.back().alpha, 1);
      EXPECT_EQ(times.back().sigma, 0);
      for (size_t i = 0; i + 1 < times.size(); ++i)
        EXPECT_GT(times[i].sigma, times[i + 1].sigma) << schedule << spacing << i;
    }
  }
}

}  // namespace
}  // namespace perrin::sample
