// Parameterizations, weightings and timesteps: what is a number for each noise level.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <set>

#include "host/services/status.hpp"
#include "tests/unit/plugins_a/components.hpp"

namespace perrin::testing {
namespace {

perrin_coefficients coefficients(const services::Component& parameterization, perrin_time at) {
  perrin_coefficients c{};
  parameterization.invoke<&perrin_parameterization::coefficients>(uint64_t{1}, &at, &c);
  return c;
}

double weight(const services::Component& weighting, perrin_time at, perrin_coefficients c) {
  double w = -1;
  weighting.invoke<&perrin_weighting::weight>(uint64_t{1}, &at, &c, &w);
  return w;
}

perrin_time variance_preserving(double angle) { return {500, std::cos(angle), std::sin(angle)}; }
const perrin_time noise_only{999, 0, 1};

// A network that predicts its target exactly gives D = x_0, on variance-preserving and other schedules.
TEST(Parameterizations, ExactPredictionDenoisesExactly) {
  std::vector<perrin_time> all = {{1, 1, 80}, {2, 1, 0.002}, {3, 0.5, 0.5}, noise_only};
  for (double angle : {0.01, 0.3, 0.8, 1.2, 1.56}) all.push_back(variance_preserving(angle));
  for (const char* id : {"epsilon", "x0", "v"})
    for (const perrin_time& at : all) {
      if (at.alpha == 0 && std::string(id) == "epsilon") continue;
      const perrin_coefficients c = coefficients(builtin("parameterization", id), at);
      const double x_0 = 0.7, eps = -1.3, x_t = at.alpha * x_0 + at.sigma * eps;
      const double F = c.target_x0 * x_0 + c.target_noise * eps;
      EXPECT_NEAR(c.c_skip * x_t + c.c_out * F, x_0, 1e-13 * (1 + std::abs(c.c_skip * x_t)))
          << id << " alpha " << at.alpha;
      EXPECT_NEAR(c.c_in * std::hypot(at.alpha, at.sigma), 1, 1e-12) << id;
      EXPECT_EQ(c.c_noise, at.t) << id;
    }
}

TEST(Parameterizations, InputIsUntouchedOnVariancePreservingSchedules) {
  for (const char* id : {"epsilon", "x0", "v"})
    for (const perrin_time& at : levels(builtin("schedule", "cosine")))
      ASSERT_EQ(coefficients(builtin("parameterization", id), at).c_in, 1) << id << " t = " << at.t;
}

TEST(Parameterizations, EpsilonIsRefusedAtZeroTerminalSnrWithTheReason) {
  try {
    coefficients(builtin("parameterization", "epsilon"), noise_only);
    FAIL() << "epsilon gave coefficients at alpha = 0";
  } catch (const services::PluginError& error) {
    const std::string what = error.what();
    EXPECT_EQ(error.code, PERRIN_UNSUPPORTED);
    EXPECT_NE(what.find("zero terminal SNR"), std::string::npos) << what;
    EXPECT_NE(what.find("use parameterization v or x0"), std::string::npos) << what;
  }
}

TEST(Parameterizations, PeersNamesAreAliases) {
  EXPECT_EQ(builtin("parameterization", "sample").id(), "x0");
  EXPECT_EQ(builtin("parameterization", "v_prediction").id(), "v");
  EXPECT_EQ(builtin("parameterization", "eps").id(), "epsilon");
}

// 2303.09556 Sec. 3.4: min(SNR, g) / SNR for eps, min(SNR, g) / (SNR + 1) for v, min(SNR, g) for x_0.
TEST(Weightings, MinSnrHasThePapersThreeForms) {
  const auto min_snr = builtin("weighting", "min-snr", {{"gamma", 5.0}});
  for (double angle : {0.01, 0.3, 0.42, 0.8, 1.2, 1.56}) {
    const perrin_time at = variance_preserving(angle);
    const double snr = std::pow(at.alpha / at.sigma, 2), capped = std::min(snr, 5.0);
    const struct {
      const char* id;
      double expected;
    } rows[] = {{"epsilon", capped / snr}, {"v", capped / (snr + 1)}, {"x0", capped}};
    for (const auto& row : rows) {
      const double w = weight(min_snr, at, coefficients(builtin("parameterization", row.id), at));
      EXPECT_NEAR(w / row.expected, 1, 1e-12) << row.id << " at SNR " << snr;
    }
  }
}

TEST(Weightings, AreFiniteAtBothEnds) {
  const perrin_time clean{0, 1, 0};
  for (const char* id : {"uniform", "min-snr"})
    for (const char* predicted : {"x0", "v"})
      for (const perrin_time& at : {clean, noise_only}) {
        const double w = weight(builtin("weighting", id), at, coefficients(builtin("parameterization", predicted), at));
        EXPECT_TRUE(std::isfinite(w) && w >= 0) << id << " with " << predicted << " at alpha " << at.alpha << ": " << w;
      }
}

// Times and importance of samples first .. first + n - 1.
std::vector<double> draw(const services::Component& law, perrin_time_domain domain, uint64_t first, uint64_t n) {
  std::vector<uint64_t> samples(n);
  std::iota(samples.begin(), samples.end(), first);
  std::vector<double> t(n), importance(n);
  law.invoke<&perrin_timesteps::draw>(&domain, perrin_stream{7, PERRIN_PURPOSE_TIMESTEP, 0}, n, samples.data(),
                                      t.data(), importance.data());
  for (double w : importance) EXPECT_EQ(w, 1);
  return t;
}

const perrin_time_domain thousand{0, 999, 1000}, continuous{1e-3, 1, 0};

TEST(Timesteps, DoNotDependOnTheBatchSize) {
  for (const char* id : {"uniform", "stratified"}) {
    const auto law = builtin("timesteps", id);
    const std::vector<double> whole = draw(law, thousand, 0, 448);
    for (uint64_t batch : {1u, 7u, 64u})
      for (uint64_t first = 0; first < 448; first += batch) {
        const std::vector<double> part = draw(law, thousand, first, batch);
        ASSERT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + static_cast<long>(first)))
            << id << " batch " << batch;
      }
  }
}

