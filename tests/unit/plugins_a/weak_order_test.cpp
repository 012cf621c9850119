// The weak order of the stochastic samplers, without Monte Carlo: for Gaussian data D is linear, so that the end is a
// weighted sum of the start and of the noises. Each is put into a row of its own; the sum of the rows' squares is the
// exact variance of the samples, to compare with the data's.
#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "tests/unit/plugins_a/sampling.hpp"

namespace perrin::testing {
namespace {

constexpr double noisy = -4, cleanest = 1, data_variance = 0.25;

perrin_time level(double lambda) {
  const double odds = std::exp(2 * lambda);
  return level_of(-lambda, odds / (1 + odds));
}
double variance_at(const perrin_time& at) { return at.alpha * at.alpha * data_variance + at.sigma * at.sigma; }

// Variance of the samples after n equal steps of lambda, less the exact one.
double variance_error(const services::Component& sampler, int n) {
  Sampling sampling{
      {},
      [](const at::Tensor& x, const perrin_time& at) { return at.alpha * data_variance / variance_at(at) * x; },
      nullptr,
      [](double log_snr) { return level(log_snr / 2); }};
  const double half = (cleanest - noisy) / n / 2;
  for (int i = 0; i <= n; ++i) sampling.times.push_back(level(noisy + 2 * half * i));
  at::Tensor x = at::zeros({1 + 2 * n, 1}, at::kDouble);
  x[0] = std::sqrt(variance_at(sampling.times.front()));
  sampling.noise = [&](uint32_t draw, const at::Tensor& like) {
    at::Tensor z = at::zeros_like(like);
    z[1 + draw] = 1;
    return z;
  };
  // Rows of the half steps between the two levels, weighted by their share of the clock, which is the SNR.
  sampling.brownian = [&](const perrin_time& from, const perrin_time& to, const at::Tensor& like) {
    const auto point = [&](const perrin_time& at) { return std::lround((-at.t - noisy) / half); };
    const auto clock = [&](double at) { return std::exp(2 * (noisy + half * at)); };
    const auto first = static_cast<double>(point(from)), last = static_cast<double>(point(to));
    at::Tensor z = at::zeros_like(like);
    for (double j = first; j < last; ++j)
      z[1 + static_cast<int64_t>(j)] = std::sqrt((clock(j + 1) - clock(j)) / (clock(last) - clock(first)));
    return z;
  };
  const at::Tensor end = sampling.run(sampler, x);
  return std::abs((end * end).sum().item<double>() - variance_at(sampling.times.back()));
}

struct Row {
  const char* name;
  const char* sampler;
  double order;
  Values keys;
};

// An ancestral step and churn keep the noise of each level exact, so the order is that of their deterministic part. The
// multistep ones miss how D follows the noise of the step, and make up for it with the slope of the next one: order 2
// whatever the number of evaluations.
const Row rows[] = {{"ddpm fixed-small", "ddpm", 1, {}},
                    {"ddim, eta 1", "ddim", 1, {{"eta", 1.0}}},
                    {"euler-ancestral", "euler-ancestral", 1, {}},
                    {"euler, s_churn 2", "euler", 1, {{"s_churn", 2.0}}},
                    {"heun, s_churn 2", "heun", 2, {{"s_churn", 2.0}}},
                    {"kdpm2-ancestral", "kdpm2-ancestral", 2, {}},
                    {"dpm++2s-ancestral", "dpm++2s-ancestral", 2, {}},
                    {"dpm++sde", "dpm++sde", 2, {}},
                    {"dpm++2m-sde", "dpm++2m-sde", 2, {}},
                    {"dpm++2m-sde heun", "dpm++2m-sde", 2, {{"solver", std::string("heun")}}},
                    {"dpm++3m-sde", "dpm++3m-sde", 2, {}},
                    {"sa 2, 2", "sa", 2, {{"lower_order_final", false}}},
                    {"sa 3, 3",
                     "sa",
                     2,
                     {{"predictor_order", int64_t{3}}, {"corrector_order", int64_t{3}}, {"lower_order_final", false}}}};

TEST(WeakOrder, OfTheStochasticSamplers) {
  std::printf("%-20s order  slope   error of the variance after 64, 256, 1024, 2048 steps\n", "sampler");
  for (const Row& row : rows) {
    const auto sampler = builtin("sampler", row.sampler, row.keys);
    std::vector<double> errors;
    for (int n : {64, 256, 1024, 2048}) errors.push_back(variance_error(sampler, n));
    const double slope = std::log2(errors[2] / errors[3]);
    std::printf("%-20s %3.0f    %5.2f   %.2e  %.2e  %.2e  %.2e\n", row.name, row.order, slope, errors[0], errors[1],
                errors[2], errors[3]);
    EXPECT_NEAR(slope, row.order, 0.2) << row.name;
  }
}

}  // namespace
}  // namespace perrin::testing
