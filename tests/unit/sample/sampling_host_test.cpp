// What the host gives to samplers and guidance, with the components of probes.cpp.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "host/runs/checkpoint.hpp"
#include "host/runs/guide.hpp"
#include "host/sample/generate.hpp"
#include "host/sample/guide_level.hpp"
#include "host/sample/predictor.hpp"
#include "host/sample/steps.hpp"
#include "tests/unit/composition/composition.hpp"

namespace perrin::sample {
namespace {

using test::compose;
using test::Composition;
using test::kImages;
using test::kPoints;
using test::message_of;
using test::Scratch;

Request request(int64_t count, int64_t batch_size = 64) {
  Request r;
  r.count = count;
  r.batch_size = batch_size;
  r.seed = 3;
  return r;
}

Composition sampled_by(const std::string& sampler, std::vector<std::string> set = {}, bool conditioned = true) {
  set.insert(set.begin(), "sampler={use='" + sampler + "', steps=10}");
  return compose(kPoints, set, conditioned);
}

TEST(SamplingHost, GuideIsToldTheFirstCallAndWhereEachStepLeads) {
  const auto plain = sampled_by("ddim");
  const auto times = sampling_times(plain->times, plain->experiment.sampling);
  ASSERT_EQ(times.size(), 11u);
  for (int level : {0, 3, 9, 10}) {
    const auto c =
        sampled_by("test.one-level", {"guidance.use='test.leads'", "sampler.level=" + std::to_string(level)});
    const size_t next = std::min<size_t>(static_cast<size_t>(level) + 1, 10);
    const double expected = times[next].t + (level == 0 ? 10000 : 0);
    // Two batches: each is a trajectory of its own.
    const at::Tensor D = generate(*c, request(4, 2));
    for (int64_t i = 0; i < 4; ++i) EXPECT_FLOAT_EQ(D[i][0].item<float>(), static_cast<float>(expected)) << level;
  }
}

TEST(SamplingHost, BrownianIncrementsAreTheSameForAnyStepListAndBatchSize) {
  // Levels 0 and 5 of 10 linspace levels are 0 and 10 of 19: t = 999 and 444.
  const auto c = compose(kPoints, {"sampler={use='test.path', steps=10, spacing='linspace', from=0, to=5}"});
  const auto fine = compose(kPoints, {"sampler={use='test.path', steps=19, spacing='linspace', from=0, to=10}"});
  const auto t = sampling_times(c->times, c->experiment.sampling),
             u = sampling_times(fine->times, fine->experiment.sampling);
  ASSERT_EQ(t[5].t, u[10].t);
  const at::Tensor z = generate(*c, request(6));
  EXPECT_TRUE(at::equal(z, generate(*fine, request(6))));
  EXPECT_TRUE(at::equal(z, generate(*c, request(6, 1))));
  EXPECT_TRUE(at::equal(z, generate(*c, request(6, 4))));
  EXPECT_GT(z.std().item<double>(), 0.3);
}

// An adaptive sampler is given one sample a call: the distance that it is told is that sample's own, by the formula
// sqrt(mean(((x - y) / max(absolute, relative max(|x|, |previous|)))^2)), here of y = 0, previous = 3.
TEST(SamplingHost, AdaptiveSamplersSeeOneSampleAtATime) {
  const auto c = sampled_by("test.distance"), plain = sampled_by("test.one-level");
  const at::Tensor D = generate(*c, request(5, 64));
  const auto front = sampling_times(plain->times, plain->experiment.sampling).front();
  Request r = request(5);
  r.start = at::randn({5, 2}) * std::hypot(front.alpha, front.sigma) * 4;
  const at::Tensor from_start = generate(*c, r);
  for (int64_t i = 0; i < 5; ++i) {
    double sum = 0;
    for (int64_t d = 0; d < 2; ++d) {
      const double x = r.start[i][d].item<double>();
      sum += std::pow(x / std::max(0.5, 0.25 * std::max(std::abs(x), 3.0)), 2) / 2;
    }
    EXPECT_NEAR(from_start[i][0].item<double>(), std::sqrt(sum), 1e-5) << i;
  }
  EXPECT_NE(D[0][0].item<float>(), D[1][0].item<float>());
  EXPECT_TRUE(at::equal(D, generate(*c, request(5, 1))));
}

TEST(SamplingHost, InvertingSamplersGetDataAndRisingLevels) {
  const auto c = sampled_by("test.inverting");
  EXPECT_TRUE(inverts(*c));
  Data data = first_samples(*c, 7, 3);
  ASSERT_EQ(data.z.sizes(), (std::vector<int64_t>{7, 2}));
  ASSERT_EQ(data.labels.size(), 7u);
  EXPECT_TRUE(at::equal(data.z, first_samples(*c, 7, 64).z));
  Request r = request(7, 2);
  r.start = data.z;
  EXPECT_TRUE(at::equal(generate(*c, r), data.z * 2));

  EXPECT_NE(message_of([&] { generate(*c, request(7)); }).find("was given no data"), std::string::npos);
  r.count = 6;
  EXPECT_NE(message_of([&] { generate(*c, r); }).find("diffusion runs in [6, 2]"), std::string::npos);
  EXPECT_NE(message_of([&] { first_samples(*c, 101, 64); }).find("the dataset has 100 samples, not 101"),
            std::string::npos);
  EXPECT_NE(message_of([&] { check_generates(*c, c.loaded); }).find("goes from data to noise"), std::string::npos);
  const auto other = sampled_by("ddim");
  check_generates(*other, other.loaded);
}

double rms(const at::Tensor& x) { return std::sqrt(x.to(at::kDouble).square().mean().item<double>()); }

// With one path for every step list, more steps bring each sample nearer to its own limit: strong convergence. With
// noise of its own for each list they would stay as far apart as samples of two seeds.
TEST(SamplingHost, StochasticSamplersConvergePathwise) {
  for (const char* sampler : {"dpm++sde", "dpm++2m-sde", "sa"}) {
    const auto at_steps = [&](int steps, uint64_t seed) {
      const auto c =
          compose(kPoints, {"schedule.use='vp-sde'", "parameterization.use='v'",
                            "sampler={use='" + std::string(sampler) + "', steps=" + std::to_string(steps) + "}"});
      Request r = request(64);
      r.seed = seed;
      return generate(*c, r);
    };
    const at::Tensor limit = at_steps(512, 3);
    const double coarse = rms(at_steps(16, 3) - limit), fine = rms(at_steps(128, 3) - limit),
                 another = rms(at_steps(512, 4) - limit);
    std::printf("%-12s distance from 512 steps: 16 steps %.3f, 128 steps %.4f; another seed %.3f\n", sampler, coarse,
                fine, another);
    EXPECT_LT(fine, coarse / 3) << sampler;
    EXPECT_LT(fine, another / 20) << sampler;
  }
}

// ddim from the latents of ddim-inversion returns to the data, the nearer the more steps.
TEST(SamplingHost, InversionAndSamplingAreARoundTrip) {
  double error[2];
  for (int i : {0, 1}) {
    const std::vector<std::string> set = {"schedule.use='vp-sde'", "parameterization.use='v'",
                                          "sampler.steps=" + std::to_string(i == 0 ? 20 : 200)};
    auto there = set, back = set;
    there.push_back("sampler.use='ddim-inversion'"), back.push_back("sampler.use='ddim'");
    const auto inverting = compose(kPoints, there), sampling = compose(kPoints, back);
    const Data data = first_samples(*inverting, 16, 64);
    Request r = request(16);
    r.labels = data.labels;
    r.start = data.z;
    r.start = generate(*inverting, r);
    error[i] = rms(generate(*sampling, r) - data.z) / rms(data.z);
  }
  std::printf("there and back, relative: 20 steps %.2g, 200 steps %.2g\n", error[0], error[1]);
  EXPECT_LT(error[1], 0.02);
  EXPECT_LT(error[1], error[0] / 5);
}

TEST(SamplingHost, LearntVarianceIsTheSecondHalf) {
  const std::string two_heads = std::string("[dataset]\nuse='gaussian-mixture'\nshape=[3,4,4]\n") +
                                "[denoiser]\nuse='test.two-heads'\n[sampler]\nsteps=5\n";
  const auto c = compose(two_heads, {"sampler.use='test.variance'"}, false);
  EXPECT_TRUE(c->shapes.learnt_variance);
  Request r = request(3, 2);
  r.start = at::randn({3, 3, 4, 4});
  EXPECT_TRUE(at::allclose(generate(*c, r), r.start * -0.25));
  // eps = F = x: D = (x - sigma x) / alpha.
  const auto d = compose(two_heads, {"sampler={use='test.one-level', level=3, steps=5}"}, false);
  const auto at = sampling_times(d->times, d->experiment.sampling)[3];
  EXPECT_TRUE(at::allclose(generate(*d, r), r.start * ((1 - at.sigma) / at.alpha), 1e-4, 1e-5));

  EXPECT_NE(message_of([&] { check_losses(*c, *c.losses, c.loaded); }).find("the hybrid loss of 2102.09672 is missing"),
            std::string::npos);
  const auto plain = sampled_by("test.variance");
  EXPECT_NE(message_of([&] { generate(*plain, request(2)); }).find("the denoiser predicts no variance"),
            std::string::npos);
  check_losses(*plain, *plain.losses, plain.loaded);
}

TEST(SamplingHost, ABranchWithoutItsExtensionIsRefused) {
  const auto guide = sampled_by("ddim", {"guidance={use='test.greedy', mask=8}"});
  EXPECT_NE(message_of([&] { generate(*guide, request(1)); }).find("without perrin.guide-model/1"), std::string::npos);
  const auto negative = sampled_by("ddim", {"guidance={use='test.greedy', mask=4}"});
  EXPECT_NE(message_of([&] { generate(*negative, request(1)); }).find("without perrin.negative-condition/1"),
            std::string::npos);
  const auto unknown = sampled_by("ddim", {"guidance={use='test.greedy', mask=33}"});
  EXPECT_NE(message_of([&] { generate(*unknown, request(1)); }).find("no branch or an unknown one"), std::string::npos);
}

// All conditions in one call of the network are what each is alone.
TEST(SamplingHost, BranchesInOneBatchAreTheBranchesAlone) {
  for (const char* text : {kPoints, kImages}) {
    const auto c = compose(text);
    const Conditions conditions{3, {0, 1, 2}, {4, 5, 6}, {}, {}, 7, {}, {}};
    std::vector<int64_t> sizes(c->shapes.z.sizes, c->shapes.z.sizes + c->shapes.z.rank);
    sizes.insert(sizes.begin(), 3);
    const at::Tensor x = at::randn(sizes);
    const perrin_time at = c->times.at(500);
    Predictor predictor(*c, conditions);
    const auto all = predictor.D(x, at, 7);
    ASSERT_EQ(all.size(), 3u);
    for (uint32_t branch : {PERRIN_BRANCH_CONDITIONAL, PERRIN_BRANCH_UNCONDITIONAL, PERRIN_BRANCH_NEGATIVE})
      EXPECT_TRUE(at::allclose(predictor.D(x, at, branch).at(branch), all.at(branch), 1e-4, 1e-5)) << branch;
    // The negative branch is the given condition with that label.
    const Conditions sevens{3, {0, 1, 2}, {7, 7, 7}, {}, {}, 0, {}, {}};
    Predictor of_seven(*c, sevens);
    EXPECT_TRUE(at::allclose(of_seven.D(x, at, 1).at(1), all.at(4), 1e-4, 1e-5));
    EXPECT_FALSE(at::allclose(all.at(1), all.at(4), 1e-3, 1e-3));
    EXPECT_FALSE(at::allclose(all.at(1), all.at(2), 1e-3, 1e-3));
  }
}

TEST(SamplingHost, ANegativeClassThatTheDataDoNotHaveIsRefusedBeforeTraining) {
  const auto eight = [](int label) {
    return compose(kPoints, {"guidance={use='perpendicular-negative', negative=" + std::to_string(label) + "}"});
  };
  const auto last = eight(7), beyond = eight(8);
  check_generates(*last, last.loaded);
  const std::string message = message_of([&] { check_generates(*beyond, beyond.loaded); });
  EXPECT_NE(message.find("keeps away from class 8, which the dataset does not have"), std::string::npos) << message;
  EXPECT_NE(message.find("give 0 to 7"), std::string::npos) << message;
}

// A run's folder as training leaves it.
struct Trained {
  Scratch scratch;
  Composition made;
  std::filesystem::path checkpoint = scratch.path / "checkpoints" / runs::checkpoint_name(4);

