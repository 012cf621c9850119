// The Brownian motion that samplers see: a function of the sample and the noise level, with exact increments.
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <limits>

#include "host/sample/brownian.hpp"
#include "tests/unit/composition/composition.hpp"

namespace perrin::sample {
namespace {

const std::vector<uint64_t> four = {0, 1, 2, 9};

// Variance preserving, of a log SNR.
perrin_time level(double log_snr) {
  return {0, std::sqrt(1 / (1 + std::exp(-log_snr))), std::sqrt(1 / (1 + std::exp(log_snr)))};
}
const perrin_time pure_noise{0, 0, 1}, clean{0, 1, 0};

double snr(const perrin_time& at) { return std::pow(at.alpha / at.sigma, 2); }

Brownian motion(int64_t elements = 2048) { return Brownian(7, four, {4, elements}); }

// Of all elements against all elements, in deviations of N(0, 1) numbers.
double correlation(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) * b.to(at::kDouble)).mean().item<double>() * std::sqrt(double(a.numel()));
}

TEST(Brownian, IncrementsAreStandardNormalAndIndependentOverDisjointIntervals) {
  Brownian W = motion(50000);
  const std::vector<perrin_time> levels = {pure_noise,   level(-12), level(-6), level(-5.9), level(0),
                                           level(0.001), level(3),   level(11), clean};
  std::vector<at::Tensor> z;
  for (size_t i = 0; i + 1 < levels.size(); ++i) z.push_back(W.increment(levels[i], levels[i + 1]));
  double worst_mean = 0, worst_variance = 0, worst_correlation = 0;
  for (size_t i = 0; i < z.size(); ++i) {
    const double n = double(z[i].numel());
    // mean ~ N(0, 1/n), mean square ~ N(1, 2/n)
    worst_mean = std::max(worst_mean, std::abs(z[i].mean().item<double>()) * std::sqrt(n));
    worst_variance = std::max(worst_variance, std::abs(z[i].square().mean().item<double>() - 1) * std::sqrt(n / 2));
    for (size_t j = 0; j < i; ++j) worst_correlation = std::max(worst_correlation, std::abs(correlation(z[i], z[j])));
  }
  std::printf(
      "8 increments of 200000 numbers: mean %.2f, variance %.2f, 28 correlations %.2f standard errors at most\n",
      worst_mean, worst_variance, worst_correlation);
  EXPECT_LT(worst_mean, 4);
  EXPECT_LT(worst_variance, 4);
  EXPECT_LT(worst_correlation, 4);
}

// sqrt(SNR_c - SNR_a) z_ac = sqrt(SNR_b - SNR_a) z_ab + sqrt(SNR_c - SNR_b) z_bc
TEST(Brownian, IncrementsAddUp) {
  Brownian W = motion();
  const std::vector<std::vector<double>> rows = {{-8, -7, -1}, {-1, 0, 0.5}, {0, 5, 9}, {2, 2.25, 2.5}, {-10, 3, 3.01}};
  for (const auto& row : rows) {
    const perrin_time a = level(row[0]), b = level(row[1]), c = level(row[2]);
    const at::Tensor whole = W.increment(a, c) * std::sqrt(snr(c) - snr(a));
    const at::Tensor parts =
        W.increment(a, b) * std::sqrt(snr(b) - snr(a)) + W.increment(b, c) * std::sqrt(snr(c) - snr(b));
    // the levels are rounded by up to 3e-5 in log SNR
    EXPECT_LT((whole - parts).abs().max().item<double>() / std::sqrt(snr(c) - snr(a)), 0.02) << row[0];
    EXPECT_TRUE(at::equal(W.increment(a, b), -W.increment(b, a)));
  }
}

