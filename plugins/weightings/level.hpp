// Shared by the weightings: how an error of the network's F shows in what a paper's loss is about, at one noise level.
//
// F = target_x0 x_0 + target_noise eps and x_t = alpha x_0 + sigma eps determine x_0 and eps. With x_t known, an error
// of F is one of -sigma / det in x_0 (which is c_out) and of alpha / det in eps, det = target_noise alpha - target_x0
// sigma. A weight on the error of eps times `eps_error` is therefore the same loss for every parameterization.
#pragma once

#include <cmath>

#include "perrin/cpp/weighting.hpp"

namespace perrin::weightings {

// Infinite where there is no noise.
inline double snr(const perrin_time& at) { return at.alpha * at.alpha / (at.sigma * at.sigma); }

inline double determinant(const perrin_time& at, const perrin_coefficients& c) {
  return c.target_noise * at.alpha - c.target_x0 * at.sigma;
}

// ||D - x_0||^2 = x0_error ||F - target||^2
inline double x0_error(const perrin_coefficients& c) { return c.c_out * c.c_out; }

// ||eps_hat - eps||^2 = eps_error ||F - target||^2 = SNR ||D - x_0||^2 (2202.00512 Sec. 4): 1 for epsilon, alpha^2 for
// v on a variance-preserving schedule, SNR for x0.
inline double eps_error(const perrin_time& at, const perrin_coefficients& c) {
  return std::pow(at.alpha / determinant(at, c), 2);
}

// 2206.00364 Table 1: lambda = (s^2 + sigma_data^2) / (s sigma_data)^2 = 1 / sigma_data^2 + SNR on ||D - x_0||^2, with
// s = sigma / alpha on schedules that scale x_0. 1 for the edm parameterization.
inline double edm_weight(const perrin_time& at, const perrin_coefficients& c, double sigma_data) {
  return x0_error(c) / (sigma_data * sigma_data) + eps_error(at, c);
}

inline Key sigma_data_key() {
  return Key::number("sigma_data", "0.5", "deviation of the data, over all elements").above(0);
}

}  // namespace perrin::weightings