  explicit Trained(Composition composition) : made(std::move(composition)) {
    std::filesystem::create_directories(scratch.path / "checkpoints");
    std::ofstream(scratch.path / "experiment.toml") << made.loaded.resolved_toml;
    made->parameters.train_only({"denoiser", "conditioner"});
    train::Optimizer optimizer(made->parameters, made.stage());
    runs::save_checkpoint(checkpoint, made->parameters, optimizer.training(), {4, 0, 0, 4}, made.loaded.hash);
  }
};

void load_guide_of(Composition& c) {
  runs::load_guide(*c, test::registry(),
                   [](const std::filesystem::path& file) { return config::load(file, {}, test::catalogue()); });
}

Composition autoguided(const std::filesystem::path& guide, const std::string& scale, const std::string& text = kPoints,
                       std::vector<std::string> set = {}) {
  set.push_back("guidance={use='autoguidance', guide='" + guide.string() + "', scale=" + scale + "}");
  set.push_back("sampler.steps=10");
  return compose(text, set);
}

TEST(SamplingGuide, TheSameModelAsGuideChangesNothing) {
  const Trained other(compose(kPoints));
  const auto plain = compose(kPoints, {"sampler.steps=10"});
  Request r = request(6, 4);
  r.labels = {0, 1, 2, 3, 4, 5};
  const at::Tensor expected = generate(*plain, r);
  for (const auto& path : {other.scratch.path, other.checkpoint}) {
    Composition c = autoguided(path, "3.0");
    load_guide_of(c);
    ASSERT_TRUE(c->guide);
    const double error = (generate(*c, r) - expected).abs().max().item<double>() / expected.abs().max().item<double>();
    std::printf("largest difference from no guidance, of the largest value: %.2g\n", error);
    EXPECT_LT(error, 1e-5);
  }
}

TEST(SamplingGuide, AnotherModelIsAskedForItsOwnD) {
  // Of another width, seed, schedule and parameterization.
  const Trained other(compose("[dataset]\nuse='gaussian-mixture'\n[denoiser]\nuse='mlp'\nwidth=8\n",
                              {"experiment.seed=9", "schedule.use='cosine'", "parameterization.use='v'"}));
  Request r = request(6);
  Composition alone = autoguided(other.scratch.path, "0.0"), none = autoguided(other.scratch.path, "1.0"),
              half = autoguided(other.scratch.path, "0.5");
  for (Composition* c : {&alone, &none, &half}) load_guide_of(*c);
  // One step: x_0 is D at the first level, and D is linear in the scale.
  const auto one = [&](Composition& c) {
    const perrin_time at = c->times.at(700);
    const Conditions conditions{3, {0, 1}, {}, {}, {}, 0, {}, {}};
    const at::Tensor x = at::full({2, 2}, 0.8);
    Predictor own(*c, conditions), guide(*c->guide, conditions);
    const GuideLevel level = guide_level(*c->guide, at);
    // The same signal-to-noise ratio, and x scaled with the level.
    EXPECT_NEAR(model::log_snr(level.at), model::log_snr(at), 1e-9);
    EXPECT_NEAR(level.at.alpha, at.alpha * level.scale, 1e-9);
    EXPECT_NEAR(level.at.sigma, at.sigma * level.scale, 1e-9);
    return std::pair(own.D(x, at, 1).at(1), guide.D(x * level.scale, level.at, 1).at(1));
  };
  const auto [own, guide] = one(half);
  EXPECT_FALSE(at::allclose(own, guide, 1e-2, 1e-2));
  const at::Tensor a = generate(*alone, r), n = generate(*none, r), h = generate(*half, r);
  EXPECT_FALSE(at::allclose(a, n, 1e-2, 1e-2));
  EXPECT_FALSE(at::allclose(h, n, 1e-2, 1e-2));
  EXPECT_FALSE(at::allclose(h, a, 1e-2, 1e-2));
}

TEST(SamplingGuide, WhatDoesNotFitIsRefused) {
  const Trained images(compose(kImages));
  Composition shapes = autoguided(images.scratch.path, "2.0");
  EXPECT_NE(message_of([&] { load_guide_of(shapes); }).find("the guide diffuses in [1, 8, 8], the guided model in [2]"),
            std::string::npos);
  const Scratch empty;
  Composition no_run = autoguided(empty.path, "2.0");
  EXPECT_NE(message_of([&] { load_guide_of(no_run); }).find("this is not a run folder"), std::string::npos);
  const Trained untrained(compose(kPoints));
  std::filesystem::remove(untrained.checkpoint);
  Composition no_checkpoint = autoguided(untrained.scratch.path, "2.0");
  EXPECT_NE(message_of([&] { load_guide_of(no_checkpoint); }).find("the run has no usable checkpoint yet"),
            std::string::npos);
  const Trained wide(compose("[dataset]\nuse='gaussian-mixture'\n[denoiser]\nuse='mlp'\nwidth=32\n"));
  const Trained narrow(compose(kPoints));
  std::filesystem::copy(wide.checkpoint, narrow.checkpoint, std::filesystem::copy_options::overwrite_existing);
  Composition other_weights = autoguided(narrow.checkpoint, "2.0");
  const std::string message = message_of([&] { load_guide_of(other_weights); });
  EXPECT_NE(message.find("in the checkpoint and"), std::string::npos) << message;
  EXPECT_NE(message_of([&] { autoguided(empty.path / "nothing", "2.0"); }).find("there is no file or folder"),
            std::string::npos);
}

}  // namespace
}  // namespace perrin::sample
