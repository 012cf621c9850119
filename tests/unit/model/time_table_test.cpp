#include "host/model/time_table.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <limits>

#include "tests/unit/composition/composition.hpp"

namespace perrin::test {
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

// The schedules that the built-in library offers, with the keys that some need.
std::vector<std::string> schedules() {
  std::vector<std::string> set;
  for (const config::Factory& factory : catalogue())
    if (factory.kind == "schedule" && factory.id.find('.') == std::string::npos)
      set.push_back("schedule={use='" + factory.id + "'" +
                    (factory.id == "custom" ? ",betas=[0.01,0.02,0.05,0.1,0.2,0.3,0.4,0.5]" : "") + "}");
  return set;
}

// Does the schedule of `set` have this key?
bool offers(const std::string& set, const std::string& key) {
  for (const config::Factory& factory : catalogue())
    if (factory.kind == "schedule" && set.find("'" + factory.id + "'") != std::string::npos)
      return config::find_key(factory.keys, key) != nullptr;
  return false;
}

// n times over the domain, whole for a discrete schedule.
std::vector<double> over(const perrin_time_domain& domain, int n) {
  std::vector<double> times;
  for (int i = 0; i < n; ++i) {
    const double t = i == n - 1 ? domain.t_max : domain.t_min + (domain.t_max - domain.t_min) * i / (n - 1);
    times.push_back(domain.steps > 0 ? std::round(t) : t);
  }
  return times;
}

TEST(EverySchedule, OnlyAddsNoise) {
  for (const std::string& schedule : schedules()) {
    const Composition c = compose(kPoints, {schedule, "parameterization.use=x0"});
    double last = std::numeric_limits<double>::infinity(), before = -1;
    for (double t : over(c->times.domain(), 1001)) {
      if (t == before) continue;
      before = t;
      const perrin_time at = c->times.at(t);
      ASSERT_TRUE(std::isfinite(at.alpha) && std::isfinite(at.sigma) && at.alpha >= 0 && at.sigma >= 0) << schedule;
      ASSERT_LT(log_snr(at), last) << schedule << " t = " << t;
      last = log_snr(at);
      const double variance = at.alpha * at.alpha + at.sigma * at.sigma;
      const bool preserving = std::abs(variance - 1) < 1e-14, exploding = at.alpha == 1,
                 straight = std::abs(at.alpha + at.sigma - 1) < 1e-14;
      EXPECT_TRUE(preserving || exploding || straight)
          << schedule << " t = " << t << ": none of the three kinds of path";
    }
  }
}

// t -> log SNR -> t, of the plugin's own inverse where it has one, within 1e-12 of the domain's width; where log SNR
// says little about t, as near sigma = 0, its own rounding is allowed for.
TEST(EverySchedule, OfContinuousTimeIsInvertedByItsOwnInverse) {
  int inverses = 0;
  for (const std::string& schedule : schedules()) {
    for (const char* zero : {"", ",zero_terminal_snr=true"}) {
      if (*zero != '\0' && !offers(schedule, "zero_terminal_snr")) continue;
      const std::string set = schedule.substr(0, schedule.size() - 1) + zero + "}";
      const Composition c = compose(kPoints, {set, "parameterization.use=x0"});
      if (c->times.discrete() || !c->schedule.has<&perrin_schedule::t_of_log_snr>()) continue;
      ++inverses;
      const perrin_time_domain& domain = c->times.domain();
      const double width = domain.t_max - domain.t_min;
      double worst = 0;
      for (double t : over(domain, 1001))
        worst = std::max(worst, std::abs(c->times.at_log_snr(log_snr(c->times.at(t))).t - t) / width);
      std::printf("%-58s largest error of t over the width of time: %.1e\n", set.c_str(), worst);
      EXPECT_LT(worst, 1e-12) << set;
      for (double beyond : {1e6, std::numeric_limits<double>::infinity()}) {
        EXPECT_EQ(c->times.at_log_snr(beyond).t, domain.t_min) << set;
        EXPECT_NEAR(c->times.at_log_snr(-beyond).t, domain.t_max, 1e-12 * width) << set;
      }
    }
  }
  EXPECT_GE(inverses, 10);
}

TEST(EverySchedule, HasALevelForEachLogSnrOfItsRange) {
  for (const std::string& schedule : schedules()) {
    const Composition c = compose(kPoints, {schedule, "parameterization.use=x0"});
    const double clean = log_snr(c->times.at(c->times.domain().t_min)),
                 noisy = log_snr(c->times.at(c->times.domain().t_max));
    const double low = std::max(noisy, -30.0);
    for (int i = 0; i <= 100; ++i) {
      const double target = clean + (low - clean) * i / 100;
      ASSERT_NEAR(log_snr(c->times.at_log_snr(target)), target, 1e-8) << schedule;
    }
  }
}

// 2403.03206 Eq. 23: images [1, 8, 8] are 16 tokens of the 256 that the shift is for, so k = sqrt(16 / 256).
TEST(TimeTable, AScheduleKnowsTheResolutionOfTheModel) {
  const Composition c =
      compose(kImages, {"schedule={use='flow',resolution_shift='square-root'}", "parameterization.use=flow"});
  const perrin_time at = c->times.at(500);
  EXPECT_NEAR(at.sigma / at.alpha, 0.25, 1e-15);
}

TEST(TimeTable, AScheduleOfOneStepHasOneLevel) {
  const Composition c = compose(kPoints, {"schedule.steps=1", "sampler.steps=1"});
  EXPECT_EQ(c->times.at(0).t, 0);
  EXPECT_EQ(c->times.at_log_snr(3).t, 0);
}

TEST(TimeTable, NextToPureNoiseTheNearerWholeTimeHolds) {
  const Composition c = compose(kPoints, {"schedule.zero_terminal_snr=true", "parameterization.use=v"});
  EXPECT_EQ(c->times.at(999).alpha, 0);
  EXPECT_EQ(c->times.at(998.4).t, 998);
  EXPECT_EQ(c->times.at(998.6).t, 999);
}

}  // namespace
}  // namespace perrin::test
