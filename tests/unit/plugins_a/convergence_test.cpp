// The deterministic samplers solve the probability flow of a Gaussian mixture, whose D is exact, to the order of their
// papers. The reference is the classical Runge-Kutta method, written here.
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>
#include <string>

#include "tests/unit/plugins_a/exact.hpp"
#include "tests/unit/plugins_a/sampling.hpp"

namespace perrin::testing {
namespace {

// log(alpha / sigma) of both ends. So far into the noise D hardly depends on x: the first steps of multistep methods,
// which are of lower order, do not show. No step to the clean end, whose size does not shrink with n.
constexpr double noisy = -8, cleanest = 2;

perrin_time level(double lambda, int n) {
  const double odds = std::exp(2 * lambda);
  return level_of(n * (cleanest - lambda) / (cleanest - noisy), odds / (1 + odds));
}

// n + 1 variance-preserving levels in equal steps of lambda, their times equal too.
std::vector<perrin_time> log_snr_grid(int n) {
  std::vector<perrin_time> times;
  for (int i = 0; i <= n; ++i) times.push_back(level(noisy + (cleanest - noisy) * i / n, n));
  return times;
}

services::Component target(double deviation = 0.3) {
  return builtin("dataset", "gaussian-mixture",
                 {{"components", int64_t{3}}, {"radius", 1.0}, {"deviation", deviation}});
}

// dz/dlambda = e^lambda D with z = x / sigma (2211.01095 Proposition 4.1), in n steps from `from` to the grid's last
// level.
at::Tensor runge_kutta(const services::Component& mixture, const at::Tensor& x, double from, int n) {
  const auto slope = [&](const at::Tensor& z, double lambda) {
    const perrin_time at = level(lambda, 1);
    return std::exp(lambda) * exact_denoised(mixture, z * at.sigma, at);
  };
  const double h = (cleanest - from) / n;
  at::Tensor z = x / level(from, 1).sigma;
  for (int i = 0; i < n; ++i) {
    const double lambda = from + i * h;
    const at::Tensor a = slope(z, lambda), b = slope(z + h / 2 * a, lambda + h / 2);
    const at::Tensor c = slope(z + h / 2 * b, lambda + h / 2), d = slope(z + h * c, lambda + h);
    z = z + h / 6 * (a + 2 * b + 2 * c + d);
  }
  return z * level(cleanest, 1).sigma;
}

double root_mean_square(const at::Tensor& difference) {
  return std::sqrt((difference * difference).mean().item<double>());
}

struct Row {
  const char* name;
  const char* sampler;
  double order;
  Values keys;
};

Values order(int64_t n) { return {{"order", n}, {"lower_order_final", false}}; }
Values sa(int64_t predictor, int64_t corrector) {
  return {{"predictor_order", predictor}, {"corrector_order", corrector}, {"tau", 0.0}, {"lower_order_final", false}};
}

// pndm and ipndm are of second order (2202.09778), as their weights are those of equal steps in sigma / alpha; of
// dpm++3m-sde see its doc. UniPC's corrector raises its order by one (2302.04867 Theorem 3.1), SA's to min(c, p + 1).
const Row rows[] = {{"ddim", "ddim", 1, {}},
                    {"ddim-inversion", "ddim-inversion", 1, {}},
                    {"euler", "euler", 1, {}},
                    {"euler-ancestral, eta 0", "euler-ancestral", 1, {{"eta", 0.0}}},
                    {"heun", "heun", 2, {}},
                    {"flow-heun", "flow-heun", 2, {}},
                    {"kdpm2", "kdpm2", 2, {}},
                    {"kdpm2-ancestral, eta 0", "kdpm2-ancestral", 2, {{"eta", 0.0}}},
                    {"dpm++2s-ancestral, eta 0", "dpm++2s-ancestral", 2, {{"eta", 0.0}}},
                    {"dpm++2m", "dpm++2m", 2, {}},
                    {"dpm++sde, eta 0", "dpm++sde", 2, {{"eta", 0.0}}},
                    {"dpm++2m-sde, eta 0", "dpm++2m-sde", 2, {{"eta", 0.0}}},
                    {"dpm++2m-sde heun, eta 0", "dpm++2m-sde", 2, {{"eta", 0.0}, {"solver", std::string("heun")}}},
                    {"dpm++3m-sde, eta 0", "dpm++3m-sde", 2, {{"eta", 0.0}}},
                    {"dpm-fast", "dpm-fast", 3, {}},
                    {"lms 1", "lms", 1, {{"order", int64_t{1}}}},
                    {"lms 2", "lms", 2, {{"order", int64_t{2}}}},
                    {"lms 3", "lms", 3, {{"order", int64_t{3}}}},
                    {"lms 4", "lms", 4, {}},
                    {"ipndm", "ipndm", 2, {}},
                    {"pndm", "pndm", 2, {}},
                    {"pndm skip_prk_steps", "pndm", 2, {{"skip_prk_steps", true}}},
                    {"deis 1", "deis", 1, order(1)},
                    {"deis 2", "deis", 2, order(2)},
                    {"deis 3", "deis", 3, order(3)},
                    {"unipc 1", "unipc", 2, order(1)},
                    {"unipc 2", "unipc", 3, order(2)},
                    {"unipc 3", "unipc", 4, order(3)},
                    {"unipc 2 bh1", "unipc", 3, {{"solver", std::string("bh1")}, {"lower_order_final", false}}},
                    {"sa 1, 1, tau 0", "sa", 1, sa(1, 1)},
                    {"sa 1, 2, tau 0", "sa", 2, sa(1, 2)},
                    {"sa 2, 2, tau 0", "sa", 2, sa(2, 2)},
                    {"sa 2, 3, tau 0", "sa", 3, sa(2, 3)},
                    {"sa 3, 4, tau 0", "sa", 4, sa(3, 4)}};

// Steps of 3 2^k - 1: dpm-fast then ends with a step of order 2 over two levels, not of order 1.
TEST(Convergence, DeterministicSamplersAreOfTheirOrder) {
  const auto mixture = target();
  const at::Tensor x = start(64, 2, 1), reference = runge_kutta(mixture, x, noisy, 16000);
  ASSERT_LT(root_mean_square(runge_kutta(mixture, x, noisy, 8000) - reference), 2e-12);
  std::printf("%-26s order  slope   RMS distance to the exact flow after 95, 191, 383, 767, 1535 steps\n", "sampler");
  for (const Row& row : rows) {
    const auto sampler = builtin("sampler", row.sampler, row.keys);
    std::vector<double> errors;
    double slope = 0;
    for (int n : {95, 191, 383, 767, 1535}) {
      Sampling sampling{log_snr_grid(n),
                        [&](const at::Tensor& y, const perrin_time& at) { return exact_denoised(mixture, y, at); },
                        nullptr, [=](double log_snr) { return level(log_snr / 2, n); }};
      const bool inverts = (sampler.table<perrin_sampler>().flags & PERRIN_SAMPLER_INVERTS) != 0;
      if (inverts) std::reverse(sampling.times.begin(), sampling.times.end());
      const at::Tensor &from = inverts ? reference : x, &to = inverts ? x : reference;
      errors.push_back(root_mean_square(sampling.run(sampler, from) - to));
      if (errors.size() > 1) slope = std::log(errors.end()[-2] / errors.back()) / std::log(n / ((n - 1) / 2.));
    }
    std::printf("%-26s %3.0f    %5.2f   %.2e  %.2e  %.2e  %.2e  %.2e\n", row.name, row.order, slope, errors[0],
                errors[1], errors[2], errors[3], errors[4]);
    EXPECT_NEAR(slope, row.order, 0.2) << row.name;
  }
}

const Row adaptive[] = {{"dpm-adaptive 2", "dpm-adaptive", 2, {{"order", int64_t{2}}}},
                        {"dpm-adaptive 3", "dpm-adaptive", 3, {}},
                        {"dopri5", "dopri5", 5, {}}};

// Always random, so not in the tables above: weak_order_test.cpp and samplers_test.cpp have them.
const std::set<std::string> without_flow = {"ddpm", "lcm", "restart"};

TEST(Convergence, NoDeterministicSamplerIsForgotten) {
  std::set<std::string> known = without_flow;
  for (const Row& row : rows) known.insert(row.sampler);
  for (const Row& row : adaptive) known.insert(row.sampler);
  for (const perrin_component* each : builtin("sampler", "ddim").library().components("sampler"))
    EXPECT_EQ(known.count(std::string(each->id.data, each->id.size)), 1u)
        << "give " << std::string(each->id.data, each->id.size) << " a row in convergence_test.cpp";
}

// A tolerance that every step meets makes one step of each interval that they are given alone.
// On a smoother target, where the fifth order shows before rounding does.
TEST(Convergence, AdaptiveSamplersAreOfTheirOrderInEqualSteps) {
  const auto mixture = target(0.7);
  const at::Tensor x = start(16, 2, 1), reference = runge_kutta(mixture, x, noisy, 16000);
  std::printf("%-26s order  slope   RMS distance to the exact flow after 24, 48, 96 equal steps\n", "sampler");
  for (const Row& row : adaptive) {
    Values keys = row.keys;
    keys["rtol"] = keys["atol"] = 1e9;
    if (row.order < 5) keys["h_init"] = 100.0;
    const auto sampler = builtin("sampler", row.sampler, keys);
    std::vector<double> errors;
    for (int n : {24, 48, 96}) {
      const std::vector<perrin_time> times = log_snr_grid(n);
      at::Tensor end = x;
      for (size_t i = 0; i + 1 < times.size(); ++i) {
        Sampling one{{times[i], times[i + 1]},
                     [&](const at::Tensor& y, const perrin_time& at) { return exact_denoised(mixture, y, at); },
                     nullptr,
                     [=](double log_snr) { return level(log_snr / 2, n); }};
        end = one.run(sampler, end);
      }
      errors.push_back(root_mean_square(end - reference));
    }
    const double slope = std::log2(errors[1] / errors[2]);
    std::printf("%-26s %3.0f    %5.2f   %.2e  %.2e  %.2e\n", row.name, row.order, slope, errors[0], errors[1],
                errors[2]);
    EXPECT_NEAR(slope, row.order, 0.2) << row.name;
  }
}

TEST(Convergence, AdaptiveSamplersKeepToTheirTolerance) {
  const auto mixture = target();
  const at::Tensor x = start(16, 2, 1), reference = runge_kutta(mixture, x, noisy, 16000);
  std::printf("%-26s RMS distance to the exact flow (denoiser calls a sample) at rtol = atol = .001, .0001, ...\n",
              "sampler");
  for (const Row& row : adaptive) {
    std::printf("%-26s", row.name);
    double before = 1;
    for (double tolerance : {1e-3, 1e-4, 1e-5, 1e-6}) {
      Values keys = row.keys;
      keys["rtol"] = keys["atol"] = tolerance;
      Sampling sampling{log_snr_grid(20),
                        [&](const at::Tensor& y, const perrin_time& at) { return exact_denoised(mixture, y, at); },
                        nullptr, [](double log_snr) { return level(log_snr / 2, 20); }};
      const double error = root_mean_square(sampling.run(builtin("sampler", row.sampler, keys), x) - reference);
      std::printf("  %.1e (%zu)", error, sampling.asked.size() / 16);
      EXPECT_LT(error, 10 * tolerance) << row.name;
      EXPECT_LT(error, before / 2) << row.name << ", tolerance " << tolerance;
      before = error;
    }
    std::printf("\n");
  }
}

}  // namespace
}  // namespace perrin::testing
