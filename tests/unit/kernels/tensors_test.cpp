// What other devices run, in ATen operators, against the CPU's kernels: the same noise, the same formulas.
#include "host/kernels/tensors.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "host/base/error.hpp"

namespace perrin::kernels {
namespace {

constexpr uint64_t kSamples[] = {3, 11, 4, 900};
const BatchNoise kNoise{{.seed = 5, .purpose = 9, .step = 3}, kSamples};

double largest(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

TEST(Portable, LincombAddsTheSameNoise) {
  for (const auto dtype : {at::kFloat, at::kDouble}) {
    const std::vector<at::Tensor> x = {at::randn({4, 3, 5, 7}, dtype), at::randn({4, 3, 5, 7}, dtype)};
    const std::vector<double> a = {0.3, -1.7};
    EXPECT_EQ(largest(lincomb_portable({x.data(), 1}, {{0.0}}, 1, kNoise), lincomb({x.data(), 1}, {{0.0}}, 1, kNoise)),
              0)
        << "the noise differs";
    const double error = largest(lincomb_portable(x, a, 0.9, kNoise), lincomb(x, a, 0.9, kNoise));
    std::printf("lincomb, %s: %.1e apart\n", c10::toString(dtype), error);
    EXPECT_LE(error, dtype == at::kFloat ? 1e-6 : 1e-15);
  }
}

TEST(Portable, QSampleShowsTheSameInputsAndTargets) {
  const at::Tensor x0 = at::randn({4, 3, 8, 8});
  const RowCoefficients rows{{1, .5, .1, 0}, {0, .8, .9, 1}, {0, 1, .5, .2}, {1, 0, -.5, .3}};
  const Noised kernel = q_sample(x0, rows, kNoise), portable = q_sample_portable(x0, rows, kNoise);
  const double error = std::max(largest(kernel.x_t, portable.x_t), largest(kernel.target, portable.target));
  std::printf("q_sample: %.1e apart\n", error);
  EXPECT_LE(error, 1e-6);
}

TEST(Portable, AdamWTakesTheSameSteps) {
  const auto start = [] {
    const at::Tensor w = at::randn({1000});
    return AdamWTensors{w, at::randn({1000}), w.mul(0.01), w.square().mul(0.01), w.clone()};
  };
  AdamWTensors a = start();
  const AdamWTensors b{a.weight.clone(), a.gradient, a.first_moment.clone(), a.second_moment.clone(), a.ema.clone()};
  for (int step = 1; step <= 100; ++step) {
    const AdamW options{.lr = 1e-2, .weight_decay = 0.1, .step = step, .grad_scale = 0.5, .ema_decay = 0.9};
    adamw_ema(options, a);
    adamw_ema_portable(options, b);
  }
  const double error = std::max({largest(a.weight, b.weight), largest(a.first_moment, b.first_moment),
                                 largest(a.second_moment, b.second_moment), largest(a.ema, b.ema)});
  std::printf("100 steps of AdamW: %.1e apart\n", error);
  EXPECT_LE(error, 1e-5);
}

// 100 steps on both paths, from the same start; the largest difference of anything.
template <class Options, class Tensors>
double apart(const std::vector<at::Tensor>& start, Options options, void (*kernel)(const Options&, const Tensors&),
             void (*portable)(const Options&, const Tensors&)) {
  std::vector<at::Tensor> a, b;
  for (const at::Tensor& t : start) a.push_back(t.clone()), b.push_back(t.clone());
  for (int64_t step = 1; step <= 100; ++step) {
    if constexpr (requires { options.step; }) options.step = step;
    kernel(options, {a[0], a[1], a[2], a[3]});
    portable(options, {b[0], b[1], b[2], b[3]});
  }
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) worst = std::max(worst, largest(a[i], b[i]));
  return worst;
}

TEST(Portable, TheOtherOptimizersTakeTheSameSteps) {
  const at::Tensor w = at::randn({1000}), g = at::randn({1000});
  const std::vector<at::Tensor> flat = {w, g, w.mul(0.01), w};
  for (const bool nesterov : {false, true}) {
    const Sgd sgd{.lr = 1e-2, .momentum = 0.9, .l2 = 0.1, .nesterov = nesterov, .grad_scale = 0.5, .ema_decay = 0.9};
    const double error = apart<Sgd, MomentumTensors>(flat, sgd, sgd_ema, sgd_ema_portable);
    std::printf("100 steps of SGD%s: %.1e apart\n", nesterov ? " with Nesterov's look-ahead" : "", error);
    EXPECT_LE(error, 1e-5);
  }
  const Lion lion{.lr = 1e-3, .weight_decay = 0.1, .grad_scale = 0.5, .ema_decay = 0.9};
  const double lions = apart<Lion, MomentumTensors>(flat, lion, lion_ema, lion_ema_portable);
  const Adafactor adafactors{.lr = 1e-2, .clip = 0.8, .weight_decay = 0.1, .grad_scale = 0.5};
  const double factored = apart<Adafactor, AdafactorTensors>({w, g, at::zeros({40}), at::zeros({25})}, adafactors,
                                                             adafactor, adafactor_portable);
  std::printf("100 steps of Lion: %.1e apart, of Adafactor: %.1e\n", lions, factored);
  EXPECT_LE(lions, 1e-5);
  EXPECT_LE(factored, 1e-5);
}

TEST(Portable, NormIsTheSame) {
  const at::Tensor x = at::randn({12345});
  EXPECT_NEAR(norm2_portable(x) / norm2(x), 1, 1e-7);
}

TEST(Portable, TensorsThatDoNotFitAreNamed) {
  const std::vector<at::Tensor> x = {at::randn({4, 2}), at::randn({4, 3})};
  const double a[] = {1, 1};
  EXPECT_THROW(lincomb(x, a), Error);
  EXPECT_THROW(lincomb({x.data(), 1}, {a, 1}, 1, {kNoise.stream, {kSamples, 3}}), Error) << "three samples, four rows";
}

}  // namespace
}  // namespace perrin::kernels
