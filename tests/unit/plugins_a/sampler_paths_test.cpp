// Samplers on different paths and step lists of one problem: the same answer, Brownian path or way back.
#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/max.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "tests/unit/plugins_a/every_sampler.hpp"

namespace perrin::testing {
namespace {

// The same list in sigma / alpha, the same noise: the same y = x / alpha at the end.
TEST(SamplerPaths, GiveTheSameOnEveryPath) {
  const auto mixture = three_gaussians();
  for (const EverySampler& each : every_sampler()) {
    const auto sampler = builtin("sampler", each.sampler, each.keys);
    // Inversion evaluates x at another level's alpha, the tolerance of adaptive ones is one of x, and ddpm's larger
    // variance is that of the forward process at its own alpha.
    if (has_flag(sampler, PERRIN_SAMPLER_INVERTS) || has_flag(sampler, PERRIN_SAMPLER_ADAPTIVE)) continue;
    if (each.keys.count("variance") != 0) continue;
    std::vector<at::Tensor> ends;
    for (Path path : {Path::exploding, Path::preserving, Path::straight}) {
      BrownianPath brownian(7);
      Sampling sampling = exact_sampling(mixture, {path, false, true, 12}, brownian);
      sampling.variance = [&] { return 0 * sampling.latest; };
      ends.push_back(sampling.run(sampler, 20 * sampling.times.front().alpha * start(16, 2, 5)));
    }
    for (size_t i : {1u, 2u})
      EXPECT_LT((ends[i] - ends[0]).abs().max().item<double>(), 1e-10) << each.name() << ", path " << i;
  }
}

// One Brownian path, more and more steps: the samples go to a limit of their own, not only their distribution.
TEST(SamplerPaths, EqualBrownianPathsForAnyNumberOfSteps) {
  const auto mixture = three_gaussians();
  std::printf("%-14s RMS distance to 1024 steps of the same Brownian path, after 16, 64, 256\n", "sampler");
  for (const char* id : {"dpm++sde", "dpm++2m-sde", "dpm++3m-sde", "sa"}) {
    BrownianPath path(3);
    const auto sampler = builtin("sampler", id);
    const auto solve = [&](int n) {
      Sampling sampling = exact_sampling(mixture, {Path::preserving, false, false, n}, path);
      return sampling.run(sampler, start(256, 2, 5));
    };
    const at::Tensor finest = solve(1024);
    std::vector<double> errors;
    for (int n : {16, 64, 256}) {
      const at::Tensor difference = solve(n) - finest;
      errors.push_back(std::sqrt((difference * difference).mean().item<double>()));
    }
    std::printf("%-14s %.3f  %.3f  %.3f\n", id, errors[0], errors[1], errors[2]);
    EXPECT_LT(errors[1], errors[0] / 1.8) << id;
    EXPECT_LT(errors[2], errors[1] / 1.8) << id;
  }
}

// 2010.02502 Sec. 4.3 and Table 2: encoded by inversion and decoded by ddim, the error falls with the number of steps.
TEST(SamplerPaths, DdimReturnsToWhatItsInversionBeganWith) {
  const auto mixture = three_gaussians();
  BrownianPath unused(0);
  const at::Tensor data = 0.8 * start(256, 2, 9);
  double before = 1;
  for (int n : {10, 20, 50, 100, 200, 500, 1000}) {
    Sampling sampling = exact_sampling(mixture, {Path::preserving, false, true, n}, unused);
    // Equal angles: the first interval, from clean data, shrinks with the others.
    for (int i = 0; i <= n; ++i)
      sampling.times[static_cast<size_t>(i)] = on_path(Path::preserving, std::tan(1.5 * (n - i) / n));
    const std::vector<perrin_time> down = sampling.times;
    std::reverse(sampling.times.begin(), sampling.times.end());
    const at::Tensor noise = sampling.run(builtin("sampler", "ddim-inversion"), data);
    sampling.times = down;
    const at::Tensor difference = sampling.run(builtin("sampler", "ddim"), noise) - data;
    const double error = std::sqrt((difference * difference).mean().item<double>());
    std::printf("ddim-inversion and ddim, %4d steps: RMS error %.4f\n", n, error);
    EXPECT_LT(error, 2.5 / n) << n;
    EXPECT_LT(error, before) << n;
    before = error;
  }
}

}  // namespace
}  // namespace perrin::testing
