// Samplers on a distribution whose D is known exactly, and in their bookkeeping.
#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/max.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <numeric>

#include "host/services/tensor.hpp"
#include "tests/unit/plugins_a/exact.hpp"
#include "tests/unit/plugins_a/sampling.hpp"

namespace perrin::testing {
namespace {

services::Component target() {
  return builtin("dataset", "gaussian-mixture",
                 {{"components", int64_t{3}},
                  {"means", std::vector<double>{-0.8, 0.1, 0.5, 0.9, 0.7, -0.6}},
                  {"deviation", 0.2},
                  {"weights", std::vector<double>{2, 1, 1}}});
}

// The schedule's times from t = T - 1 down, `stride` apart and down to 0, then clean.
std::vector<perrin_time> trailing(const services::Component& schedule, int T, int stride) {
  std::vector<double> t;
  for (int i = T - 1; i >= 0; i -= stride) t.push_back(i);
  std::vector<perrin_time> times = levels(schedule, t);
  times.push_back(clean);
  return times;
}

Sampling exact_sampling(const services::Component& mixture, std::vector<perrin_time> times) {
  return {std::move(times), [&](const at::Tensor& x, const perrin_time& at) { return exact_denoised(mixture, x, at); },
          nullptr, nullptr};
}

// The largest distance of the sample's mean and covariance from the target's, in standard errors: sqrt(C_ii / n) for a
// mean, the deviation of the products over sqrt(n) for a covariance.
double largest_deviation(const services::Component& mixture, const at::Tensor& x) {
  double mean[2], covariance[4], worst = 0;
  mixture.invoke<&perrin_exact_denoiser::moments>(uint64_t{2}, mean, covariance);
  const auto n = static_cast<double>(x.size(0));
  for (int i = 0; i < 2; ++i) {
    const double error = std::sqrt(covariance[3 * i] / n);
    worst = std::max(worst, std::abs(x.select(1, i).mean().item<double>() - mean[i]) / error);
    for (int j = 0; j <= i; ++j) {
      const at::Tensor products = (x.select(1, i) - mean[i]) * (x.select(1, j) - mean[j]);
      const double expected = products.mean().item<double>();
      const double spread = std::sqrt((products * products).mean().item<double>() - expected * expected);
      worst = std::max(worst, std::abs(expected - covariance[2 * i + j]) / (spread / std::sqrt(n)));
    }
  }
  return worst;
}

struct Case {
  const char* name;
  const char* sampler;
  Values keys;
  bool zero_terminal_snr = false;
  int stride = 1;
};

// 5,000 samples, seed 0. Five moments of twenty-six cases: beyond 4 standard errors by chance once in 120 seeds.
TEST(Samplers, ExactDenoiserGivesTheTargetsMoments) {
  const auto mixture = target();
  const std::string heun = "heun";
  const Case cases[] = {{"ddpm fixed-small", "ddpm", {}},
                        {"ddpm fixed-large", "ddpm", {{"variance", std::string("fixed-large")}}},
                        {"ddim eta 0", "ddim", {}},
                        {"ddim eta 1", "ddim", {{"eta", 1.0}}},
                        {"euler", "euler", {}},
                        {"euler s_churn 40", "euler", {{"s_churn", 40.0}}},
                        {"ddpm, zero terminal SNR", "ddpm", {}, true},
                        {"ddim eta 0, zero terminal SNR", "ddim", {}, true},
                        {"euler-ancestral", "euler-ancestral", {}},
                        {"heun s_churn 40", "heun", {{"s_churn", 40.0}}, false, 10},
                        {"kdpm2-ancestral", "kdpm2-ancestral", {}, false, 10},
                        {"dpm++2s-ancestral", "dpm++2s-ancestral", {}, false, 10},
                        {"dpm++sde", "dpm++sde", {}, false, 10},
                        {"dpm++sde, zero terminal SNR", "dpm++sde", {}, true, 10},
                        {"dpm++2m-sde", "dpm++2m-sde", {}, false, 10},
                        {"dpm++2m-sde heun", "dpm++2m-sde", {{"solver", heun}}, false, 10},
                        {"dpm++2m-sde, zero terminal SNR", "dpm++2m-sde", {}, true, 10},
                        {"dpm++3m-sde", "dpm++3m-sde", {}, false, 10},
                        {"dpm++3m-sde, zero terminal SNR", "dpm++3m-sde", {}, true, 10},
                        {"sa", "sa", {}, false, 10},
                        {"sa, zero terminal SNR", "sa", {}, true, 10},
                        {"restart",
                         "restart",
                         {{"s_min", std::vector<double>{0.1}},
                          {"s_max", std::vector<double>{1}},
                          {"interval_steps", std::vector<int64_t>{20}}},
                         false,
                         10},
                        {"unipc", "unipc", {}, false, 10},
                        {"unipc, zero terminal SNR", "unipc", {}, true, 10},
                        {"deis", "deis", {}, false, 10},
                        {"pndm", "pndm", {}, false, 10}};
  for (const Case& each : cases) {
    const auto schedule = builtin("schedule", "linear", {{"zero_terminal_snr", each.zero_terminal_snr}});
    Sampling sampling = exact_sampling(mixture, trailing(schedule, 1000, each.stride));
    sampling.time_at = interpolated(schedule);
    BrownianPath path(1);
    sampling.brownian = [&](const perrin_time& a, const perrin_time& b, const at::Tensor& x) { return path(a, b, x); };
    const double worst =
        largest_deviation(mixture, sampling.run(builtin("sampler", each.sampler, each.keys), start(5000, 2, 0)));
    std::printf("%-32s %4zu steps: largest deviation %.2f standard errors\n", each.name, sampling.times.size() - 1,
                worst);
    EXPECT_LT(worst, 4) << each.name;
  }
}

// lcm takes D for a consistency function, the end of x's trajectory (2310.04378). Of Gaussian data that is known:
// m + d (x - alpha m) / sqrt(alpha^2 d^2 + sigma^2). With it every list gives the data.
TEST(Samplers, LcmGivesTheMomentsOfAConsistencyFunctionInFewSteps) {
  const double m = 0.4, d = 0.3;
  const auto schedule = builtin("schedule", "linear", {{"zero_terminal_snr", true}});
  Sampling sampling = exact_sampling(target(), trailing(schedule, 1000, 250));
  sampling.D = [&](const at::Tensor& x, const perrin_time& at) {
    return m + d / std::hypot(at.alpha * d, at.sigma) * (x - at.alpha * m);
  };
  const at::Tensor x = sampling.run(builtin("sampler", "lcm"), start(20000, 2, 0));
  EXPECT_NEAR(x.mean().item<double>(), m, 4 * d / std::sqrt(40000.));
  EXPECT_NEAR(x.std().item<double>(), d, 4 * d / std::sqrt(80000.));
  EXPECT_EQ(sampling.draws, (std::vector<uint32_t>{0, 1, 2}));
}

// v = -1 is fixed-small, v = 1 fixed-large (2102.09672 Eq. 15), and none is asked for in the last step.
TEST(Samplers, LearnedRangeEndsAtTheFixedVariances) {
  const auto mixture = target();
  for (const auto& [v, name] : {std::pair{-1.0, "fixed-small"}, {1.0, "fixed-large"}}) {
    Sampling learned = exact_sampling(mixture, trailing(builtin("schedule", "linear"), 1000, 100)), fixed = learned;
    int asked = 0;
    learned.variance = [&, v = v] { return ++asked, 0 * learned.latest + v; };
    const at::Tensor x = start(100, 2, 0);
    const at::Tensor difference =
        learned.run(builtin("sampler", "ddpm", {{"variance", std::string("learned-range")}}), x) -
        fixed.run(builtin("sampler", "ddpm", {{"variance", std::string(name)}}), x);
    EXPECT_LT(difference.abs().max().item<double>(), 1e-12) << name;
    EXPECT_EQ(asked, 9) << name;
  }
}

// Both are sigma_s / sigma_t x + (alpha_s - alpha_t sigma_s / sigma_t) D.
TEST(Samplers, EulerWithoutChurnIsDdimAtEtaZero) {
  const auto mixture = target();
  Sampling sampling = exact_sampling(mixture, trailing(builtin("schedule", "cosine"), 1000, 50));
  const at::Tensor x = start(100, 2, 0);
  const at::Tensor difference =
      sampling.run(builtin("sampler", "euler"), x) - sampling.run(builtin("sampler", "ddim"), x);
  EXPECT_LT(difference.abs().max().item<double>(), 1e-13);
}

// 2010.02502 Sec. 4.1: eta 1 is the DDPM of the same steps.
TEST(Samplers, DdimAtEtaOneIsDdpm) {
  const auto mixture = target();
  Sampling a = exact_sampling(mixture, trailing(builtin("schedule", "linear"), 1000, 37)), b = a;
  const at::Tensor x = start(100, 2, 0);
  const at::Tensor difference =
      a.run(builtin("sampler", "ddim", {{"eta", 1.0}}), x) - b.run(builtin("sampler", "ddpm"), x);
  EXPECT_LT(difference.abs().max().item<double>(), 1e-12);
  ASSERT_EQ(a.deviations.size(), b.deviations.size());
  for (size_t i = 0; i < a.deviations.size(); ++i) EXPECT_NEAR(a.deviations[i], b.deviations[i], 1e-14);
}

TEST(Samplers, NumberTheirDrawsByStep) {
  const auto mixture = target();
  const auto schedule = builtin("schedule", "linear");
  for (const Case& each : {Case{"ddpm", "ddpm", {}},
                           {"ddim", "ddim", {{"eta", 0.5}}},
                           {"euler-ancestral", "euler-ancestral", {}},
                           {"kdpm2-ancestral", "kdpm2-ancestral", {}},
                           {"dpm++2s-ancestral", "dpm++2s-ancestral", {}},
                           {"lcm", "lcm", {}}}) {
    Sampling sampling = exact_sampling(mixture, trailing(schedule, 1000, 111));
    sampling.time_at = interpolated(schedule);
    sampling.run(builtin("sampler", each.sampler, each.keys), start(2, 2, 0));
    std::vector<uint32_t> expected(sampling.times.size() - 2);
    std::iota(expected.begin(), expected.end(), 0u);
    EXPECT_EQ(sampling.draws, expected) << each.name;
  }
}

// 2206.00364 Algorithm 2: gamma = min(s_churn / N, sqrt(2) - 1) within [s_tmin, s_tmax]; deviation of y = x / alpha:
// s_noise sqrt(hat^2 - sigma^2).
TEST(Samplers, EulerChurnsAsMuchAsThePaperSays) {
  const auto mixture = target();
  const auto schedule = builtin("schedule", "linear");
  Sampling sampling = exact_sampling(mixture, {levels(schedule, {700})[0], levels(schedule, {500})[0], clean});
  sampling.time_at = interpolated(schedule);
  const double sigma = sampling.times[0].sigma / sampling.times[0].alpha;
  sampling.run(builtin("sampler", "euler", {{"s_churn", 0.2}, {"s_tmin", sigma * 0.99}, {"s_noise", 1.1}}),
               start(2, 2, 0));
  const double hat = 1.1 * sigma, alpha_hat = 1 / std::sqrt(1 + hat * hat);
  ASSERT_EQ(sampling.draws, std::vector<uint32_t>{0}) << "only the first level is above s_tmin";
  EXPECT_NEAR(sampling.deviations[0], 1.1 * alpha_hat * std::sqrt(hat * hat - sigma * sigma), 1e-12);
}

TEST(Samplers, LogNamesOfVarianceAreTheSameNumbers) {
  const auto mixture = target();
  for (const char* name : {"fixed-small", "fixed-large"}) {
    Sampling a = exact_sampling(mixture, trailing(builtin("schedule", "linear"), 1000, 100)), b = a;
    a.run(builtin("sampler", "ddpm", {{"variance", std::string(name)}}), start(2, 2, 0));
    b.run(builtin("sampler", "ddpm", {{"variance", std::string(name) + "-log"}}), start(2, 2, 0));
    EXPECT_EQ(a.deviations, b.deviations) << name;
  }
}

// What D's own component or the host said arrives unchanged: the sampler is not blamed.
TEST(Samplers, PassOnTheHostsErrorWithItsPlaceAndFix) {
  Sampling sampling = exact_sampling(target(), {levels(builtin("schedule", "linear"), {500})[0], clean});
  sampling.D = [](const at::Tensor&, const perrin_time&) -> at::Tensor {
    throw Error("broken", "\"unet\", in forward", "mend it");
  };
  try {
    sampling.run(builtin("sampler", "ddim"), start(2, 2, 0));
    FAIL() << "ddim went on after D failed";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()), "broken");
    EXPECT_EQ(error.where, "\"unet\", in forward");
    EXPECT_EQ(error.fix, "mend it");
  }
}

}  // namespace
}  // namespace perrin::testing
