#include "mixture.hpp"

#include <algorithm>
#include <cmath>

namespace perrin::datasets {
namespace {

// p(k | x) of each component, by log-sum-exp: x_t given k is N(alpha mean_k, variance I).
std::vector<double> responsibilities(const Mixture& m, double alpha, double variance, const double* x) {
  std::vector<double> p(m.components());
  for (uint64_t k = 0; k < p.size(); ++k) {
    double distance = 0;
    for (uint64_t i = 0; i < m.size; ++i) distance += std::pow(x[i] - alpha * m.mean(k)[i], 2);
    p[k] = std::log(m.weights[k]) - distance / (2 * variance);
  }
  const double largest = *std::max_element(p.begin(), p.end());
  double sum = 0;
  for (double& value : p) sum += value = std::exp(value - largest);
  for (double& value : p) value /= sum;
  return p;
}

}  // namespace

// Given k, x_0 and x_t are jointly Gaussian: E[x_0 | x, k] = mean_k + alpha d^2 / (alpha^2 d^2 + sigma^2) (x - alpha
// mean_k)
void Mixture::posterior_mean(double alpha, double sigma, const double* x, int64_t label, double* result) const {
  const double d2 = deviation * deviation, variance = alpha * alpha * d2 + sigma * sigma, gain = alpha * d2 / variance;
  std::vector<double> p(components(), 0.0);
  if (label >= 0)
    p[static_cast<uint64_t>(label)] = 1;
  else
    p = responsibilities(*this, alpha, variance, x);
  for (uint64_t i = 0; i < size; ++i) {
    double expected = 0;
    for (uint64_t k = 0; k < components(); ++k) expected += p[k] * mean(k)[i];
    result[i] = expected + gain * (x[i] - alpha * expected);
  }
}

void Mixture::moments(double* mu, double* covariance) const {
  for (uint64_t i = 0; i < size; ++i) {
    mu[i] = 0;
    for (uint64_t k = 0; k < components(); ++k) mu[i] += weights[k] * mean(k)[i];
  }
  if (!covariance) return;
  for (uint64_t i = 0; i < size; ++i)
    for (uint64_t j = 0; j < size; ++j) {
      double c = i == j ? deviation * deviation : 0;
      for (uint64_t k = 0; k < components(); ++k) c += weights[k] * (mean(k)[i] - mu[i]) * (mean(k)[j] - mu[j]);
      covariance[i * size + j] = c;
    }
}

}  // namespace perrin::datasets