// The exact step of the reverse equation for constant D, in the form of dpm++sde: x_s = (sigma_s / sigma_t) e^-h x_t +
// alpha_s (1 - e^-2h) D + sigma_s sqrt(1 - e^-2h) z, lambda = log(alpha / sigma), h = lambda_s - lambda_t. Ten steps
// and one must end alike for each sample, whatever alpha and sigma are.
TEST(Brownian, ManyStepsOfTheExactSolutionAreOneStep) {
  const std::function<perrin_time(double)> families[] = {level,  // variance preserving
                                                         [](double l) {
                                                           return perrin_time{0, 1, std::exp(-l / 2)};
                                                         },  // variance exploding
                                                         [](double l) {
                                                           const double s = std::exp(-l / 2);
                                                           return perrin_time{0, 1 / (1 + s), s / (1 + s)};
                                                         }};  // flow
  for (const auto& family : families) {
    Brownian W = motion();
    const double D = 0.3;
    const auto solve = [&](int steps) {
      at::Tensor x = at::full({4, 2048}, 0.7, at::TensorOptions(at::kFloat));
      for (int i = 0; i < steps; ++i) {
        // On the grid: multiples of 2^-14.
        const perrin_time t = family(-6.25 + 1.25 * 10 / steps * i), s = family(-6.25 + 1.25 * 10 / steps * (i + 1));
        const double h = std::log(s.alpha / s.sigma) - std::log(t.alpha / t.sigma);
        x = s.sigma / t.sigma * std::exp(-h) * x + s.alpha * -std::expm1(-2 * h) * D +
            s.sigma * std::sqrt(-std::expm1(-2 * h)) * W.increment(t, s);
      }
      return x;
    };
    const at::Tensor one = solve(1);
    for (int steps : {2, 5, 10}) {
      const double error = (solve(steps) - one).abs().max().item<double>() / one.abs().max().item<double>();
      std::printf("%d steps against one: largest relative difference %.2g\n", steps, error);
      EXPECT_LT(error, 1e-5);
    }
  }
}

TEST(Brownian, IsTheSamePathWhateverWasAskedBefore) {
  Brownian coarse = motion(), fine = motion(), back = motion();
  const at::Tensor once = coarse.increment(level(-4), level(5));
  for (double l = -10; l < 10; l += 0.37) fine.increment(level(l), level(l + 0.37));
  EXPECT_TRUE(at::equal(once, fine.increment(level(-4), level(5))));
  back.increment(level(7), level(6));
  EXPECT_TRUE(at::equal(once, back.increment(level(-4), level(5))));
  EXPECT_TRUE(at::equal(once, coarse.increment(level(-4), level(5))));
}

TEST(Brownian, IsTheSamePathForAnyNumberOfThreads) {
  const int threads = at::get_num_threads();
  std::vector<at::Tensor> increments;
  for (const int n : {1, 2, 3}) {
    at::set_num_threads(n);
    increments.push_back(motion().increment(level(1), level(2)));
  }
  at::set_num_threads(threads);
  for (const at::Tensor& increment : increments) EXPECT_TRUE(at::equal(increment, increments.front()));
}

TEST(Brownian, IsTheSamePathForAnyBatch) {
  Brownian together = motion();
  for (size_t b = 0; b < four.size(); ++b) {
    const std::vector<uint64_t> one = {four[b]};
    Brownian alone(7, one, {1, 2048});
    for (double l : {-9.0, -1.0, 4.0})
      EXPECT_TRUE(at::equal(alone.increment(level(l), level(l + 1))[0],
                            together.increment(level(l), level(l + 1))[static_cast<int64_t>(b)]));
  }
}

TEST(Brownian, OtherSeedsAndSamplesAreOtherPaths) {
  Brownian a = motion(), b(8, four, {4, 2048});
  const at::Tensor x = a.increment(level(-1), level(1)), y = b.increment(level(-1), level(1));
  EXPECT_LT(std::abs(correlation(x, y)), 4);
  EXPECT_LT(std::abs(correlation(x[0], x[1])), 4);
}

TEST(Brownian, RefusesLevelsThatAreOne) {
  Brownian W = motion(8);
  for (const auto& [from, to] : {std::pair{level(1), level(1)}, {level(1), level(1 + 1e-6)}, {level(40), clean}}) {
    const std::string message = test::message_of([&] { W.increment(from, to); });
    EXPECT_NE(message.find("less than 6e-5 apart or both beyond 32"), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace perrin::sample
