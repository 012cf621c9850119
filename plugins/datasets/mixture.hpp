// Gaussian mixtures with one deviation: density, posterior mean and moments in closed form, in float64.
#pragma once

#include <cstdint>
#include <vector>

namespace perrin::datasets {

// sum_k weight_k N(mean_k, deviation^2 I) over `size` values.
struct Mixture {
  uint64_t size = 0;
  double deviation = 0;         // > 0
  std::vector<double> weights;  // [K], sum 1
  std::vector<double> means;    // [K, size]

  uint64_t components() const { return weights.size(); }
  const double* mean(uint64_t k) const { return &means[k * size]; }

  // E[x_0 | alpha x_0 + sigma eps = x] of n samples, given each one's component too if there are labels. x, result: [n,
  // size]; labels: [n] in 0 .. K-1, or NULL.
  void posterior_mean(double alpha, double sigma, uint64_t n, const double* x, const int64_t* labels,
                      double* result) const;
  // mean: [size]; covariance: [size, size] or NULL.
  void moments(double* mean, double* covariance) const;
};

}  // namespace perrin::datasets
