// A classifier of noisy images: what fits it, its training, and the samples that its gradient guides.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cdist.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>
#include <perrin/kind/dataset.h>
#include <perrin/kind/guidance.h>

#include <cmath>
#include <fstream>

#include "host/life/trainer.hpp"
#include "host/runs/checkpoint.hpp"
#include "host/runs/guide.hpp"
#include "host/sample/classes.hpp"
#include "host/sample/generate.hpp"
#include "host/services/tensor.hpp"
#include "host/train/objective/objective.hpp"
#include "host/train/optimizer.hpp"
#include "tests/unit/composition/composition.hpp"

namespace perrin::test {
namespace {

// Images [1, 4, 4] of four Gaussians with means 2 from the origin.
const std::string kFour =
    "[dataset]\nuse='gaussian-mixture'\nshape=[1,4,4]\ncomponents=4\nradius=2\n[parameterization]\nuse='epsilon'\n";
const std::string kClassifier = kFour + "[denoiser]\nuse='unet-classifier'\nclasses=4\nchannels=[16]\ngroups=4\n";
const std::string kCrossEntropy =
    "[[stage]]\nsteps=800\noptimizer={use='adamw', lr=3e-3}\n[[stage.loss]]\nuse='cross-entropy'\n";
const std::string kL2 = "[[stage]]\nsteps=300\noptimizer={use='adamw', lr=3e-3}\n[[stage.loss]]\nuse='l2'\n";

std::string refusal(const std::string& text, const std::vector<std::string>& set = {}, bool conditioned = false) {
  return message_of([&] {
    const Composition c = compose(text, set, conditioned);
    check_losses(*c, *c.losses, c.loaded);
  });
}

void expect_refused(const std::string& message, const std::string& what) {
  EXPECT_NE(message.find(what), std::string::npos) << (message.empty() ? "accepted" : message);
}

TEST(Classifier, WhatDoesNotFitIsRefusedWithItsReason) {
  EXPECT_EQ(refusal(kClassifier + kCrossEntropy), "");
  expect_refused(refusal(kClassifier + kL2),
                 "the loss \"l2\" needs \"prediction\", and the denoiser \"unet-classifier\" predicts logits");
  expect_refused(refusal(kClassifier + kL2), "losses of logits alone, such as cross-entropy");
  expect_refused(refusal(kClassifier + kCrossEntropy, {"denoiser.classes=5"}),
                 "the denoiser predicts [5] where diffusion runs in [1, 4, 4] and the dataset has 4 classes");
  expect_refused(refusal(kClassifier + kCrossEntropy, {}, true), "could read the class there: remove [conditioner]");
  const std::string unet = kFour + "[denoiser]\nuse='unet'\nchannels=[8]\ngroups=4\n";
  expect_refused(refusal(unet + kCrossEntropy),
                 "the loss \"cross-entropy\" needs \"logits\", and the denoiser \"unet\" predicts no logits");
  expect_refused(refusal(unet + kL2 + "[[stage.loss]]\nuse='cross-entropy'\n"),
                 "the loss \"cross-entropy\" needs \"logits\"");
}

// Trains stage 0; [first, last] mean over 50 steps of the first loss.
std::pair<double, double> train(const Composition& c) {
  check_losses(*c, *c.losses, c.loaded);
  c->parameters.train_only(trained_kinds(*c, c.loaded, c.stage()));
  Optimizer optimizer(c->parameters, c.stage());
  Pipeline pipeline(c->dataset, c->experiment.seed, 0, 64, 0);
  const int64_t steps = c.stage().steps;
  std::pair<double, double> loss = {0, 0};
  for (int64_t step = 0; step < steps; ++step) {
    c->parameters.zero_gradients();
    const Objective o = objective(*c, pipeline.next(), c.terms(), {c.stage(), step + 1, step});
    o.total.backward();
    optimizer.update(step + 1);
    if (step < 50) loss.first += o.terms[0].value / 50;
    if (step >= steps - 50) loss.second += o.terms[0].value / 50;
  }
  return loss;
}

// [4, 16] the mean of each class in the data.
at::Tensor class_means(const Composition& c) {
  const Batch batch = Pipeline(c->dataset, 1, 0, 2000, 0).next();
  const at::Tensor x = images(*c, batch).flatten(1);
  std::vector<at::Tensor> means;
  for (int64_t k = 0; k < 4; ++k)
    means.push_back(x.index_select(0, batch.fields[1].eq(k).nonzero().squeeze(1)).mean(0));
  return at::stack(means);
}

// The cross-entropy of the exact p(y | x_t), on 4000 samples as training draws them.
double bayes_cross_entropy(const Composition& c) {
  const Batch batch = Pipeline(c->dataset, c->experiment.seed, 0, 4000, 0).next();
  const Draw d = draw(*c, images(*c, batch), batch.positions, {c.stage()});
  const at::Tensor means = class_means(c);
  double sum = 0;
  for (int64_t b = 0; b < 4000; ++b) {
    const perrin_time& t = d.times[static_cast<size_t>(b)];
    const at::Tensor square = (d.input[b].flatten() - t.alpha * means).square().sum(1);  // [4]
    const at::Tensor log_p = (square / (-2 * (t.alpha * t.alpha * 0.01 + t.sigma * t.sigma))).log_softmax(0);
    sum -= log_p[batch.fields[1][b].item<int64_t>()].item<double>();
  }
  return sum / 4000;
}

// Noise hides the class: what the exact posterior leaves is the floor, and ln 4 a guess.
TEST(Classifier, LearnsTheClassOfNoisyImages) {
  const Composition c = compose(kClassifier + kCrossEntropy, {}, false);
  EXPECT_TRUE(c->shapes.logits);
  const auto [first, last] = train(c);
  const double floor = bayes_cross_entropy(c);
  std::printf("cross-entropy, mean of 50 steps: the first %.3f, the last %.3f; exact posterior %.3f, a guess %.3f\n",
              first, last, floor, std::log(4));
  EXPECT_LT(last, floor + 0.1);
  EXPECT_GT(last, floor - 0.05) << "better than the posterior: it was shown the class";
}

// ---- Guidance
// --------------------------------------------------------------------------------------------------------

// Two Gaussians in the plane: with the exact gradient of log p(y | x_t), scale 1 turns the exact D of the mixture into
// the exact D of component y, at any alpha and sigma (Bayes' rule).
TEST(ClassifierGuidance, TheExactGradientGivesTheExactConditionalDenoiser) {
  const Composition c = compose(
      "[dataset]\nuse='gaussian-mixture'\nmeans=[0.8, 0.2, -0.5, 0.6]\ncomponents=2\ndeviation=0.3\n"
      "[denoiser]\nuse='mlp'\nwidth=16\n[guidance]\nuse='classifier'\nclassifier='/'\nscale=1.0\n",
      {}, false);
  const double means[2][2] = {{0.8, 0.2}, {-0.5, 0.6}}, x[2] = {0.3, 0.7};
  for (const auto& [alpha, sigma] : {std::pair{0.6, 0.8}, {1.0, 2.5}, {0.3, 0.7}, {0.99, 0.1}}) {
    const double v = alpha * alpha * 0.09 + sigma * sigma;
    double p[2];
    for (int k : {0, 1})
      p[k] = std::exp(-(std::pow(x[0] - alpha * means[k][0], 2) + std::pow(x[1] - alpha * means[k][1], 2)) / (2 * v));
    for (const int64_t y : {0, 1}) {
      double D[2], D_y[2], gradient[2];
      c->dataset.invoke<&perrin_exact_denoiser::posterior_mean>(alpha, sigma, uint64_t{1}, uint64_t{2}, x,
                                                                static_cast<const int64_t*>(nullptr), D);
      c->dataset.invoke<&perrin_exact_denoiser::posterior_mean>(alpha, sigma, uint64_t{1}, uint64_t{2}, x, &y, D_y);
      for (int j : {0, 1})
        gradient[j] = alpha / v * (means[y][j] - (p[0] * means[0][j] + p[1] * means[1][j]) / (p[0] + p[1]));
      const auto row = [](const double* r) {
        return services::wrap(at::tensor({r[0], r[1]}, at::kDouble).to(at::kFloat).view({1, 2}));
      };
      const auto x_t = row(x), D_box = row(D), gradient_box = row(gradient);
      perrin_guidance_step step{};
      step.struct_size = sizeof step;
      step.at = {500, alpha, sigma};
      step.x = x_t.get(), step.conditional = D_box.get(), step.gradient = gradient_box.get();
      perrin_tensor* guided = nullptr;
      c->guidance.invoke<&perrin_guidance::guide>(&step, &guided);
      const services::TensorHandle handle(guided);
      for (int j : {0, 1})
        EXPECT_NEAR(services::unwrap(guided)[0][j].item<double>(), D_y[j], 2e-6) << alpha << " " << sigma << " " << y;
    }
  }
}

TEST(ClassifierGuidance, AsksForNoGradientWithoutSignalOrNoise) {
  const Composition c =
      compose(kFour + "[denoiser]\nuse='mlp'\nwidth=16\n[guidance]\nuse='classifier'\nclassifier='/'\n", {}, false);
  const auto asked = [&](double alpha, double sigma) {
    const perrin_time at = {0, alpha, sigma};
    uint32_t mask = 0;
    c->guidance.invoke<&perrin_guidance::branches>(&at, &mask);
    return mask;
  };
  EXPECT_EQ(asked(0, 1), PERRIN_BRANCH_CONDITIONAL);
  EXPECT_EQ(asked(1, 0), PERRIN_BRANCH_CONDITIONAL);
  EXPECT_EQ(asked(0.6, 0.8), PERRIN_BRANCH_CONDITIONAL | PERRIN_BRANCH_CLASSIFIER);
}

// A run's folder, as training leaves it.
void keep(const Composition& c, const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder / "checkpoints");
  std::ofstream(folder / "experiment.toml") << c.loaded.resolved_toml;
  Optimizer optimizer(c->parameters, c.stage());
  save_checkpoint(folder / "checkpoints" / checkpoint_name(1), c->parameters, optimizer.training(), {}, c.loaded.hash);
}

void load_guide_of(const Composition& c) {
  runs::load_guide(*c, registry(),
                   [](const std::filesystem::path& file) { return config::load(file, {}, catalogue()); });
}

const std::string kDenoiser =
    kFour + "[denoiser]\nuse='mlp'\nwidth=128\n[sampler]\nuse='ddim'\nsteps=25\nclip_denoised=false\n" + kL2;

Composition guided_by(const std::filesystem::path& run, const std::string& scale,
                      const std::vector<std::string>& set = {}) {
  std::vector<std::string> all = set;
  all.push_back("guidance={use='classifier', classifier='" + run.string() + "', scale=" + scale + "}");
  return compose(kDenoiser, all, false);
}

// Samples of an unconditional model, guided by a classifier that was trained apart.
TEST(ClassifierGuidance, SamplesFallIntoTheClassThatIsAskedFor) {
  const Scratch scratch;
  {
    const Composition classifier = compose(kClassifier + kCrossEntropy, {}, false);
    train(classifier);
    keep(classifier, scratch.path);
  }
  const Composition plain = compose(kDenoiser, {"stage.steps=1000"}, false);
  train(plain);
  plain->parameters.bind_to(plain->parameters.values());
  sample::Request request;
  request.count = request.batch_size = 200;
  request.seed = 2;
  for (int64_t i = 0; i < 200; ++i) request.labels.push_back(i % 4);
  const at::Tensor means = class_means(plain), y = at::tensor(request.labels);
  const auto share = [&](const Composition& c, double* distance) {
    const at::Tensor d = at::cdist(sample::generate(*c, request).flatten(1), means);  // [200, 4]
    *distance = d.amin(1).mean().item<double>();
    return d.argmin(1).eq(y).to(at::kFloat).mean().item<double>();
  };
  double far = 0, shares[3];
  shares[0] = share(plain, &far);
  std::printf("unguided: %.1f %% in the class asked for, distance to the nearest mean %.2f\n", 100 * shares[0], far);
  for (int i : {1, 2}) {
    const Composition c = guided_by(scratch.path, i == 1 ? "1.0" : "3.0");
    c->parameters.values().copy_(plain->parameters.values());
    load_guide_of(c);
    shares[i] = share(c, &far);
    std::printf("scale %d: %.1f %%, distance to the nearest mean %.2f\n", i == 1 ? 1 : 3, 100 * shares[i], far);
  }
  EXPECT_LT(shares[0], 0.4) << "unguided samples know no class: 25 % by chance";
  // The data lie 0.4 from their mean; the small model's samples lie 0.67 from the nearest, some between two classes.
  EXPECT_GT(shares[1], 0.6);
  EXPECT_GT(shares[2], 0.9);
}

TEST(ClassifierGuidance, WhatDoesNotFitIsRefusedWithItsReason) {
  const Scratch scratch, other;
  const Composition classifier = compose(kClassifier + kCrossEntropy, {}, false), plain = compose(kDenoiser, {}, false);
  for (const Composition* c : {&classifier, &plain}) (*c)->parameters.train_only({"denoiser"});
  keep(classifier, scratch.path), keep(plain, other.path);
  sample::Request request;
  request.count = 2;
  expect_refused(message_of([&] { sample::generate(*classifier, request); }), "is a classifier and makes no samples");
  expect_refused(message_of([&] { load_guide_of(guided_by(other.path, "1.0")); }), "the guidance needs a classifier");
  const Composition guided = guided_by(scratch.path, "1.0");
  load_guide_of(guided);
  EXPECT_EQ(sample::grid_labels(*guided, 4, 2).size(), 4u) << "classes to ask for, without conditioner";
  expect_refused(message_of([&] { sample::generate(*guided, request); }), "the samples have no class");
  expect_refused(message_of([&] {
                   load_guide_of(compose(
                       kDenoiser, {"guidance={use='autoguidance', guide='" + scratch.path.string() + "'}"}, false));
                 }),
                 "the guide is a classifier and denoises nothing");
  expect_refused(message_of([&] { load_guide_of(guided_by(scratch.path, "1.0", {"dataset.components=5"})); }),
                 "the classifier knows 4 classes");
}

}  // namespace
}  // namespace perrin::test
