// Noise schedules against values that other projects published.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "tests/unit/plugins_a/components.hpp"

namespace perrin::testing {
namespace {

struct Row {
  const char* id;
  bool zero_terminal_snr;
  std::vector<double> abar;  // at `times`
};
const std::vector<double> times = {0, 1, 99, 250, 500, 750, 900, 998, 999};

// diffusers 0.42.1, DDPMScheduler(beta_schedule=..., rescale_betas_zero_snr=...).alphas_cumprod, float32, with its
// defaults; scaled_linear with beta_start .00085, beta_end .012.
const std::vector<Row> diffusers = {
    {"linear",
     false,
     {0.999899983, 0.999780059, 0.897017956, 0.521422982, 0.0777966529, 0.00330015854, 0.000270244491, 4.11819419e-05,
      4.03583035e-05}},
    {"linear",
     true,
     {0.999899983, 0.999779344, 0.89637816, 0.518860579, 0.0752462, 0.00264410651, 0.000103038452, 4.21327417e-09, 0}},
    {"scaled-linear",
     false,
     {0.999149978, 0.998296022, 0.895462453, 0.673792303, 0.276332468, 0.0561698042, 0.0141511327, 0.00471669575,
      0.00466009509}},
    {"scaled-linear",
     true,
     {0.999149978, 0.998233497, 0.888085604, 0.652456701, 0.241018549, 0.0327990949, 0.00296039134, 1.96796293e-07, 0}},
    {"cosine",
     false,
     {0.999958694, 0.99991256, 0.972092688, 0.845888019, 0.492285043, 0.143178657, 0.0236161072, 2.42876627e-06,
      2.42873499e-09}},
    {"cosine",
     true,
     {0.999958754, 0.99991262, 0.972091496, 0.845881104, 0.492264807, 0.143155575, 0.0236033089, 2.27781311e-06, 0}},
    {"sigmoid",
     false,
     {0.99985081, 0.999701023, 0.980749547, 0.90279901, 0.298887581, 0.00562291965, 0.000290469005, 4.04896236e-05,
      3.96818214e-05}},
    {"sigmoid",
     true,
     {0.99985075, 0.999700069, 0.980628669, 0.902199388, 0.295754164, 0.00477788085, 0.000116897427, 4.12152401e-09,
      0}},
};

// Theirs is a product of 1000 float32 factors, each rounded to 6e-8, and the rescaled end a small difference of such.
TEST(GoldenSchedules, AbarEqualsDiffusers) {
  for (const Row& row : diffusers) {
    const auto schedule = builtin("schedule", row.id, {{"zero_terminal_snr", row.zero_terminal_snr}});
    const std::vector<perrin_time> ours = levels(schedule, times);
    double worst = 0;
    for (size_t i = 0; i < times.size(); ++i) {
      const double abar = ours[i].alpha * ours[i].alpha,
                   tolerance = 6e-5 * row.abar[i] + (row.abar[i] < 1e-6 ? 1e-10 : 0);
      EXPECT_NEAR(abar, row.abar[i], tolerance) << row.id << " at t = " << times[i];
      EXPECT_NEAR(ours[i].sigma * ours[i].sigma, 1 - row.abar[i], 1e-6) << row.id << " at t = " << times[i];
      if (row.abar[i] > 1e-6) worst = std::max(worst, std::abs(abar / row.abar[i] - 1));
    }
    std::printf("%-14s zero_terminal_snr %d: largest relative difference to diffusers %.1e\n", row.id,
                row.zero_terminal_snr, worst);
  }
}

// 2305.08891 Table 1: sqrt(abar_T) of the common schedules, and SNR(T).
TEST(GoldenSchedules, LastLevelEqualsTable1OfZeroTerminalSnrPaper) {
  const struct {
    const char* id;
    double sqrt_abar, snr;
  } rows[] = {{"linear", 0.006353, 4.035993e-05},
              {"cosine", 4.928220e-05, 2.428735e-09},
              {"scaled-linear", 0.068265, 0.004682}};
  for (const auto& row : rows) {
    const perrin_time last = levels(builtin("schedule", row.id)).back();
    const double snr = std::pow(last.alpha / last.sigma, 2);
    std::printf("%-14s sqrt(abar_T) %.6e (%.6e), SNR(T) %.6e (%.6e)\n", row.id, last.alpha, row.sqrt_abar, snr,
                row.snr);
    EXPECT_NEAR(last.alpha / row.sqrt_abar, 1, 1e-4) << row.id;
    EXPECT_NEAR(snr / row.snr, 1, 2e-4) << row.id;
  }
}

// Align Your Steps (2404.14507), its released Stable Diffusion lists: t 999, 850, 455, 124, 24 beside
// sigma 14.615, 6.475, 1.396, 0.399, 0.152. The t are whole, hence the tolerance.
TEST(GoldenSchedules, ScaledLinearSigmasEqualAlignYourSteps) {
  const std::vector<perrin_time> ours = levels(builtin("schedule", "scaled-linear"), {999, 850, 455, 124, 24});
  const double expected[] = {14.615, 6.475, 1.396, 0.399, 0.152};
  for (size_t i = 0; i < ours.size(); ++i) {
    const double sigma = ours[i].sigma / ours[i].alpha;
    std::printf("t %3.0f: sigma %.4f (%.3f)\n", ours[i].t, sigma, expected[i]);
    EXPECT_NEAR(sigma, expected[i], 0.003) << "t = " << ours[i].t;
  }
}

}  // namespace
}  // namespace perrin::testing
