#include "host/run/time_table.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "tests/unit/run/composition.hpp"

namespace perrin::run::test {
namespace {

// alpha^2 of the linear schedule of 2006.11239, as diffusers' DDPMScheduler().alphas_cumprod has it.
TEST(TimeTable, WholeTimesAreTheSchedulesOwn) {
  const Composition c = compose(kPoints);
  EXPECT_TRUE(c->times.discrete());
  EXPECT_NEAR(std::pow(c->times.at(0).alpha, 2), 0.9999, 1e-12);
  EXPECT_NEAR(std::pow(c->times.at(999).alpha, 2), 4.035829765e-05, 1e-11);
}

TEST(TimeTable, BetweenWholeTimesLogSnrIsLinearAndTheVarianceStaysOne) {
  const Composition c = compose(kPoints);
  const TimeTable& table = c->times;
  for (const double t : {0.0, 17.0, 500.0, 998.0}) {
    for (const double f : {0.25, 0.5, 0.875}) {
      const perrin_time at = table.at(t + f);
      const double expected = (1 - f) * log_snr(table.at(t)) + f * log_snr(table.at(t + 1));
      EXPECT_NEAR(log_snr(at), expected, 1e-9 * (1 + std::abs(expected))) << t + f;
      EXPECT_NEAR(at.alpha * at.alpha + at.sigma * at.sigma, 1, 1e-14) << t + f;
      EXPECT_EQ(at.t, t + f);
    }
  }
  EXPECT_EQ(table.at(-3).t, 0);
  EXPECT_EQ(table.at(1e9).t, 999);
}

TEST(TimeTable, TheInverseFindsTheTimeOfANoiseLevel) {
  for (const char* schedule : {"linear", "scaled-linear", "cosine", "sigmoid"}) {
    const Composition c = compose(kPoints, {std::string("schedule.use=") + schedule, "parameterization.use=v"});
    const TimeTable& table = c->times;
    double worst = 0;
    for (double t = table.domain().t_min; t <= table.domain().t_max;
         t += (table.domain().t_max - table.domain().t_min) / 257) {
      const double level = log_snr(table.at(t));
      if (!std::isfinite(level)) continue;
      worst = std::max(worst, std::abs(table.at_log_snr(level).t - t));
    }
    std::printf("%-13s largest error of a time found from its log SNR: %.2g\n", schedule, worst);
    EXPECT_LT(worst, 1e-6) << schedule;
    EXPECT_EQ(table.at_log_snr(1e6).t, table.domain().t_min);
    EXPECT_EQ(table.at_log_snr(-1e6).t, table.domain().t_max);
  }
}

TEST(TimeTable, NextToPureNoiseTheNearerWholeTimeHolds) {
  const Composition c = compose(kPoints, {"schedule.zero_terminal_snr=true", "parameterization.use=v"});
  EXPECT_EQ(c->times.at(999).alpha, 0);
  EXPECT_EQ(c->times.at(998.4).t, 998);
  EXPECT_EQ(c->times.at(998.6).t, 999);
}

}  // namespace
}  // namespace perrin::run::test