// Pearson's chi square over 50 bins: mean 49, deviation sqrt(2 * 49) = 9.9; below 49 + 5 * 9.9 = 98.5.
TEST(Timesteps, VisitEveryPartEquallyOften) {
  constexpr uint64_t n = 200000, bins = 50;
  for (const char* id : {"uniform", "stratified"}) {
    std::vector<double> count(bins);
    std::set<double> seen;
    for (double t : draw(builtin("timesteps", id), thousand, 0, n)) {
      ASSERT_TRUE(t >= 0 && t <= 999 && t == std::floor(t)) << id << " " << t;
      count[static_cast<size_t>(t) * bins / 1000] += 1;
      seen.insert(t);
    }
    double chi = 0;
    for (double c : count) chi += std::pow(c - double(n) / bins, 2) / (double(n) / bins);
    std::printf("%-10s chi square over %d bins: %.1f\n", id, static_cast<int>(bins), chi);
    EXPECT_LT(chi, 98.5) << id;
    EXPECT_EQ(seen.size(), 1000u) << id;
  }
}

TEST(Timesteps, StratifiedVisitsEachStratumOnceABlock) {
  for (int64_t strata : {1, 2, 7, 64, 100})
    for (const perrin_time_domain& domain : {thousand, continuous}) {
      const auto law = builtin("timesteps", "stratified", {{"strata", strata}});
      const auto n = static_cast<uint64_t>(strata);
      const double whole = domain.steps ? 1000 : domain.t_max - domain.t_min;
      for (uint64_t block = 0; block < 20; ++block) {
        std::vector<double> t = draw(law, domain, block * n, n);
        std::sort(t.begin(), t.end());
        for (uint64_t k = 0; k < n; ++k) {
          const double lower = domain.t_min + whole * double(k) / double(n), upper = lower + whole / double(n);
          ASSERT_GE(t[k], lower - 1) << "strata " << strata << " block " << block;
          ASSERT_LE(t[k], upper) << "strata " << strata << " block " << block;
        }
      }
    }
}

// Small batches within a block see the whole range as well: any 8 of 64 in a row have a mean near the middle.
TEST(Timesteps, StratifiedSpreadsConsecutiveSamples) {
  const auto mean_deviation = [](const char* id) {
    const std::vector<double> t = draw(builtin("timesteps", id), thousand, 0, 6400);
    double squares = 0;
    for (size_t batch = 0; batch < 800; ++batch) {
      const double sum = std::accumulate(t.begin() + long(8 * batch), t.begin() + long(8 * batch + 8), 0.0);
      squares += std::pow(sum / 8 - 499.5, 2) / 800;
    }
    return std::sqrt(squares);
  };
  const double uniform = mean_deviation("uniform"), stratified = mean_deviation("stratified");
  std::printf("deviation of a batch of 8's mean time: uniform %.1f, stratified %.1f\n", uniform, stratified);
  EXPECT_LT(stratified, uniform / 3);
}

TEST(Timesteps, WorkOnAScheduleOfOneStep) {
  for (const char* id : {"uniform", "stratified"})
    for (double t : draw(builtin("timesteps", id), {0, 0, 1}, 0, 100)) EXPECT_EQ(t, 0) << id;
}

}  // namespace
}  // namespace perrin::testing
