#include "host/run/optimizer.hpp"

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <limits>

#include "tests/unit/run/composition.hpp"

namespace perrin::run::test {
namespace {

config::Stage stage(int64_t steps, int64_t warmup, const char* lr_schedule) {
  config::Stage s;
  s.steps = steps;
  s.warmup = warmup;
  s.lr_schedule = lr_schedule;
  s.optimizer.lr = 2;
  return s;
}

TEST(LearningRate, RisesLinearlyThenHoldsOrFallsAsACosine) {
  const config::Stage cosine = stage(12, 4, "cosine"), constant = stage(12, 4, "constant");
  for (const auto& [step, expected] : {std::pair{1, 0.5}, {2, 1.0}, {4, 2.0}}) {
    EXPECT_DOUBLE_EQ(learning_rate(cosine, step), expected) << step;
    EXPECT_DOUBLE_EQ(learning_rate(constant, step), expected) << step;
  }
  EXPECT_NEAR(learning_rate(cosine, 6), 1 + std::sqrt(0.5), 1e-15);  // a quarter of the way: 1 + cos(pi / 4)
  EXPECT_NEAR(learning_rate(cosine, 8), 1, 1e-15);
  EXPECT_NEAR(learning_rate(cosine, 12), 0, 1e-15);
  EXPECT_EQ(learning_rate(constant, 12), 2);
  EXPECT_EQ(learning_rate(stage(12, 0, "constant"), 1), 2);
  EXPECT_NEAR(learning_rate(stage(4, 4, "cosine"), 4), 2, 0) << "a stage that is all warm-up";
}

TEST(EmaDecay, RisesToItsLimit) {
  EXPECT_DOUBLE_EQ(ema_decay(0.9999, 1), 2.0 / 11);
  EXPECT_DOUBLE_EQ(ema_decay(0.9999, 8), 0.5);
  EXPECT_DOUBLE_EQ(ema_decay(0.9999, 80), 0.9);
  EXPECT_DOUBLE_EQ(ema_decay(0.9, 81), 0.9);
  EXPECT_DOUBLE_EQ(ema_decay(0.9999, 1'000'000), 0.9999);
}

// One parameter element of algorithm 2 of 1711.05101, in double.
struct Plain {
  double w = 0, m = 0, v = 0, ema = 0;
  void update(double g, double lr, const config::Optimizer& o, bool decay, int64_t step, double average) {
    m = o.beta1 * m + (1 - o.beta1) * g;
    v = o.beta2 * v + (1 - o.beta2) * g * g;
    const double m_hat = m / (1 - std::pow(o.beta1, step)), v_hat = v / (1 - std::pow(o.beta2, step));
    w = w * (1 - lr * (decay ? o.weight_decay : 0)) - lr * m_hat / (std::sqrt(v_hat) + o.eps);
    ema = average * ema + (1 - average) * w;
  }
};

// Sums of `accumulate` gradients; large enough that clipping acts at some steps and not at others.
double gradient(int64_t element, int64_t step) {
  return std::sin(0.7 * static_cast<double>(element) + 1.3 * static_cast<double>(step)) * (step % 3 == 0 ? 0.01 : 1.0);
}

TEST(Optimizer, IsPlainAdamWWithClippingAccumulationDecayFlagsAndAverage) {
  const Composition c = compose(kPoints, {"stage=[{steps=20,warmup=5,lr_schedule='cosine',accumulate=2,clip_norm=1.0,"
                                          "ema_decay=0.8,optimizer={use='adamw',lr=0.02,weight_decay=0.5}}]"});
  ParameterSet& set = c->parameters;
  set.train_only({"denoiser"});
  const config::Stage& s = c.stage();
  Optimizer optimizer(set, s);
  float* values = set.values().data_ptr<float>();
  const std::vector<float> before(values, values + set.values().numel());
  std::vector<Plain> plain(before.size());
  for (size_t i = 0; i < plain.size(); ++i) plain[i].w = plain[i].ema = before[i];

  int clipped = 0;
  for (int64_t step = 1; step <= s.steps; ++step) {
    set.zero_gradients();
    double norm = 0;
    for (const Parameter& p : set.group("denoiser")->parameters) {
      for (int64_t i = p.offset; i < p.offset + p.count; ++i) {
        set.gradients().data_ptr<float>()[i] = static_cast<float>(gradient(i, step));
        norm += std::pow(static_cast<float>(gradient(i, step)) / 2.0, 2);
      }
    }
    norm = std::sqrt(norm);
    const Optimizer::Report report = optimizer.update(step);
    EXPECT_NEAR(report.grad_norm, norm, 1e-9 * norm) << step;
    EXPECT_DOUBLE_EQ(report.lr, learning_rate(s, step));
    clipped += norm > 1;
    for (const Parameter& p : set.group("denoiser")->parameters)
      for (int64_t i = p.offset; i < p.offset + p.count; ++i)
        plain[static_cast<size_t>(i)].update(static_cast<float>(gradient(i, step)) / 2.0 * std::min(1.0, 1 / norm),
                                             report.lr, s.optimizer, p.decay, step, ema_decay(0.8, step));
  }
  EXPECT_GT(clipped, 0);
  EXPECT_LT(clipped, 20);

  double worst = 0, worst_ema = 0, moved = 0;
  for (const Parameter& p : set.group("denoiser")->parameters) {
    for (int64_t i = p.offset; i < p.offset + p.count; ++i) {
      const Plain& expected = plain[static_cast<size_t>(i)];
      worst = std::max(worst, std::abs(values[i] - expected.w));
      worst_ema = std::max(worst_ema, std::abs(optimizer.averaged().data_ptr<float>()[i] - expected.ema));
      moved = std::max(moved, std::abs(expected.w - before[static_cast<size_t>(i)]));
    }
  }
  std::printf(
      "20 updates, %d clipped, weights moved by up to %.3g: largest difference from plain AdamW %.2g, of the average "
      "%.2g\n",
      clipped, moved, worst, worst_ema);
  EXPECT_GT(moved, 0.05);
  EXPECT_LT(worst, 2e-6);
  EXPECT_LT(worst_ema, 2e-6);
  for (const Parameter& p : set.group("conditioner")->parameters)
    for (int64_t i = p.offset; i < p.offset + p.count; ++i)
      ASSERT_EQ(values[i], before[static_cast<size_t>(i)]) << "frozen: " << p.name;
}

TEST(Optimizer, AGradientThatIsNotFiniteChangesNothing) {
  const Composition c = compose(kPoints);
  ParameterSet& set = c->parameters;
  set.train_only({"conditioner", "denoiser"});
  Optimizer optimizer(set, c.stage());
  const at::Tensor before = set.values().clone();
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    set.zero_gradients();
    set.gradients().data_ptr<float>()[3] = bad;
    EXPECT_FALSE(std::isfinite(optimizer.update(1).grad_norm));
    EXPECT_TRUE(set.values().equal(before));
    EXPECT_EQ(optimizer.first_moment().abs().max().item<float>(), 0);
  }
}

TEST(Optimizer, WithoutADecayThereIsNoAverage) {
  const Composition c = compose(kPoints, {"stage=[{ema_decay=0}]"});
  Optimizer optimizer(c->parameters, c.stage());
  EXPECT_FALSE(optimizer.ema().defined());
  EXPECT_TRUE(optimizer.averaged().is_same(c->parameters.values()));
}

}  // namespace
}  // namespace perrin::run::test
