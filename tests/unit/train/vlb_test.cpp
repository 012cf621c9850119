// Training a learnt variance: the loss `vlb`, what the host hands it, and the hybrid objective (2102.09672).
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>
#include <perrin/kind/loss.h>

#include <cmath>

#include "host/life/trainer.hpp"
#include "host/sample/generate.hpp"
#include "host/services/tensor.hpp"
#include "host/train/objective/diffusion.hpp"
#include "host/train/objective/inputs.hpp"
#include "host/train/objective/objective.hpp"
#include "host/train/optimizer.hpp"
#include "tests/unit/composition/composition.hpp"

namespace perrin::test {
namespace {

const std::string kVariance = std::string(kImages) + "learnt_variance=true\n[parameterization]\nuse='epsilon'\n";
const std::string kHybrid =
    "[[stage]]\nsteps=300\noptimizer={use='adamw', lr=2e-3}\n[[stage.loss]]\nuse='l2'\n[[stage.loss]]\nuse='vlb'\n";
const std::string kContinuous = kHybrid + "bins=0\n";

at::Tensor values_of(const LossTerm& term, const DiffusionPass& inputs, int64_t n) {
  std::vector<services::TensorHandle> handles;
  std::vector<perrin_named_tensor> named;
  for (const InputName& input : inputs_of(term.component))
    named.push_back(
        {{input.name.data(), input.name.size()}, handles.emplace_back(services::wrap(inputs[input.name])).get()});
  perrin_call call{};
  call.struct_size = sizeof call;
  call.n = static_cast<uint32_t>(n);
  perrin_tensor* values = nullptr;
  term.component.invoke<&perrin_loss::compute>(&call, static_cast<uint32_t>(named.size()), named.data(), &values);
  const services::TensorHandle handle(values);
  return services::unwrap(handle.get());
}

// openai/guided-diffusion 22e0df8, GaussianDiffusion(get_named_beta_schedule("linear", 1000), EPSILON, LEARNED_RANGE)
// ._vb_terms_bpd(model, x_start, x_t, t = [0, 1, 500, 999], clip_denoised=False)["output"] in float64, with
//   x_start[b, i] = ((51 i + 7 b) % 256) / 127.5 - 1, noise = sin(i + b), x_t = q_sample(x_start, t, noise),
//   model = [noise + 0.1 x_start, cos(2 i + b)], b < 4, i < 16.
// At t = 0 its approximate_standard_normal_cdf (a tanh) is replaced by torch.special.ndtr, the distribution function of
// 2006.11239 Eq. 13; with the tanh it gives 1.40603.
constexpr double kBitsPerDimension[] = {1.4058241862934244, 0.07277194640776086, 2.8825137150108493e-05,
                                        5.1215051830075154e-05};

TEST(Vlb, ValuesAreGuidedDiffusions) {
  const Composition c = compose(kVariance + kHybrid, {}, false);
  const at::Tensor i = at::arange(16, at::kDouble).view({1, 16}), b = at::arange(4, at::kDouble).view({4, 1});
  const auto image = [](const at::Tensor& x) { return x.to(at::kFloat).view({4, 1, 4, 4}); };
  const at::Tensor x0 = image((51 * i + 7 * b).remainder(256) / 127.5 - 1), noise = image((i + b).sin());
  const at::Tensor network = at::cat({noise + 0.1 * x0, image((2 * i + b).cos())}, 1);
  Draw draw;
  std::vector<at::Tensor> x_t;
  for (int64_t k = 0; const double t : {0.0, 1.0, 500.0, 999.0}) {
    draw.times.push_back(c->times.at(t));
    x_t.push_back(x0[k] * draw.times.back().alpha + noise[k] * draw.times.back().sigma);
    ++k;
  }
  draw.coefficients = c->coefficients(draw.times);
  draw.input = at::stack(x_t);
  ASSERT_EQ(draw.coefficients[0].c_in, 1) << "x_t is what the network is shown";
  const Batch none;
  const at::Tensor none_yet;
  const at::Tensor values = values_of(c.terms()[1], DiffusionPass{*c, none, draw, x0, network, none_yet}, 4);
  for (int64_t k = 0; k < 4; ++k) {
    const double ours = values[k].item<double>(), theirs = kBitsPerDimension[k];  // T / 1000 = 1
    std::printf("t = %3.0f: %.8g bits per dimension, guided-diffusion %.8g\n", draw.times[k].t, ours, theirs);
    EXPECT_NEAR(ours, theirs, 2e-4 * theirs);
  }
}

// Another T scales as RESCALED_MSE does there: terms["vb"] *= num_timesteps / 1000.
TEST(Vlb, TheScaleIsTheNumberOfSteps) {
  const Composition c = compose(kVariance + kHybrid, {"schedule.steps=250"}, false);
  Draw draw;
  draw.times = {c->times.at(0), c->times.at(249)};
  const at::Tensor x0 = at::ones({2, 1, 4, 4}), network = at::ones({2, 2, 4, 4});
  const Batch none;
  const at::Tensor none_yet;
  const DiffusionPass inputs{*c, none, draw, x0, network, none_yet};
  EXPECT_EQ(inputs["steps"][1].item<float>(), 250);
  EXPECT_EQ(inputs["first_step"][0].item<float>(), 1);
  EXPECT_EQ(inputs["first_step"][1].item<float>(), 0);
  // The step to the data has x_0 itself as its mean.
  EXPECT_FLOAT_EQ(inputs["posterior_x0"][0].item<float>(), 1);
}

Objective one_batch(Model& model, const Batch& batch, std::vector<LossTerm>& terms, int64_t step = 0) {
  return objective(model, batch, terms, {model.experiment.stages[0], step + 1, step});
}

// [both halves of the last convolution's gradient]
std::pair<double, double> gradient_norms(const Composition& c, size_t term) {
  Pipeline pipeline(c->dataset, c->experiment.seed, 0, 32, 0);
  std::vector<LossTerm> one;
  one.push_back(std::move(c.terms()[term]));
  c->parameters.train_only({"denoiser"});
  c->parameters.zero_gradients();
  one_batch(*c, pipeline.next(), one).total.backward();
  for (const Parameter& p : c->parameters.group("denoiser")->parameters)
    if (p.name == "denoiser.conv_out.weight") {
      const at::Tensor g = p.tensor.grad();
      return {g.narrow(0, 0, 1).norm().item<double>(), g.narrow(0, 1, 1).norm().item<double>()};
    }
  ADD_FAILURE() << "no conv_out";
  return {};
}

TEST(Vlb, TheMeanLearnsFromL2AndTheVarianceFromTheBoundAlone) {
  const auto l2 = gradient_norms(compose(kVariance + kContinuous), 0),
             vlb = gradient_norms(compose(kVariance + kContinuous), 1);
  EXPECT_GT(l2.first, 0);
  EXPECT_EQ(l2.second, 0);
  EXPECT_EQ(vlb.first, 0);
  EXPECT_GT(vlb.second, 0);
}

// The bound weighs the noise levels itself.
TEST(Vlb, TheWeightingLeavesItAlone) {
  double values[2];
  for (const int weighted : {0, 1}) {
    const Composition c =
        compose(kVariance + kContinuous, {weighted ? "weighting.use='snr'" : "weighting.use='uniform'"});
    Pipeline pipeline(c->dataset, c->experiment.seed, 0, 32, 0);
    values[weighted] = one_batch(*c, pipeline.next(), c.terms()).terms[1].value;
  }
  EXPECT_EQ(values[0], values[1]);
}

std::string refusal(const std::string& text, const std::vector<std::string>& set = {}) {
  const Composition c = compose(text, set);
  return message_of([&] { check_losses(*c, *c.losses, c.loaded); });
}

TEST(Vlb, WhatDoesNotFitIsRefusedWithItsReason) {
  EXPECT_EQ(refusal(kVariance + kHybrid), "");
  const std::string l2 = "[[stage]]\n[[stage.loss]]\nuse='l2'\n", without = refusal(kVariance + l2);
  EXPECT_NE(without.find("add [[stage.loss]] use = \"vlb\""), std::string::npos) << without;
  const std::string plain = refusal(kImages + kHybrid);
  EXPECT_NE(plain.find("the loss \"vlb\" needs \"variance\""), std::string::npos) << plain;
  EXPECT_NE(plain.find("set learnt_variance = true in [denoiser]"), std::string::npos) << plain;
  const std::string continuous = refusal(kVariance + kHybrid, {"schedule.use='vp-sde'"});
  EXPECT_NE(continuous.find("\"vp-sde\" is continuous and has no step t - 1"), std::string::npos) << continuous;
}

// A few steps on images of a Gaussian mixture, then sampling with the variance that was learnt.
TEST(Vlb, ALearntVarianceIsTrainedAndSampledWith) {
  const Composition c = compose(kVariance + kContinuous,
                                {"schedule.steps=100", "sampler={use='ddpm', variance='learned-range', steps=25}",
                                 "sampler.clip_denoised=false"});
  check_losses(*c, *c.losses, c.loaded);
  c->parameters.train_only({"conditioner", "denoiser"});
  Optimizer optimizer(c->parameters, c.stage());
  Pipeline pipeline(c->dataset, c->experiment.seed, 0, 32, 0);
  double first[2] = {}, last[2] = {};
  for (int64_t step = 0; step < 300; ++step) {
    c->parameters.zero_gradients();
    const Objective o = one_batch(*c, pipeline.next(), c.terms(), step);
    o.total.backward();
    optimizer.update(step + 1);
    for (size_t i : {size_t{0}, size_t{1}}) {
      if (step < 50) first[i] += o.terms[i].value / 50;
      if (step >= 250) last[i] += o.terms[i].value / 50;
    }
  }
  std::printf("mean of 50 steps, the first and the last: l2 %.4f -> %.4f, vlb %.5f -> %.5f\n", first[0], last[0],
              first[1], last[1]);
  EXPECT_LT(last[0], first[0]);
  EXPECT_LT(last[1], first[1]);
  c->parameters.bind_to(c->parameters.values());
  sample::Request request;
  request.count = 64;
  request.seed = 1;
  const at::Tensor samples = sample::generate(*c, request);
  std::printf("samples: deviation %.3f, largest %.2f\n", samples.std().item<double>(),
              samples.abs().max().item<double>());
  ASSERT_TRUE(samples.isfinite().all().item<bool>());
  EXPECT_NEAR(samples.std().item<double>(), 0.16, 0.04) << "of the data: sqrt(1 / 64 + 0.1^2)";
}

}  // namespace
}  // namespace perrin::test
