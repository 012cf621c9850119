// gaussian-mixture: its samples, and its exact posterior mean against numerical integration and differentiation.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <numeric>

#include "tests/unit/plugins_a/components.hpp"

namespace perrin::testing {
namespace {

using Numbers = std::vector<double>;

Values line() {
  return {{"shape", std::vector<int64_t>{1}},
          {"components", int64_t{3}},
          {"means", Numbers{-1, 0.2, 1.5}},
          {"deviation", 0.3},
          {"weights", Numbers{1, 2, 1}}};
}
Values plane() {
  return {{"components", int64_t{2}},
          {"means", Numbers{-0.8, 0.1, 0.5, 0.9}},
          {"deviation", 0.4},
          {"weights", Numbers{3, 1}}};
}

// log p(x) of the mixtures above after noising: written from the definition, not from the plugin's code.
double density(const Values& m, double alpha, double sigma, const Numbers& x) {
  const auto &means = std::get<Numbers>(m.at("means")), &weights = std::get<Numbers>(m.at("weights"));
  const double d = std::get<double>(m.at("deviation")), variance = alpha * alpha * d * d + sigma * sigma;
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  double p = 0;
  for (size_t k = 0; k < weights.size(); ++k) {
    double distance = 0;
    for (size_t i = 0; i < x.size(); ++i) distance += std::pow(x[i] - alpha * means[k * x.size() + i], 2);
    p +=
        weights[k] / total * std::exp(-distance / (2 * variance)) / std::pow(2 * M_PI * variance, double(x.size()) / 2);
  }
  return p;
}

Numbers posterior_mean(const services::Component& mixture, double alpha, double sigma, const Numbers& x,
                       const int64_t* label = nullptr) {
  Numbers mean(x.size());
  mixture.invoke<&perrin_exact_denoiser::posterior_mean>(alpha, sigma, uint64_t{1}, uint64_t{x.size()}, x.data(), label,
                                                         mean.data());
  return mean;
}

// E[x_0 | x] = int x_0 p(x_0) N(x; alpha x_0, sigma^2) dx_0 / int p(x_0) N(...) dx_0, by the trapezoidal rule, which
// for smooth functions that vanish at both ends converges faster than any power.
TEST(GaussianMixture, PosteriorMeanEqualsNumericalIntegrationIn1D) {
  const auto mixture = builtin("dataset", "gaussian-mixture", line());
  double worst = 0;
  for (double angle : {0.05, 0.4, 0.9, 1.3, 1.55})
    for (double x : {-2.0, -0.3, 0.0, 0.6, 1.9}) {
      const double alpha = std::cos(angle), sigma = std::sin(angle);
      double numerator = 0, denominator = 0;
      for (double x_0 = -6; x_0 <= 6; x_0 += 1e-3) {
        const double p = density(line(), 1, 0, {x_0}) * std::exp(-std::pow((x - alpha * x_0) / sigma, 2) / 2);
        numerator += x_0 * p, denominator += p;
      }
      const double exact = posterior_mean(mixture, alpha, sigma, {x})[0];
      worst = std::max(worst, std::abs(exact - numerator / denominator));
      EXPECT_NEAR(exact, numerator / denominator, 1e-10) << "alpha " << alpha << " x " << x;
    }
  std::printf("1-D: largest difference to numerical integration %.1e\n", worst);
}

TEST(GaussianMixture, PosteriorMeanEqualsNumericalIntegrationIn2D) {
  const auto mixture = builtin("dataset", "gaussian-mixture", plane());
  double worst = 0;
  for (double angle : {0.3, 1.0, 1.5})
    for (const Numbers& x : {Numbers{0, 0}, {0.7, -0.5}, {-1.2, 1.4}}) {
      const double alpha = std::cos(angle), sigma = std::sin(angle);
      double sum = 0, first = 0, second = 0;
      for (double a = -5; a <= 5; a += 0.02)
        for (double b = -5; b <= 5; b += 0.02) {
          const double distance = std::pow(x[0] - alpha * a, 2) + std::pow(x[1] - alpha * b, 2);
          const double p = density(plane(), 1, 0, {a, b}) * std::exp(-distance / (2 * sigma * sigma));
          sum += p, first += a * p, second += b * p;
        }
      const Numbers exact = posterior_mean(mixture, alpha, sigma, x);
      worst = std::max({worst, std::abs(exact[0] - first / sum), std::abs(exact[1] - second / sum)});
    }
  std::printf("2-D: largest difference to numerical integration %.1e\n", worst);
  EXPECT_LT(worst, 1e-10);
}

// Tweedie: grad log p_t(x) = (alpha E[x_0 | x] - x) / sigma^2; central differences of log p_t.
TEST(GaussianMixture, ScoreEqualsTheGradientOfTheLogDensity) {
  const auto mixture = builtin("dataset", "gaussian-mixture", plane());
  double worst = 0;
  for (double angle : {0.2, 0.8, 1.4})
    for (const Numbers& x : {Numbers{0.1, 0.2}, {0.9, -0.5}, {-1.2, 1.1}})
      for (size_t i = 0; i < 2; ++i) {
        const double alpha = std::cos(angle), sigma = std::sin(angle), h = 1e-5;
        Numbers up = x, down = x;
        up[i] += h, down[i] -= h;
        const double numerical =
            (std::log(density(plane(), alpha, sigma, up)) - std::log(density(plane(), alpha, sigma, down))) / (2 * h);
        const double score = (alpha * posterior_mean(mixture, alpha, sigma, x)[i] - x[i]) / (sigma * sigma);
        worst = std::max(worst, std::abs(score - numerical) / (1 + std::abs(score)));
      }
  std::printf("score: largest relative difference to finite differences %.1e\n", worst);
  EXPECT_LT(worst, 1e-8);
}

TEST(GaussianMixture, PosteriorMeanGivenALabelIsThatComponentsOwn) {
  const auto mixture = builtin("dataset", "gaussian-mixture", line());
  const double alpha = 0.6, sigma = 0.8, x = 0.4, d2 = 0.09;
  const double means[] = {-1, 0.2, 1.5};
  for (int64_t label = 0; label < 3; ++label) {
    const double m = means[label], expected = m + alpha * d2 / (alpha * alpha * d2 + sigma * sigma) * (x - alpha * m);
    EXPECT_NEAR(posterior_mean(mixture, alpha, sigma, {x}, &label)[0], expected, 1e-15) << "label " << label;
  }
  const int64_t none = 3;
  EXPECT_NE(message_of([&] { posterior_mean(mixture, alpha, sigma, {x}, &none); }).find("label 3 is not one of the 3"),
            std::string::npos);
}

TEST(GaussianMixture, PosteriorMeanHasItsLimits) {
  const auto mixture = builtin("dataset", "gaussian-mixture", line());
  EXPECT_NEAR(posterior_mean(mixture, 0, 1, {0.8})[0], (-1 + 2 * 0.2 + 1.5) / 4, 1e-15) << "pure noise says nothing";
  EXPECT_NEAR(posterior_mean(mixture, 1, 0, {0.8})[0], 0.8, 1e-15) << "no noise hides nothing";
  EXPECT_TRUE(std::isfinite(posterior_mean(mixture, 1, 1e-3, {1e6})[0])) << "every density underflows";
}

struct Samples {
  std::vector<float> values;
  std::vector<int64_t> labels;
};
Samples read(const services::Component& mixture, const std::vector<uint64_t>& indices, size_t size) {
  Samples samples{std::vector<float>(indices.size() * size), std::vector<int64_t>(indices.size())};
  void* const buffers[] = {samples.values.data(), samples.labels.data()};
  mixture.invoke<&perrin_dataset::read>(uint64_t{indices.size()}, indices.data(), buffers);
  return samples;
}

// Means and covariances of n samples against `moments`, in standard errors: that of a mean is sqrt(C_ii / n), that of a
// covariance the deviation of the products over sqrt(n).
TEST(GaussianMixture, SamplesHaveTheMomentsThatItStates) {
  const auto mixture = builtin("dataset", "gaussian-mixture", plane());
  constexpr size_t n = 50000;
  std::vector<uint64_t> indices(n);
  std::iota(indices.begin(), indices.end(), 0);
  const Samples samples = read(mixture, indices, 2);
  double mean[2], covariance[4];
  mixture.invoke<&perrin_exact_denoiser::moments>(uint64_t{2}, mean, covariance);
  double worst = 0;
  for (size_t i = 0; i < 2; ++i)
    for (size_t j = 0; j < 2; ++j) {
      double sum = 0, products = 0, squares = 0;
      for (size_t s = 0; s < n; ++s) {
        sum += samples.values[2 * s + i];
        const double product = (samples.values[2 * s + i] - mean[i]) * (samples.values[2 * s + j] - mean[j]);
        products += product, squares += product * product;
      }
      const double expected = products / n, error = std::sqrt((squares / n - expected * expected) / n);
      worst = std::max(worst, std::abs(expected - covariance[2 * i + j]) / error);
      worst = std::max(worst, std::abs(sum / n - mean[i]) / std::sqrt(covariance[3 * i] / n));
    }
  const double share = double(std::count(samples.labels.begin(), samples.labels.end(), 0)) / n;
  std::printf("largest deviation from the moments: %.2f standard errors; share of component 0: %.4f (0.75)\n", worst,
              share);
  EXPECT_LT(worst, 4);
  EXPECT_NEAR(share, 0.75, 4 * std::sqrt(0.75 * 0.25 / n));
}

TEST(GaussianMixture, ASampleDependsOnItsIndexAlone) {
  for (const Values& values : {plane(), Values{{"shape", std::vector<int64_t>{1, 8, 8}}}}) {
    const auto mixture = builtin("dataset", "gaussian-mixture", values);
    const size_t size = values.count("shape") ? 64 : 2;
    const Samples together = read(mixture, {5, 1000, 5, 3}, size), alone = read(mixture, {1000}, size);
    EXPECT_TRUE(std::equal(alone.values.begin(), alone.values.end(), together.values.begin() + long(size)));
    EXPECT_EQ(alone.labels[0], together.labels[1]);
    EXPECT_TRUE(std::equal(together.values.begin(), together.values.begin() + long(size),
                           together.values.begin() + long(2 * size)));
  }
}

TEST(GaussianMixture, MeansLieAtTheRadius) {
  for (const auto& [shape, radius] : {std::pair{std::vector<int64_t>{2}, 1.5}, {std::vector<int64_t>{1, 8, 8}, 4.0}}) {
    const auto size = static_cast<size_t>(std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>()));
    const auto mixture =
        builtin("dataset", "gaussian-mixture", {{"shape", shape}, {"radius", radius}, {"components", int64_t{5}}});
    for (int64_t label = 0; label < 5; ++label) {
      const Numbers mean = posterior_mean(mixture, 0, 1, Numbers(size, 0.0), &label);
      EXPECT_NEAR(std::sqrt(std::inner_product(mean.begin(), mean.end(), mean.begin(), 0.0)), radius, 1e-12);
    }
  }
}

TEST(GaussianMixture, RefusesKeysThatDoNotFitTogether) {
  const auto message = [](Values values) {
    return message_of([&] { builtin("dataset", "gaussian-mixture", std::move(values)); });
  };
  EXPECT_NE(message({{"weights", Numbers{1, 2}}}).find("2 weights for 8 components"), std::string::npos);
  EXPECT_NE(message({{"means", Numbers{1, 2, 3}}}).find("8 components of 2 values need 16"), std::string::npos);
  EXPECT_NE(message({{"shape", std::vector<int64_t>{}}}).find("shape: 1 to 8 sizes"), std::string::npos);
  EXPECT_NE(message({{"shape", std::vector<int64_t>{1 << 20, 1 << 20, 1 << 30}}}).find("at most 65536 values"),
            std::string::npos);
}

}  // namespace
}  // namespace perrin::testing
