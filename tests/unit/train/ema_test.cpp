#include "host/train/ema.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "host/runs/snapshots.hpp"
#include "host/train/optimizer.hpp"
#include "tests/unit/composition/composition.hpp"

namespace perrin::test {
namespace {

constexpr const char* kTied = "[dataset]\nuse='gaussian-mixture'\n[denoiser]\nuse='test.tied'\n";

TEST(EmaDecay, RisesToItsLimit) {
  EXPECT_DOUBLE_EQ(ema_decay(0.9999, 1), 2.0 / 11);
  EXPECT_DOUBLE_EQ(ema_decay(0.9999, 8), 0.5);
  EXPECT_DOUBLE_EQ(ema_decay(0.9999, 80), 0.9);
  EXPECT_DOUBLE_EQ(ema_decay(0.9, 81), 0.9);
  EXPECT_DOUBLE_EQ(ema_decay(0.9999, 1'000'000), 0.9999);
}

// golden.py: std_to_exp and power_function_beta of NVlabs/edm2 (4bf8162), training/phema.py.
TEST(PowerEma, WidthAndDecayAreThePeers) {
  for (const auto& [width, gamma] : {std::pair{0.01, 96.9948978237099},
                                     {0.05, 16.9721986023034},
                                     {0.1, 6.93720393760181},
                                     {0.15, 3.55786877489946},
                                     {0.25, 0.71982395800071}})
    EXPECT_NEAR(power_gamma(width), gamma, 1e-12 * gamma) << width;
  const double gamma = power_gamma(0.1);
  EXPECT_EQ(power_decay(gamma, 1), 0);
  EXPECT_NEAR(power_decay(gamma, 2), 0.00408003165965019, 1e-15);
  EXPECT_NEAR(power_decay(gamma, 10), 0.433324720682135, 1e-14);
  EXPECT_NEAR(power_decay(gamma, 1000), 0.992090272645079, 1e-14);
  for (const double width : {0.0, -1.0, 0.29, std::nan("")}) EXPECT_THROW(power_gamma(width), Error) << width;
}

// golden.py: solve_posthoc_coefficients([100, 100, 200, 200, 300, 300], [0.05, 0.1] * 3, [300], [0.075]) of the same.
TEST(PowerEma, CoefficientsAreThePeers) {
  std::vector<Profile> held;
  for (const double time : {100, 200, 300})
    for (const double width : {0.05, 0.1}) held.push_back({width, time});
  const std::vector<double> x = reconstruction(held, {0.075, 300});
  const double expected[] = {1.41298087718e-06, -2.52583478837e-05, 0.00333467211289,
                             -0.0200741969443,  0.343754297098,     0.6730090731};
  for (size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(x[i], expected[i], 1e-10) << i;
  held.push_back(held.front());
  EXPECT_THROW(reconstruction(held, {0.075, 300}), Error);
}

// A wandering trajectory: gradients of a far valley with a wobble, so that averages of different width differ.
struct Wandering {
  Composition c;
  Optimizer optimizer;
  std::vector<at::Tensor> past;  // float64 values after each step

  explicit Wandering(const std::string& stage)
      : c(compose(kTied, {"stage=[{" + stage + ",clip_norm=0,optimizer={use='sgd',lr=0.02,momentum=0}}]"}, false)),
        optimizer((c->parameters.train_only({"denoiser"}), c->parameters), c.stage()) {}

  void step(int64_t step) {
    float* g = c->parameters.gradients().data_ptr<float>();
    const float* w = c->parameters.values().const_data_ptr<float>();
    for (const Parameter* p : trained_parameters(c->parameters))
      for (int64_t i = p->offset; i < p->offset + p->count; ++i)
        g[i] = 0.2f * (w[i] - 3) + static_cast<float>(std::sin(0.05 * static_cast<double>(step * (1 + i % 7))));
    optimizer.update(step);
    past.push_back(c->parameters.values().to(at::kDouble));
  }

  // The weights of step tau count as the integral of (gamma + 1) tau^gamma / t^(gamma + 1) over [tau - 1, tau].
  at::Tensor closed_form(double width) const {
    const double gamma = power_gamma(width), t = static_cast<double>(past.size());
    at::Tensor sum = at::zeros_like(past[0]);
    for (size_t i = 0; i < past.size(); ++i) {
      const double from = static_cast<double>(i) / t, to = static_cast<double>(i + 1) / t;
      sum.add_(past[i], std::pow(to, gamma + 1) - std::pow(from, gamma + 1));
    }
    return sum;
  }
};

double relative(const at::Tensor& x, const at::Tensor& expected) {
  return ((x - expected).norm() / expected.norm()).item<double>();
}

TEST(PowerEma, IsTheAverageWeightedByAPowerOfTime) {
  Wandering w("steps=1000,ema='power',ema_sigma_rel=[0.05,0.1,0.25]");
  for (int64_t step = 1; step <= 1000; ++step) w.step(step);
  ASSERT_EQ(w.optimizer.averages().flat().size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    const double width = w.optimizer.averages().sigma_rel()[i];
    const double error = relative(w.optimizer.averages().flat()[i], w.closed_form(width));
    const double last = relative(w.past.back(), w.closed_form(width));
    std::printf("sigma_rel %.2f, 1000 steps: %.1e from the closed form (the last weights are %.1e away)\n", width,
                error, last);
    EXPECT_LT(error, 2e-6);
    EXPECT_GT(last, 1e-2);
  }
}

TEST(PowerEma, AverageOfAnotherWidthIsMadeOfTheSnapshots) {
  const Scratch scratch;
  Wandering w("steps=1000,ema='power',ema_snapshot_every=50");
  const Composition other = compose(kTied, {}, false);
  EXPECT_NE(message_of([&] { load_reconstructed(scratch.path, 0.1, other->parameters); }).find("kept no snapshots"),
            std::string::npos);
  for (int64_t step = 1; step <= 1000; ++step) {
    w.step(step);
    // Those of an earlier stage are not of this average.
    if (step == 70) save_snapshot(scratch.path, w.c->parameters, w.optimizer.averages(), {70, 0, 0, 70});
    if (step % 50 == 0) save_snapshot(scratch.path, w.c->parameters, w.optimizer.averages(), {100 + step, 0, 1, step});
  }
  // Both profiles count all steps as 1 in sum: the averages differ by at most the integral of the profiles' difference
  // (golden.py, with the peer's coefficients) times the farthest that weights have been from the average.
  for (const auto& [width, profile_error] :
       {std::pair{0.05, 0.0}, {0.06, 0.00204}, {0.1, 0.0}, {0.15, 0.00629}, {0.2, 0.01724}, {0.25, 0.05022}}) {
    load_reconstructed(scratch.path, width, other->parameters);
    const at::Tensor expected = w.closed_form(width);
    const double error = relative(other->parameters.values(), expected);
    double farthest = 0;
    for (const at::Tensor& past : w.past) farthest = std::max(farthest, relative(past, expected));
    const double nearest = std::min(relative(w.optimizer.averages().flat()[0], expected),
                                    relative(w.optimizer.averages().flat()[1], expected));
    std::printf(
        "sigma_rel %.2f of 20 snapshots of 0.05 and 0.10: %.1e from the tracked average (at most %.1e; the nearest "
        "kept average %.1e)\n",
        width, error, profile_error * farthest, nearest);
    EXPECT_LT(error, profile_error * farthest + 1e-6) << width;
    EXPECT_LT(error, nearest / 10 + 1e-6) << width;
  }
  const Composition wrong = compose(kPoints, {}, false);
  EXPECT_NE(message_of([&] { load_reconstructed(scratch.path, 0.1, wrong->parameters); }).find("has no tensor"),
            std::string::npos);
}

TEST(PowerEma, KeysThatContradictEachOtherAreRefused) {
  const auto refused = [](const std::string& stage) {
    return message_of([&] { compose(kTied, {"stage=[{" + stage + "}]"}, false); });
  };
  for (const auto& [stage, message] : {std::pair{"ema_snapshot_every=5", "keeps no snapshots"},
                                       {"ema='power',ema_sigma_rel=[]", "names no width"},
                                       {"ema='power',ema_sigma_rel=[0.1,0.1]", "names a width twice"},
                                       {"ema='power',ema_sigma_rel=[0.1,0.3]", "<= 0.28"},
                                       {"lr_decay_start=5,lr_schedule='cosine'", "does not read it"}})
    EXPECT_NE(refused(stage).find(message), std::string::npos) << stage << ": " << refused(stage);
  EXPECT_EQ(refused("ema='power',ema_snapshot_every=5,lr_decay_start=5,lr_schedule='inverse-sqrt'"), "");
}

TEST(ConstantEma, ForgetsByItsDecayFromTheFirstStep) {
  Wandering w("steps=100,ema='constant',ema_decay=0.9");
  at::Tensor expected = w.c->parameters.values().to(at::kDouble);
  for (int64_t step = 1; step <= 100; ++step) {
    w.step(step);
    expected = expected * 0.9 + w.past.back() * 0.1;
  }
  EXPECT_LT(relative(w.optimizer.averaged(), expected), 1e-6);
}

}  // namespace
}  // namespace perrin::test
