// Steps of the probability flow between two noise levels of any schedule. Written for y = x / alpha and s = sigma /
// alpha, in which dy/ds = (y - D) / s = eps whatever alpha is (2206.00364 Eq. 1 and 3), and multiplied out, so that
// alpha = 0 at the first level and sigma = 0 at the last are no special cases of the first-order step.
#pragma once

#include <algorithm>
#include <cmath>

#include "perrin/cpp/sampler.hpp"

namespace perrin::samplers {

// lambda = log(alpha / sigma): -inf at pure noise, inf at the clean end.
inline double lambda(const perrin_time& t) { return std::log(t.alpha / t.sigma); }

// May a step from t to u be of higher order? Its lambdas are finite.
inline bool is_regular(const perrin_time& t, const perrin_time& u) { return t.alpha > 0 && u.sigma > 0; }

// s_t / s_u. REQUIRES: is_regular(t, u).
inline double noise_ratio(const perrin_time& t, const perrin_time& u) {
  return t.sigma * u.alpha / (t.alpha * u.sigma);
}

// May a step from t count a change of D `weight` times? The exact step is an average of D and counts none more than
// once. A method that averages eps = (x - alpha D) / sigma does, the more the farther it goes: from what is all but
// pure noise (cosine begins at s = 20,000), and where few steps span all levels, without bound. D lies about s_t from
// x, or about 1 for data of unit variance: so far off at most six such lengths.
inline bool is_bounded(const perrin_time& t, double weight) { return weight * std::min(1.0, t.sigma / t.alpha) <= 6; }

// The exact solution if D stayed the same (2211.01095 Proposition 4.1), which is also ddim's step and Euler's of dy/ds.
inline Handle first_order(const Sampling& steps, const Handle& x, const perrin_time& t, const Handle& D,
                          const perrin_time& u, double noise = 0, uint32_t draw = 0) {
  const double k = u.sigma / t.sigma;
  return steps.lincomb({{u.alpha - k * t.alpha, D}, {k, x}}, noise, draw);
}

// eps = (x - alpha D) / sigma, the noise in x by D. REQUIRES: t.sigma > 0.
inline Handle noise_in(const Sampling& steps, const Handle& x, const perrin_time& t, const Handle& D) {
  return steps.lincomb({{1 / t.sigma, x}, {-t.alpha / t.sigma, D}});
}

// alpha_u (s_u - s_t): what eps is multiplied by on the way from t to u. REQUIRES: t.alpha > 0.
inline double noise_change(const perrin_time& t, const perrin_time& u) { return u.sigma - u.alpha * t.sigma / t.alpha; }

// x_u = alpha_u (y + (s_u - s_t) eps). REQUIRES: t.alpha > 0.
inline Handle along_noise(const Sampling& steps, const Handle& x, const perrin_time& t, const Handle& eps,
                          const perrin_time& u) {
  return steps.lincomb({{u.alpha / t.alpha, x}, {noise_change(t, u), eps}});
}

// The schedule's level with this lambda.
inline perrin_time level_at(const Sampling& steps, double lambda) { return steps.time_at(2 * lambda); }
// Half way in lambda. REQUIRES: is_regular(t, u).
inline perrin_time midpoint(const Sampling& steps, const perrin_time& t, const perrin_time& u) {
  return level_at(steps, (lambda(t) + lambda(u)) / 2);
}

}  // namespace perrin::samplers
