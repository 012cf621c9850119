#include "host/sample/steps.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "tests/unit/composition/composition.hpp"

namespace perrin::sample {
namespace {

using test::compose;
using test::Composition;
using test::kPoints;
using test::message_of;
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

// diffusers 0.42.1, tests/golden/plugins/peers.py: DPMSolverMultistep, UniPCMultistep and DEISMultistep alike; LCM.
TEST(SpacedTimesteps, ThePeersOwnSpacingsAreTheirRows) {
  EXPECT_EQ(spaced_timesteps(1000, 5, "leading-dpm", 1), (Times{831, 665, 499, 333, 167}));
  EXPECT_EQ(spaced_timesteps(1000, 20, "leading-dpm", 1),
            (Times{941, 894, 847, 800, 753, 706, 659, 612, 565, 518, 471, 424, 377, 330, 283, 236, 189, 142, 95, 48}));
  EXPECT_EQ(spaced_timesteps(1000, 5, "linspace-dpm", 0), (Times{999, 799, 599, 400, 200}));
  EXPECT_EQ(spaced_timesteps(1000, 20, "linspace-dpm", 0),
            (Times{999, 949, 899, 849, 799, 749, 699, 649, 599, 549, 500, 450, 400, 350, 300, 250, 200, 150, 100, 50}));
  EXPECT_EQ(spaced_timesteps(1000, 1, "lcm", 0), Times{999});
  EXPECT_EQ(spaced_timesteps(1000, 3, "lcm", 0), (Times{999, 679, 339}));
  EXPECT_EQ(spaced_timesteps(1000, 4, "lcm", 0), (Times{999, 759, 499, 259}));
  EXPECT_EQ(spaced_timesteps(1000, 8, "lcm", 0), (Times{999, 879, 759, 639, 499, 379, 259, 139}));
  EXPECT_NE(message_of([] { spaced_timesteps(1000, 51, "lcm", 0); }).find("give 1 to 50 steps"), std::string::npos);
}

TEST(SpacedTimesteps, OneStepAndAllSteps) {
  EXPECT_EQ(spaced_timesteps(1000, 1, "trailing", 0), Times{999});
  EXPECT_EQ(spaced_timesteps(1000, 1, "linspace", 0), Times{999});
  EXPECT_EQ(spaced_timesteps(1000, 1, "linspace-dpm", 0), Times{999});
  EXPECT_EQ(spaced_timesteps(1, 1, "leading", 0), Times{0});
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

// A composition with these keys, and its step list.
struct List {
  explicit List(std::vector<std::string> set) {
    set.push_back("parameterization.use=x0");
    composition = compose(kPoints, set);
    times = sampling_times(composition.model->times, composition.loaded.experiment.sampling);
  }
  double noise(size_t i) const { return times[i].sigma / times[i].alpha; }
  Composition composition;
  std::vector<perrin_time> times;
};

void expect_noise(const char* what, const List& list, const std::vector<double>& theirs, double relative) {
  ASSERT_EQ(list.times.size(), theirs.size() + 1) << what;
  double worst = 0;
  for (size_t i = 0; i < theirs.size(); ++i) {
    const double error = std::abs(list.noise(i) / theirs[i] - 1);
    EXPECT_LT(error, relative) << what << " level " << i << ": " << list.noise(i) << ", not " << theirs[i];
    worst = std::max(worst, error);
  }
  std::printf("%-40s largest relative difference of sigma %.1e\n", what, worst);
}

void expect_times(const char* what, const List& list, const std::vector<double>& theirs, double absolute) {
  double worst = 0;
  for (size_t i = 0; i < theirs.size(); ++i) {
    EXPECT_NEAR(list.times[i].t, theirs[i], absolute) << what << " level " << i;
    worst = std::max(worst, std::abs(list.times[i].t - theirs[i]));
  }
  std::printf("%-40s largest difference of t %.1e\n", what, worst);
}

// diffusers 0.42.1, EulerDiscreteScheduler(beta_start=.00085, beta_end=.012, beta_schedule="scaled_linear",
// use_karras_sigmas / use_exponential_sigmas = True).set_timesteps(10): sigmas and timesteps, float32. Their table of
// sigmas is float32, from 1000 factors: the ends differ by 2e-5.
TEST(SamplingTimes, KarrasAndExponentialEqualDiffusers) {
  const List karras({"schedule.use=scaled-linear", "sampler.steps=10", "sampler.spacing=karras"});
  expect_noise("karras, EulerDiscreteScheduler", karras,
               {14.6146469, 9.10293674, 5.47840118, 3.16861105, 1.74942315, 0.914076507, 0.446920902, 0.201399863,
                0.0819110498, 0.0291675329},
               3e-5);
  expect_times("karras, EulerDiscreteScheduler", karras,
               {999, 916.284058, 815.044983, 687.153259, 523.198914, 327.147217, 145.939041, 40.8568726, 6.73240995, 0},
               2e-2);
  const List exponential({"schedule.use=scaled-linear", "sampler.steps=10", "sampler.spacing=exponential"});
  expect_noise("exponential, EulerDiscreteScheduler", exponential,
               {14.6146469, 7.32488298, 3.67124248, 1.84003234, 0.922226965, 0.462221563, 0.231666148, 0.11611142,
                0.0581952222, 0.0291675329},
               3e-5);
  expect_times("exponential, EulerDiscreteScheduler", exponential,
               {999, 874.742004, 723.701904, 538.066895, 329.76767, 152.721008, 52.3824577, 14.1524515, 2.95066738, 0},
               2e-2);
}

// diffusers 0.42.1, EDMEulerScheduler().set_timesteps(10): sigmas and timesteps, float32; k-diffusion,
// get_sigmas_karras(6, .01, 50, rho=3) in float64.
TEST(SamplingTimes, KarrasOnEdmEqualsDiffusersAndKDiffusion) {
  const List edm({"schedule.use=edm", "sampler.steps=10", "sampler.spacing=karras"});
  expect_noise("edm, EDMEulerScheduler", edm,
               {80, 42.4151878, 21.1086769, 9.72320175, 4.06612349, 1.50174201, 0.469979048, 0.116638564, 0.0204353351,
                0.00200000009},
               1e-7);
  expect_times("edm, EDMEulerScheduler", edm,
               {1.09550667, 0.936876655, 0.762421072, 0.568628728, 0.350672513, 0.101656444, -0.188766792, -0.53716886,
                -0.972622454, -1.55365205},
               1e-7);
  expect_noise("edm .01 to 50, rho 3, get_sigmas_karras",
               List({"schedule={use='edm',sigma_min=0.01,sigma_max=50}", "sampler.steps=6", "sampler.spacing=karras",
                     "sampler.rho=3"}),
               {50, 26.7393186, 12.113063, 4.11814807, 0.751488779, 0.01}, 1e-8);
}

// scipy 1.17.1, stats.beta.ppf(1 - linspace(0, 1, n, endpoint=False), .6, .6) * 999; ComfyUI's beta_scheduler takes
// these rounded to whole times. (diffusers' use_beta_sigmas divides sigma, not time, by the same quantiles.)
TEST(SamplingTimes, BetaEqualsScipysQuantilesAndRoundsToComfyUi) {
  const List ten({"sampler.steps=10", "sampler.spacing=beta"});
  expect_times(
      "beta, 10 steps", ten,
      {999, 959.455179, 876.201171, 765.217013, 636.66171, 499.5, 362.33829, 233.782987, 122.798829, 39.5448212}, 1e-6);
  const List many({"sampler.steps=25", "sampler.spacing=beta"});
  const Times rounded = {999, 990, 972, 946, 913, 876, 835, 789, 741, 690, 637, 582, 527,
                         472, 417, 362, 309, 258, 210, 164, 123, 86,  53,  27,  9};
  for (size_t i = 0; i < rounded.size(); ++i) EXPECT_EQ(std::llrint(many.times[i].t), rounded[i]) << i;
}

// math.md's row "AYS SD": t 999, 850, 455, 124, 24 beside sigma 14.615, 6.475, 1.396, 0.399, 0.152, of 2404.14507's
// list of ten; and the other levels of its Table 3, whose whole times diffusers (0.42.1) has as AysSchedules. The first
// is the schedule's own end, 14.6146.
TEST(SamplingTimes, AysOfTenStepsIsThePapersListForStableDiffusion) {
  const List ays({"schedule.use=scaled-linear", "sampler.steps=10", "sampler.spacing=ays"});
  const double sigmas[] = {14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152};
  const double t[] = {999, 850, 736, 645, 545, 455, 343, 233, 124, 24};
  for (size_t i = 0; i < 10; ++i) {
    std::printf("ays: t %7.2f (%3.0f) sigma %7.4f (%6.3f)\n", ays.times[i].t, t[i], ays.noise(i), sigmas[i]);
    EXPECT_NEAR(ays.noise(i), sigmas[i], i == 0 ? 5e-4 : 1e-12) << i;
    EXPECT_NEAR(ays.times[i].t, t[i], 1) << i;
  }
}

// The authors' how-to (research.nvidia.com/labs/toronto-ai/AlignYourSteps/howto.html): numpy.interp of log sigma over
// 21 points, of which the last is the clean end's; for Stable Video Diffusion's range.
TEST(SamplingTimes, AysOfTwentyStepsIsInterpolatedAsItsAuthorsDo) {
  expect_noise("ays, Stable Video Diffusion, 20 steps",
               List({"schedule={use='edm',sigma_min=0.002,sigma_max=700}", "sampler.steps=20", "sampler.spacing=ays"}),
               {700,   195.32025,  54.5,  29.4242587,  15.886, 11.2571143,  7.977, 5.82119369,  4.248, 2.75675026,
                1.789, 1.32476753, 0.981, 0.628763071, 0.403,  0.264043557, 0.173, 0.076694198, 0.034, 0.00824621125},
               1e-8);
  expect_noise(
      "ays, DeepFloyd-IF, 5 steps",
      List({"schedule={use='edm',sigma_min=0.006,sigma_max=160.41}", "sampler.steps=5", "sampler.spacing=ays"}),
      {160.41, 3.315, 1.207, 0.553, 0.186}, 1e-12);
}

// diffusers 0.42.1, FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True).set_timesteps(8, mu=0.5).sigmas: with a
// shift of exp(mu) and u from 1 to 1/1000. Of sigmas=linspace(1, 1/4, 4), as FluxPipeline asks, to u_min = 1e-5.
TEST(SamplingTimes, FlowEqualsDiffusersLists) {
  const List spaced(
      {"schedule={use='flow',shift=1.6487212707001282,u_min=1e-3}", "sampler.steps=8", "sampler.spacing=linspace"});
  const double sigmas[] = {1,           0.908289552, 0.804976225, 0.687709391,
                           0.553457618, 0.398242503, 0.216738194, 0.00164765248};
  for (size_t i = 0; i < 8; ++i) EXPECT_NEAR(spaced.times[i].sigma / sigmas[i], 1, 3e-7) << i;
  EXPECT_EQ(spaced.times[0].alpha, 0);
  const List flux({"schedule={use='flow',shift=1.6487212707001282}", "sampler.steps=4", "sampler.spacing=trailing"});
  const double pipeline[] = {1, 0.831824303, 0.622459352, 0.354661226};
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(flux.times[i].sigma / pipeline[i], 1, 3e-5) << i;
}

TEST(SamplingTimes, CustomTimesAreObeyedExactly) {
  const List list({"sampler.spacing=custom", "sampler.times=[999, 850.25, 455, 24, 3]"});
  const double t[] = {999, 850.25, 455, 24, 3};
  ASSERT_EQ(list.times.size(), 6u);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(list.times[i].t, t[i]);
    EXPECT_EQ(list.times[i].alpha, list.composition->times.at(t[i]).alpha);
  }
}

TEST(SamplingTimes, CustomSigmasAreObeyedExactly) {
  for (const char* schedule : {"schedule.use=scaled-linear", "schedule.use=edm", "schedule.use=flow"}) {
    const List list({schedule, "sampler.spacing=custom", "sampler.sigmas=[14.6, 6.475, 1.396, 0.399, 0.0301, 0]"});
    const double sigmas[] = {14.6, 6.475, 1.396, 0.399, 0.0301};
    ASSERT_EQ(list.times.size(), 6u) << schedule;
    for (size_t i = 0; i < 5; ++i) {
      const perrin_time& at = list.times[i];
      EXPECT_NEAR(list.noise(i) / sigmas[i], 1, 1e-15) << schedule;
      const perrin_time own = list.composition->times.at(at.t);  // the level that belongs to t
      EXPECT_NEAR(own.alpha / at.alpha, 1, 1e-9) << schedule << " sigma " << sigmas[i];
      EXPECT_NEAR(own.sigma / at.sigma, 1, 1e-9) << schedule << " sigma " << sigmas[i];
    }
  }
  // A list written with the digits of a paper reaches the schedule's end.
  const List ays({"schedule.use=scaled-linear", "sampler.spacing=custom", "sampler.sigmas=[14.615, 0.152]"});
  EXPECT_EQ(ays.times[0].t, 999);
  EXPECT_NEAR(ays.noise(0), 14.615, 1e-14);
}

TEST(SamplingTimes, AListOfOneStepIsTheNoisiestLevel) {
  for (const char* spacing :
       {"trailing", "linspace", "linspace-dpm", "lcm", "karras", "exponential", "beta", "ays", "ays-sdxl"}) {
    const List list({std::string("sampler.spacing=") + spacing, "sampler.steps=1"});
    ASSERT_EQ(list.times.size(), 2u) << spacing;
    EXPECT_NEAR(list.times[0].t, 999, 1e-9) << spacing;
  }
}

// A run keeps its experiment with every default written out, `steps` too, and is resumed from that file.
TEST(SamplingTimes, AListOfTheUsersSurvivesTheResolvedFile) {
  const List list({"sampler.spacing=custom", "sampler.times=[999, 455, 24]"});
  const config::Loaded again =
      config::load_text(list.composition.loaded.resolved_toml, "again.toml", {}, test::catalogue());
  EXPECT_EQ(again.resolved_toml, list.composition.loaded.resolved_toml);
  EXPECT_EQ(message_of([&] { check_steps(list.composition->times, again); }), "");
}

// diffusers 0.42.1, tests/golden/plugins/peers.py: FlowMatchEulerDiscreteScheduler of shift 1 and 3, five steps.
TEST(SamplingTimes, FlowMatchIsThePeersList) {
  for (const auto& [shift, sigmas] :
       {std::pair<const char*, std::vector<double>>{"1.0", {1, 0.75024998, 0.50050002, 0.25075001, 0.00100000, 0}},
        {"3.0", {1, 0.90035909, 0.75112110, 0.50298506, 0.00892857, 0}}}) {
    const List list({"schedule={use='flow', shift=" + std::string(shift) + "}", "parameterization.use='flow'",
                     "sampler={spacing='flow-match', steps=5}"});
    ASSERT_EQ(list.times.size(), 6u);
    for (size_t i = 0; i < 6; ++i)
      EXPECT_FLOAT_EQ(static_cast<float>(list.times[i].sigma), static_cast<float>(sigmas[i]))
          << shift << ", level " << i;
  }
}

// Stable Diffusion 1's DDIM, set_alpha_to_one = False: the last step leads to alphas_cumprod[0]. A list that has come
// there does not stay for another step.
TEST(SamplingTimes, TheLastStepEndsWhereFinalSays) {
  const List zero({"sampler={steps=5, spacing='leading', offset=1}"}),
      lowest({"sampler={steps=5, spacing='leading', offset=1, final='lowest'}"}),
      there({"sampler={steps=5, spacing='leading', final='lowest'}"}),
      karras({"sampler={steps=5, spacing='karras', final='lowest'}"});
  ASSERT_EQ(zero.times.size(), 6u);
  ASSERT_EQ(lowest.times.size(), 6u);
  EXPECT_EQ(zero.times.back().sigma, 0);
  EXPECT_EQ(lowest.times.back().t, 0);
  EXPECT_NEAR(lowest.times.back().alpha, std::sqrt(1 - 1e-4), 1e-12);  // beta_start
  EXPECT_NEAR(lowest.times.back().sigma, 1e-2, 1e-12);
  EXPECT_EQ(there.times.size(), 5u);
  EXPECT_EQ(karras.times.size(), 5u);
  EXPECT_NE(
      message_of([] { List({"sampler={spacing='custom', times=[0], final='lowest'}"}); }).find("there is no step"),
      std::string::npos);
}

// What `perrin check` and `perrin run` print: place, fact and fix.
std::string complaint(std::vector<std::string> set) {
  set.push_back("parameterization.use=x0");
  const Composition c = compose(kPoints, set);
  return message_of([&] { check_steps(c.model->times, c.loaded); });
}

TEST(CheckSteps, RhoIsAboveZero) {
  const std::string message = message_of([] { compose(kPoints, {"sampler.rho=0"}); });
  EXPECT_NE(message.find("\"rho\" is out of range: 0"), std::string::npos) << message;
  EXPECT_NE(message.find("allowed: > 0"), std::string::npos) << message;
}

TEST(CheckSteps, SaysWhatIsWrongAtTheKeysPlace) {
  const struct {
    std::vector<std::string> set;
    const char *place, *what, *fix;
  } rows[] = {
      {{"sampler.steps=1001"}, "--set 1", "cannot be sampled in 1001", "give 1 to 1000"},
      {{"sampler.spacing=leading", "sampler.offset=30"}, "--set 2", "but the last step is 999", "lower the offset"},
      {{"schedule.use=flow", "sampler.spacing=leading", "sampler.offset=1"},
       "--set 3",
       "continuous",
       "leave offset out"},
      {{"schedule.zero_terminal_snr=true", "sampler.spacing=karras"}, "--set 2", "pure noise", "zero_terminal_snr"},
      {{"sampler.spacing=leading", "sampler.steps=1"}, "--set 2", "would begin at t = 0", "trailing"},
      {{"sampler.spacing=leading-dpm", "sampler.steps=1"}, "--set 2", "would begin at t = 500", "trailing"},
      {{"schedule.use=flow", "sampler.spacing=leading", "sampler.steps=1"},
       "--set 3",
       "would begin at t = 0.01",
       "trailing"},
      {{"schedule.use=flow", "sampler.spacing=lcm"}, "--set 2", "this schedule is continuous", "trailing"},
      {{"sampler.spacing=flow-match"}, "--set 1", "a straight path", "trailing"},
      {{"schedule.use=flow", "sampler.spacing=exponential"}, "--set 2", "pure noise", "take trailing"},
      {{"schedule.zero_terminal_snr=true", "sampler.spacing=ays"}, "--set 2", "pure noise", "take trailing"},
      {{"sampler.spacing=custom"}, "--set 1", "has no list", "times = [...]"},
      {{"sampler.spacing=custom", "sampler.times=[9]", "sampler.sigmas=[1]"}, "--set 1", "both", "give one"},
      {{"sampler.times=[9, 5]", "sampler.spacing=trailing"}, "--set 2", "would not visit them", "spacing = \"custom\""},
      {{"sampler.spacing=custom", "sampler.times=[9, 5]", "sampler.steps=3"},
       "--set 3",
       "lists 2 levels",
       "leave steps"},
      {{"sampler.spacing=custom", "sampler.times=[1000, 5]"}, "--set 2", "t = 1000 is not within", "noisiest first"},
      {{"sampler.spacing=custom", "sampler.times=[5, 9]"}, "--set 2", "does not fall from level 1 (t = 5)", "once"},
      {{"sampler.spacing=custom", "sampler.times=[9, 9]"}, "--set 2", "does not fall from level 1", "once"},
      {{"sampler.spacing=custom", "sampler.sigmas=[1, 2]"}, "--set 2", "does not fall from level 1", "once"},
      {{"sampler.spacing=custom", "sampler.sigmas=[200]"},
       "--set 2",
       "200 is not within the schedule's 0.01",
       "trained"},
      {{"sampler.spacing=custom", "sampler.sigmas=[1, 0, 0]"}, "--set 2", "0 is not within", "trained"},
      {{"schedule.zero_terminal_snr=true", "sampler.spacing=beta", "sampler.steps=600"},
       "--set 3",
       "does not fall",
       "fewer steps"},
  };
  for (const auto& row : rows) {
    const std::string message = complaint(row.set);
    for (const char* part : {row.place, row.what, row.fix})
      EXPECT_NE(message.find(part), std::string::npos) << "\"" << part << "\" in:\n" << message;
  }
  EXPECT_EQ(complaint({"sampler.spacing=custom", "sampler.times=[9, 5]", "sampler.steps=2"}), "");
}

// Without [sampler] in the file the complaint is about the file.
TEST(CheckSteps, AFaultOfADefaultNamesTheFile) {
  const std::string message = complaint({"schedule.steps=20"});
  EXPECT_NE(message.find("t.toml: error: a schedule of 20 steps cannot be sampled in 50"), std::string::npos)
      << message;
}

// Every schedule with every spacing: a list that falls to the clean end and begins near the schedule's own, or a
// refusal.
TEST(EveryScheduleWithEverySpacing, GivesAFallingListOrAReason) {
  int lists = 0, refusals = 0;
  for (const config::Factory& schedule : test::catalogue()) {
    if (schedule.kind != "schedule" || schedule.id.find('.') != std::string::npos) continue;
    const std::string keys = schedule.id == "custom" ? ",betas=[0.01,0.02,0.05,0.1,0.2,0.3,0.4,0.5]" : "";
    for (const char* spacing : {"leading", "trailing", "linspace", "leading-dpm", "linspace-dpm", "karras",
                                "exponential", "beta", "ays", "ays-sdxl"}) {
      const Composition c = compose(kPoints, {"schedule={use='" + schedule.id + "'" + keys + "}", "sampler.steps=6",
                                              std::string("sampler.spacing=") + spacing, "parameterization.use=x0"});
      const std::string what = schedule.id + ", " + spacing,
                        refused = message_of([&] { check_steps(c->times, c.loaded); });
      if (!refused.empty()) {
        EXPECT_NE(refused.find("pure noise"), std::string::npos) << what << "\n" << refused;
        ++refusals;
        continue;
      }
      ++lists;
      const auto times = sampling_times(c->times, c.loaded.experiment.sampling);
      ASSERT_EQ(times.size(), 7u) << what;
      EXPECT_EQ(times.back().alpha, 1) << what;
      EXPECT_EQ(times.back().sigma, 0) << what;
      const perrin_time_domain& domain = c->times.domain();
      if (!std::string(spacing).starts_with("leading"))
        EXPECT_NEAR(times.front().t, domain.t_max, 1e-9 * (domain.t_max - domain.t_min)) << what;
      for (size_t i = 0; i + 1 < times.size(); ++i) {
        EXPECT_GT(times[i].sigma * times[i + 1].alpha, times[i + 1].sigma * times[i].alpha) << what << " level " << i;
        if (i + 2 < times.size()) EXPECT_GT(times[i].t, times[i + 1].t) << what << " level " << i;
        const perrin_time own = c->times.at(times[i].t);
        EXPECT_NEAR(own.alpha, times[i].alpha, 1e-9) << what << " level " << i;
        EXPECT_NEAR(own.sigma, times[i].sigma, 1e-9 * own.sigma + 1e-12) << what << " level " << i;
      }
    }
  }
  std::printf("%d lists, %d refusals\n", lists, refusals);
  EXPECT_GE(lists, 15 * 10 - refusals);
  EXPECT_EQ(refusals, 4);  // flow with karras, exponential and both of ays
}

}  // namespace
}  // namespace perrin::sample
