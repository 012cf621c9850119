#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/plugins_a/components.hpp"

namespace perrin::testing {
namespace {

const char* const ids[] = {"linear", "scaled-linear", "cosine", "sigmoid"};

TEST(Schedules, PreserveVarianceAndOnlyAddNoiseForEveryLength) {
  for (const char* id : ids)
    for (int64_t steps : {2, 10, 1000, 4000}) {
      const std::vector<perrin_time> t = levels(builtin("schedule", id, {{"steps", steps}}));
      ASSERT_EQ(t.size(), static_cast<size_t>(steps));
      for (size_t i = 0; i < t.size(); ++i) {
        ASSERT_NEAR(t[i].alpha * t[i].alpha + t[i].sigma * t[i].sigma, 1, 1e-15) << id << " t = " << i;
        if (i == 0) continue;
        ASSERT_LT(t[i].alpha, t[i - 1].alpha) << id << " t = " << i;
        ASSERT_GE(t[i].sigma, t[i - 1].sigma) << id << " t = " << i;
      }
    }
}

// 2305.08891 Sec. 3.1: sqrt(abar_T) = 0, sqrt(abar_1) as before, and an affine map between.
TEST(Schedules, ZeroTerminalSnrMovesTheEndAndKeepsTheStart) {
  for (const char* id : ids) {
    const std::vector<perrin_time> plain = levels(builtin("schedule", id));
    const std::vector<perrin_time> zero = levels(builtin("schedule", id, {{"zero_terminal_snr", true}}));
    EXPECT_EQ(zero.back().alpha, 0) << id;
    EXPECT_EQ(zero.back().sigma, 1) << id;
    EXPECT_NEAR(zero.front().alpha, plain.front().alpha, 1e-15) << id;
    const double slope = zero.front().alpha / (plain.front().alpha - plain.back().alpha);
    for (size_t i = 0; i < plain.size(); ++i)
      ASSERT_NEAR(zero[i].alpha, slope * (plain[i].alpha - plain.back().alpha), 1e-15) << id << " t = " << i;
  }
}

// guided-diffusion's get_named_beta_schedule("linear", T): scale = 1000 / T on both ends.
TEST(Schedules, RescaleToTIsTheSameScheduleWithScaledBetas) {
  for (const char* id : {"linear", "scaled-linear", "sigmoid"}) {
    const auto rescaled = builtin(
        "schedule", id, {{"steps", int64_t{250}}, {"beta_start", 1e-4}, {"beta_end", 0.02}, {"rescale_to_T", true}});
    const auto by_hand = builtin("schedule", id, {{"steps", int64_t{250}}, {"beta_start", 4e-4}, {"beta_end", 0.08}});
    const std::vector<perrin_time> a = levels(rescaled), b = levels(by_hand);
    for (size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i].alpha, b[i].alpha, 1e-15) << id << " t = " << i;
  }
}

TEST(Schedules, PeersNamesAreAliasesExceptLinearOfLdm) {
  EXPECT_EQ(builtin("schedule", "sqrt_linear").id(), "linear");
  EXPECT_EQ(builtin("schedule", "scaled_linear").id(), "scaled-linear");
  EXPECT_EQ(builtin("schedule", "squaredcos_cap_v2").id(), "cosine");
  EXPECT_EQ(builtin("schedule", "linear").id(), "linear");
}

TEST(Schedules, RefuseTimesThatTheyDoNotHave) {
  const auto schedule = builtin("schedule", "linear", {{"steps", int64_t{10}}});
  for (double t : {-1.0, 10.0, 0.5, std::nan("")})
    EXPECT_NE(message_of([&] { levels(schedule, {t}); }).find("the times 0, 1, ... 9"), std::string::npos) << t;
}

TEST(Schedules, RefuseCombinationsThatMakeNoSchedule) {
  const std::string rescaled = message_of([] {
    builtin("schedule", "linear", {{"steps", int64_t{10}}, {"rescale_to_T", true}});
  });
  EXPECT_NE(rescaled.find("rescale_to_T with steps = 10 makes the largest beta 2.0"), std::string::npos) << rescaled;
  EXPECT_NE(rescaled.find("take steps = 21 or more"), std::string::npos) << rescaled;
  EXPECT_EQ(message_of([] { builtin("schedule", "linear", {{"steps", int64_t{21}}, {"rescale_to_T", true}}); }), "");
  const std::string single = message_of([] {
    builtin("schedule", "cosine", {{"steps", int64_t{1}}, {"zero_terminal_snr", true}});
  });
  EXPECT_NE(single.find("zero_terminal_snr needs steps = 2 or more"), std::string::npos) << single;
}

}  // namespace
}  // namespace perrin::testing
