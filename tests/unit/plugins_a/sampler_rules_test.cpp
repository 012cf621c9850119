// What holds for every sampler of the library, between pure noise and the clean end.
#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/max.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>
#include <string>

#include "host/services/tensor.hpp"
#include "tests/unit/plugins_a/every_sampler.hpp"

namespace perrin::testing {
namespace {

at::Tensor result_of(const EverySampler& each, const Grid& grid, const services::Component& mixture) {
  BrownianPath path(7);
  Sampling sampling = exact_sampling(mixture, grid, path);
  sampling.variance = [&] { return 0 * sampling.latest; };
  const auto sampler = builtin("sampler", each.sampler, each.keys);
  if (has_flag(sampler, PERRIN_SAMPLER_INVERTS)) std::reverse(sampling.times.begin(), sampling.times.end());
  if (has_flag(sampler, PERRIN_SAMPLER_ADAPTIVE)) sampling.brownian = nullptr;
  const perrin_time& first = sampling.times.front();
  const at::Tensor noise = start(8, 2, 5);
  const bool inverts = has_flag(sampler, PERRIN_SAMPLER_INVERTS);
  return sampling.run(sampler, inverts ? 0.5 * first.alpha * noise : std::hypot(first.alpha, first.sigma) * noise);
}

TEST(SamplerRules, FiniteFromPureNoiseToTheCleanEndOnEveryPath) {
  const auto mixture = three_gaussians();
  size_t runs = 0;
  for (const EverySampler& each : every_sampler())
    for (Path path : {Path::preserving, Path::straight})
      for (bool pure : {true, false})
        for (bool to_clean : {true, false})
          for (int n : {1, 2, 3, 4, 5, 8, 20}) {
            const at::Tensor x = result_of(each, {path, pure, to_clean, n}, mixture);
            EXPECT_TRUE(at::isfinite(x).all().item<bool>()) << each.name() << ", n " << n << ", pure " << pure;
            if (n > 1) EXPECT_LT(x.abs().max().item<double>(), 30) << each.name() << ", n " << n << ", pure " << pure;
            ++runs;
          }
  std::printf("%zu runs of %zu samplers\n", runs, every_sampler().size());
}

// Cosine begins at sigma / alpha = 20,000, 1600 times the second of twenty levels: what D changes there is small, and
// must not be weighed by the ratio.
TEST(SamplerRules, StayNearTheDataFromAllButPureNoise) {
  const auto mixture = three_gaussians();
  for (const EverySampler& each : every_sampler())
    for (Path path : {Path::preserving, Path::straight})
      for (int n : {2, 5, 8, 20}) {
        const auto sampler = builtin("sampler", each.sampler, each.keys);
        if (has_flag(sampler, PERRIN_SAMPLER_INVERTS)) continue;
        BrownianPath motion(7);
        Sampling sampling = exact_sampling(mixture, {path, false, true, n}, motion);
        sampling.variance = [&] { return 0 * sampling.latest; };
        if (has_flag(sampler, PERRIN_SAMPLER_ADAPTIVE)) sampling.brownian = nullptr;
        sampling.times[0] = on_path(path, 2e4);
        const at::Tensor x = sampling.run(sampler, start(8, 2, 5));
        EXPECT_LT(x.abs().max().item<double>(), 10) << each.name() << ", n " << n;
      }
}

const std::set<std::string> one_call_a_level = {
    "ddim",  "ddim-inversion",  "ddpm",  "deis", "dpm++2m", "dpm++2m-sde", "dpm++3m-sde", "dpm-fast",
    "euler", "euler-ancestral", "ipndm", "lcm",  "lms",     "sa",          "unipc"};

// The denoiser is called at every level of the list but the last, in its order, and else only between the two levels
// around. Excepted are adaptive samplers, churn and restart, whose docs say so.
TEST(SamplerRules, TheStepListIsObeyedExactly) {
  const auto mixture = three_gaussians();
  for (const EverySampler& each : every_sampler())
    for (const Grid& grid : {Grid{Path::preserving, true, true, 9}, Grid{Path::straight, false, false, 7}}) {
      const auto sampler = builtin("sampler", each.sampler, each.keys);
      if (has_flag(sampler, PERRIN_SAMPLER_ADAPTIVE) || each.keys.count("s_churn") != 0 || each.sampler == "restart")
        continue;
      BrownianPath path(7);
      Sampling sampling = exact_sampling(mixture, grid, path);
      sampling.variance = [&] { return 0 * sampling.latest; };
      std::vector<perrin_time>& times = sampling.times;
      times[3] = on_path(grid.path, std::exp(1.0));  // uneven
      // The level below is where inversion's step begins, and the one above where D is called.
      const bool inverts = has_flag(sampler, PERRIN_SAMPLER_INVERTS);
      if (inverts) std::reverse(times.begin(), times.end());
      sampling.run(sampler, start(2, 2, 5));

      size_t next = inverts ? 1 : 0;
      for (const perrin_time& at : sampling.asked) {
        if (next < times.size() && at.alpha == times[next].alpha && at.sigma == times[next].sigma) {
          ++next;
          continue;
        }
        EXPECT_EQ(one_call_a_level.count(each.sampler), 0u) << each.name() << " calls D at " << at.t;
        ASSERT_GT(next, 0u) << each.name();
        EXPECT_LE(at.t, times[next - 1].t) << each.name();
        EXPECT_GE(at.t, times[next < times.size() ? next : next - 1].t) << each.name();
      }
      const size_t called = times.size() - (inverts ? 0 : 1);
      // A correction at the list's end, where it is not clean, counts as that level.
      EXPECT_TRUE(next == called || (next == called + 1 && times.back().sigma > 0)) << each.name() << ", " << next;
    }
}

// The last step, to alpha = 1 and sigma = 0, gives D itself and draws nothing.
TEST(SamplerRules, EndAtTheDenoisedPredictionWithoutNoise) {
  const auto mixture = three_gaussians();
  const Grid grid{Path::preserving, false, true, 1};
  for (const EverySampler& each : every_sampler()) {
    const auto sampler = builtin("sampler", each.sampler, each.keys);
    if (has_flag(sampler, PERRIN_SAMPLER_INVERTS) || each.keys.count("s_churn") != 0) continue;
    BrownianPath path(7);
    Sampling sampling = exact_sampling(mixture, grid, path);
    sampling.brownian = nullptr;
    sampling.times[0] = on_path(grid.path, 0.2);
    const at::Tensor x = start(50, 2, 3), end = sampling.run(sampler, x);
    EXPECT_LT((end - exact_denoised(mixture, x, sampling.times[0])).abs().max().item<double>(), 1e-12) << each.name();
    EXPECT_TRUE(sampling.draws.empty()) << each.name();
  }
}

TEST(SamplerRules, PassOnTheHostsFailureAndLoseNoTensor) {
  const auto mixture = three_gaussians();
  for (const EverySampler& each : every_sampler()) {
    const auto sampler = builtin("sampler", each.sampler, each.keys);
    const int64_t before = services::live_tensors();
    BrownianPath path(7);
    Sampling sampling = exact_sampling(mixture, {Path::preserving, true, true, 9}, path);
    sampling.variance = [&] { return 0 * sampling.latest; };
    if (has_flag(sampler, PERRIN_SAMPLER_INVERTS)) std::reverse(sampling.times.begin(), sampling.times.end());
    int calls = 0;
    sampling.D = [&](const at::Tensor& x, const perrin_time& at) {
      if (++calls == 6) throw services::Fault(PERRIN_CANCELLED, "stopped by the test");
      return exact_denoised(mixture, x, at);
    };
    try {
      sampling.run(sampler, start(1, 2, 0));
      FAIL() << each.name() << " went on after D failed";
    } catch (const services::PluginError& error) {
      EXPECT_EQ(error.code, PERRIN_CANCELLED) << each.name();
      EXPECT_NE(std::string(error.what()).find("stopped by the test"), std::string::npos) << error.what();
    }
    EXPECT_EQ(services::live_tensors(), before) << each.name();
  }
}

TEST(SamplerRules, RefuseIntervalsThatAreNone) {
  for (const char* id : {"euler", "heun", "sa"}) {
    const std::string message = message_of([&] { builtin("sampler", id, {{"s_tmin", 2.0}, {"s_tmax", 1.0}}); });
    EXPECT_NE(message.find("s_tmin is above s_tmax"), std::string::npos) << id << ": " << message;
  }
  const auto restart = [](std::vector<double> low, std::vector<double> high) {
    return message_of([&] { builtin("sampler", "restart", {{"s_min", low}, {"s_max", high}}); });
  };
  EXPECT_NE(restart({0.5}, {0.3}).find("each s_min must be below its s_max"), std::string::npos);
  EXPECT_NE(restart({0.1, 0.2}, {0.3}).find("need one entry for each interval"), std::string::npos);
}

// A list that leaves the schedule, where time_at stays, ends with an error and not never.
TEST(SamplerRules, AdaptiveOnesEndWhereTheScheduleDoes) {
  const auto mixture = three_gaussians();
  for (const char* id : {"dpm-adaptive", "dopri5"}) {
    BrownianPath path(7);
    Sampling sampling = exact_sampling(mixture, {Path::preserving, false, false, 9}, path);
    sampling.time_at = [](double log_snr) { return on_path(Path::preserving, std::exp(-std::min(log_snr, 0.0) / 2)); };
    const std::string message = message_of([&] { sampling.run(builtin("sampler", id), start(1, 2, 0)); });
    EXPECT_NE(message.find("beyond the schedule's noise levels"), std::string::npos) << id << ": " << message;
    sampling.D = [](const at::Tensor& x, const perrin_time&) { return x / 0; };
    EXPECT_NE(message_of([&] { sampling.run(builtin("sampler", id), start(1, 2, 0)); }), "") << id;
  }
}

}  // namespace
}  // namespace perrin::testing
