#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "tests/unit/plugins_a/components.hpp"

namespace perrin::testing {
namespace {

const char* const ids[] = {"linear", "scaled-linear", "cosine", "sigmoid", "sqrt"};
const char* const continuous_vp[] = {"vp-sde", "laplace", "cosine-interpolated"};

perrin_time_domain domain(const services::Component& schedule) {
  perrin_time_domain domain{};
  schedule.invoke<&perrin_schedule::domain>(&domain);
  return domain;
}

// n times from the cleanest to the noisiest.
std::vector<double> spread(const services::Component& schedule, int n) {
  const perrin_time_domain d = domain(schedule);
  std::vector<double> t;
  for (int i = 0; i < n; ++i) t.push_back(i == n - 1 ? d.t_max : d.t_min + (d.t_max - d.t_min) * i / (n - 1));
  return t;
}

services::Component resolved(const char* id, Values given, std::initializer_list<int64_t> sizes) {
  services::Component schedule = builtin("schedule", id, std::move(given));
  perrin_spec z{};
  z.rank = static_cast<uint32_t>(sizes.size());
  std::copy(sizes.begin(), sizes.end(), z.sizes);
  schedule.invoke<&perrin_schedule::infer>(&z);
  return schedule;
}

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

TEST(Schedules, ZeroTerminalSnrDoesTheSameInContinuousTime) {
  for (const char* id : continuous_vp) {
    const auto ordinary = builtin("schedule", id), rescaled = builtin("schedule", id, {{"zero_terminal_snr", true}});
    const std::vector<double> t = spread(ordinary, 501);
    const std::vector<perrin_time> plain = levels(ordinary, t), zero = levels(rescaled, t);
    EXPECT_EQ(zero.back().alpha, 0) << id;
    EXPECT_NEAR(zero.back().sigma, 1, 1e-15) << id;
    EXPECT_NEAR(zero.front().sigma / plain.front().sigma, 1, 1e-12) << id;
    const double slope = plain.front().alpha / (plain.front().alpha - plain.back().alpha);
    for (size_t i = 0; i < t.size(); ++i) {
      ASSERT_NEAR(zero[i].alpha, slope * (plain[i].alpha - plain.back().alpha), 1e-14) << id << " t = " << t[i];
      ASSERT_NEAR(zero[i].alpha * zero[i].alpha + zero[i].sigma * zero[i].sigma, 1, 1e-14) << id << " t = " << t[i];
    }
  }
}

// time_scale is a unit: the same levels at times a thousandth as long.
TEST(Schedules, TimeScaleChangesTheClockAlone) {
  for (const char* id :
       {"vp-sde", "laplace", "cosine-interpolated", "flow", "ve-sde", "karras", "exponential", "polyexponential"}) {
    const auto thousand = builtin("schedule", id), one = builtin("schedule", id, {{"time_scale", 1.0}});
    EXPECT_NEAR(domain(one).t_max, domain(thousand).t_max / 1000, 1e-15) << id;
    for (double t : {10.0, 500.0, 990.0}) {
      const perrin_time a = levels(thousand, {t})[0], b = levels(one, {t / 1000})[0];
      EXPECT_NEAR(a.alpha, b.alpha, 1e-12) << id << " t = " << t;
      EXPECT_NEAR(a.sigma / b.sigma, 1, 1e-12) << id << " t = " << t;
    }
  }
}

// 2403.03206 Eq. 23: alpha / sigma at equal u falls by k = sqrt(m / n), whatever the shift it is added to.
TEST(FlowSchedule, ShiftsByTheSquareRootOfTheTokens) {
  const auto base = resolved("flow", {{"shift", 3.0}}, {16, 64, 64});
  const auto larger =
      resolved("flow", {{"shift", 3.0}, {"resolution_shift", std::string("square-root")}}, {16, 64, 64});
  const auto same = resolved("flow", {{"shift", 3.0}, {"resolution_shift", std::string("square-root")}}, {16, 32, 32});
  const auto points = resolved("flow", {{"shift", 3.0}, {"resolution_shift", std::string("square-root")}}, {2});
  for (double t : {100.0, 500.0, 900.0}) {
    const auto ratio = [&](const services::Component& c) { return levels(c, {t})[0].alpha / levels(c, {t})[0].sigma; };
    EXPECT_NEAR(ratio(base) / ratio(larger), 2, 1e-12) << t;  // 1024 tokens, 4 times base_tokens
    EXPECT_NEAR(ratio(same) / ratio(base), 1, 1e-12) << t;
    EXPECT_EQ(ratio(points), ratio(base)) << t;
  }
}

// 2301.11093 Sec. 3.1: at noise_d_low = noise_d_high = d the log SNR moves by 2 ln(d / side) everywhere.
TEST(CosineInterpolated, ShiftsByTheSideOfTheImages) {
  const Values same = {{"noise_d_low", 64.0}, {"noise_d_high", 64.0}};
  const auto plain = resolved("cosine-interpolated", same, {2});
  const auto image = resolved("cosine-interpolated", same, {3, 256, 256});
  Values given = same;
  given["image_d"] = 512.0;
  const auto fixed = resolved("cosine-interpolated", given, {3, 256, 256});
  for (double t : {0.0, 300.0, 1000.0}) {
    const auto sigma = [&](const services::Component& c) { return levels(c, {t})[0].sigma / levels(c, {t})[0].alpha; };
    EXPECT_NEAR(sigma(image) / sigma(plain), 4, 1e-12) << t;
    EXPECT_NEAR(sigma(fixed) / sigma(plain), 8, 1e-12) << t;
  }
}

// The levels of `linear` given as betas, as abar and as sigma / alpha, in the file and in a CSV.
TEST(CustomSchedule, TakesTheLevelsInThreeFormsAndFromAFile) {
  const std::vector<perrin_time> linear = levels(builtin("schedule", "linear", {{"steps", int64_t{50}}}));
  std::vector<double> betas, alphas_bar, sigmas;
  for (size_t i = 0; i < linear.size(); ++i) {
    betas.push_back(1e-4 + (0.02 - 1e-4) * static_cast<double>(i) / 49);
    alphas_bar.push_back(linear[i].alpha * linear[i].alpha);
    sigmas.push_back(linear[i].sigma / linear[i].alpha);
  }
  const std::filesystem::path file = std::filesystem::temp_directory_path() / "perrin-custom-schedule.csv";
  std::ofstream csv(file);
  csv.precision(17);
  csv << "sigmas\n";
  for (size_t i = 0; i < sigmas.size(); ++i) csv << sigmas[i] << (i % 7 == 6 ? "\n" : ", ");
  csv.close();
  const Values forms[] = {
      {{"betas", betas}}, {{"alphas_bar", alphas_bar}}, {{"sigmas", sigmas}}, {{"file", file.string()}}};
  for (const Values& given : forms) {
    const std::vector<perrin_time> custom = levels(builtin("schedule", "custom", given));
    ASSERT_EQ(custom.size(), linear.size()) << given.begin()->first;
    for (size_t i = 0; i < linear.size(); ++i) {
      EXPECT_NEAR(custom[i].alpha, linear[i].alpha, 1e-14) << given.begin()->first << " t = " << i;
      EXPECT_NEAR(custom[i].sigma / linear[i].sigma, 1, 1e-11) << given.begin()->first << " t = " << i;
    }
  }
  const std::vector<perrin_time> zero =
      levels(builtin("schedule", "custom", {{"betas", betas}, {"zero_terminal_snr", true}}));
  EXPECT_EQ(zero.back().alpha, 0);
  std::filesystem::remove(file);
}

TEST(CustomSchedule, RefusesWhatIsNoScheduleAndSaysWhichNumber) {
  using Numbers = std::vector<double>;
  const std::filesystem::path file = std::filesystem::temp_directory_path() / "perrin-bad-schedule.csv";
  const auto csv = [&](const char* text) {
    std::ofstream(file) << text;
    return Values{{"file", file.string()}};
  };
  const struct {
    Values given;
    const char* what;
  } rows[] = {
      {{}, "none is there"},
      {{{"betas", Numbers{.1, .2}}, {"sigmas", Numbers{1, 2}}}, "there is more than one"},
      {{{"betas", Numbers{.1}}}, "two levels or more"},
      {{{"betas", Numbers{.1, 0}}}, "betas lie above 0 and up to 1; number 2 of the list is 0.0"},
      {{{"alphas_bar", Numbers{.9, .95}}}, "only ever add noise, the cleanest first; number 2 of the list is 0.95"},
      {{{"sigmas", Numbers{1, 2, 2}}}, "only ever add noise, the cleanest first; number 3 of the list is 2.0"},
      {{{"sigmas", Numbers{-1, 2}}}, "sigmas are positive and finite; number 1"},
      {csv("0.1\n0.2\n"), "first line has to say what the numbers are"},
  };
  for (const auto& row : rows) {
    const std::string message = message_of([&] { builtin("schedule", "custom", row.given); });
    EXPECT_NE(message.find(row.what), std::string::npos) << row.what << " in: " << message;
  }
  const std::string cell = message_of([&] { builtin("schedule", "custom", csv("betas\n0.1\n0.2, abc\n")); });
  EXPECT_NE(cell.find(":3: \"abc\" is not a number"), std::string::npos) << cell;
  const std::string lost = message_of([&] {
    builtin("schedule", "custom", {{"file", std::string("no-such-levels.csv")}});
  });
  EXPECT_NE(lost.find("no-such-levels.csv"), std::string::npos) << lost;
  std::filesystem::remove(file);
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

TEST(Schedules, OfContinuousTimeRefuseTimesBeyondTheirEnds) {
  for (const char* id : {"vp-sde", "flow", "edm"})
    for (double t : {-2.0, 1000.5, std::nan("")}) {
      const std::string message = message_of([&] { levels(builtin("schedule", id), {t}); });
      EXPECT_NE(message.find("this schedule has the times from "), std::string::npos) << id << ": " << message;
    }
}

TEST(Schedules, RefuseRangesThatRunBackwards) {
  for (const char* id : {"ve-sde", "edm", "karras", "exponential", "polyexponential"})
    EXPECT_NE(message_of([&] {
                builtin("schedule", id, {{"sigma_min", 90.0}});
              }).find("sigma_min = 90.000000 has to be"),
              std::string::npos)
        << id;
  EXPECT_NE(message_of([] {
              builtin("schedule", "vp-sde", {{"beta_min", 30.0}});
            }).find("beta_min has to be"),
            std::string::npos);
  EXPECT_NE(message_of([] {
              builtin("schedule", "flow", {{"base_tokens", 5000.0}});
            }).find("base_tokens has to be"),
            std::string::npos);
  EXPECT_NE(message_of([] {
              builtin("schedule", "cosine-interpolated", {{"noise_d_low", 512.0}});
            }).find("noise_d_low has to be"),
            std::string::npos);
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
