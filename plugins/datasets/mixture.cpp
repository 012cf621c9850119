#include "mixture.hpp"

#include <algorithm>
#include <cmath>

namespace perrin::datasets {
namespace {

// p[k] = p(k | x), by log-sum-exp: x_t given k is N(alpha mean_k, variance I).
void responsibilities(const Mixture& m, double alpha, double variance, const double* x, std::vector<double>& p) {
  for (uint64_t k = 0; k < p.size(); ++k) {
    double distance = 0;
    for (uint64_t i = 0; i < m.size; ++i) distance += std::pow(x[i] - alpha * m.mean(k)[i], 2);
    p[k] = -distance / (2 * variance);
  }
  const double largest = *std::max_element(p.begin(), p.end());
  double sum = 0;
  for (uint64_t k = 0; k < p.size(); ++k) sum += p[k] = m.weights[k] * std::exp(p[k] - largest);
  for (double& value : p) value /= sum;
}

}  // namespace

// Given k, x_0 and x_t are jointly Gaussian: E[x_0 | x, k] = mean_k + alpha d^2 / (alpha^2 d^2 + sigma^2) (x - alpha
// mean_k)
void Mixture::posterior_mean(double alpha, double sigma, uint64_t n, const double* x, const int64_t* labels,
                             double* result) const {
  const double d2 = deviation * deviation, variance = alpha * alpha * d2 + sigma * sigma, gain = alpha * d2 / variance;
  std::vector<double> p(components());
  for (uint64_t s = 0; s < n; ++s, x += size, result += size) {
    if (labels) {
      std::fill(p.begin(), p.end(), 0.0);
      p[static_cast<uint64_t>(labels[s])] = 1;
    } else {
      responsibilities(*this, alpha, variance, x, p);
    }
    for (uint64_t i = 0; i < size; ++i) {
      double expected = 0;
      for (uint64_t k = 0; k < components(); ++k) expected += p[k] * mean(k)[i];
      result[i] = expected + gain * (x[i] - alpha * expected);
    }
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
