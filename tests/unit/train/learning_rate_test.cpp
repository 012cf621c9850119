#include "host/train/learning_rate.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/composition/composition.hpp"

namespace perrin::test {
namespace {

config::Stage stage(int64_t steps, int64_t warmup, const char* lr_schedule, int64_t decay_start = 0) {
  config::Stage s;
  s.steps = steps;
  s.warmup = warmup;
  s.lr_schedule = lr_schedule;
  s.optimizer.values["lr"] = 2.0;
  s.table.values["lr_decay_start"] = decay_start;
  return s;
}

void expect_rates(const config::Stage& s, int64_t first_step, const std::vector<double>& expected) {
  for (size_t i = 0; i < expected.size(); ++i) {
    const int64_t step = first_step + static_cast<int64_t>(i);
    EXPECT_NEAR(learning_rate(s, step), expected[i], 1e-14) << s.lr_schedule << ", step " << step;
  }
}

TEST(LearningRate, AllButOneCycleRiseLinearly) {
  for (const char* kind : {"constant", "linear", "cosine", "inverse-sqrt"}) {
    expect_rates(stage(12, 4, kind), 1, {0.5, 1, 1.5, 2});
    EXPECT_EQ(learning_rate(stage(4, 4, kind), 4), 2) << kind << ", a stage that is all warm-up";
  }
  EXPECT_EQ(learning_rate(stage(12, 4, "constant"), 12), 2);
  EXPECT_EQ(learning_rate(stage(12, 0, "constant"), 1), 2);
}

// golden.py, PyTorch 2.11.0: torch.optim.lr_scheduler.PolynomialLR(total_iters=8, power=1), CosineAnnealingLR(T_max=8)
// from lr = 2; their step 0 is the last of the warm-up.
TEST(LearningRate, LinearAndCosineFallAsThePeers) {
  expect_rates(stage(12, 4, "linear"), 4, {2, 1.75, 1.5, 1.25, 1, 0.75, 0.5, 0.25, 0});
  expect_rates(stage(12, 4, "cosine"), 4,
               {2, 1.9238795325112867, 1.7071067811865475, 1.3826834323650898, 1, 0.61731656763491027,
                0.29289321881345254, 0.076120467488713275, 0});
}

// golden.py, PyTorch 2.11.0: torch.optim.lr_scheduler.OneCycleLR(max_lr=2, total_steps=20), and with 12 steps and
// pct_start = 4 / 12.
TEST(LearningRate, OneCycleIsThePeers) {
  expect_rates(stage(20, 0, "one-cycle"), 1, {0.080000000000000071, 0.2633436854000506,    0.74334368540005058,
                                              1.3366563145999495,   1.8166563145999495,    2,
                                              1.9749280124701747,   1.9009692640269473,    1.7818323551421,
                                              1.6234913078995261,   1.4338860035826015,    1.2225240438725786,
                                              1.0000039999999999,   0.77748395612742149,   0.56612199641739847,
                                              0.37651669210047395,  0.21817564485790009,   0.099038735973052572,
                                              0.025079987529825109, 7.9999999999999996e-06});
  expect_rates(stage(12, 4, "one-cycle"), 1,
               {0.080000000000000071, 0.56000000000000005, 1.5199999999999998, 2, 1.9238798369931567,
                1.7071079527594226, 1.3826859016313604, 1.0000039999999999, 0.61732209836863972, 0.29290004724057728,
                0.076128163006843302, 7.9999999999999996e-06});
  EXPECT_EQ(learning_rate(stage(4, 4, "one-cycle"), 4), 2) << "a stage that is all rise";
  EXPECT_EQ(learning_rate(stage(4, 1, "one-cycle"), 1), 2);
  for (const int64_t steps : {1, 2, 3})
    for (int64_t step = 1; step <= steps; ++step)
      EXPECT_GT(learning_rate(stage(steps, 0, "one-cycle"), step), 0) << steps;
}

// 1706.03762 Eq. 3 with d_model = 512 and 4000 steps of warm-up: d^-1/2 min(step^-1/2, step 4000^-3/2), whose peak is
// (512 4000)^-1/2. 2312.02696 Eq. 67: alpha_ref / sqrt(max(t / t_ref, 1)).
TEST(LearningRate, InverseSqrtIsThePapers) {
  config::Stage s = stage(100000, 4000, "inverse-sqrt");
  s.optimizer.values["lr"] = 1 / std::sqrt(512.0 * 4000);
  for (const double step : {1.0, 400.0, 4000.0, 16000.0, 100000.0})
    EXPECT_NEAR(learning_rate(s, static_cast<int64_t>(step)),
                std::min(std::pow(step, -0.5), step * std::pow(4000.0, -1.5)) / std::sqrt(512.0), 1e-18);
  expect_rates(stage(1000, 10, "inverse-sqrt", 100), 5, {1});
  expect_rates(stage(1000, 10, "inverse-sqrt", 100), 99, {2, 2, 2 / std::sqrt(1.01)});
  expect_rates(stage(1000, 10, "inverse-sqrt", 100), 400, {1});
  expect_rates(stage(1000, 0, "inverse-sqrt"), 1, {2, std::sqrt(2.0)});
}

}  // namespace
}  // namespace perrin::test
