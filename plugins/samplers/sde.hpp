// The reverse-time equation with `eta` times the noise that reverses the forward process, in lambda (2211.01095 Sec.
// 5): x_u = k e^(-eta h) x_t + integral of (1 + eta) e^(-(1 + eta) (lambda_u - lambda)) alpha_u D + noise, with k =
// sigma_u / sigma_t and h = lambda_u - lambda_t.
#pragma once

#include "step.hpp"

namespace perrin::samplers {

// Coefficients of the step that takes D for constant, also at h = inf.
struct SdeStep {
  double x, D, noise;

  SdeStep(const perrin_time& t, const perrin_time& u, double eta) {
    const double k = u.sigma / t.sigma, q = k * t.alpha / u.alpha;  // e^(-h)
    x = k * std::pow(q, eta);
    D = u.alpha - t.alpha * x;
    noise = u.sigma * std::sqrt(std::max(0.0, 1 - std::pow(q, 2 * eta)));
  }
};

// x + noise times the Brownian increment from t to u, which is not asked for where noise is 0.
inline Handle with_brownian(const Sampling& steps, const Handle& x, const perrin_time& t, const perrin_time& u,
                            double noise) {
  return noise == 0 ? x : steps.lincomb({{1, x}, {noise, steps.brownian(t, u)}});
}

}  // namespace perrin::samplers
