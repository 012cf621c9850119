// The second look of kdpm2 and kdpm2-ancestral: y' = y + (s' - s) eps(y_m, s_m), s_m = sqrt(s s').
#pragma once

#include "step.hpp"

namespace perrin::samplers {

// Counts the change of D (s_t - s_u) / s_m times.
inline bool has_midpoint(const perrin_time& t, const perrin_time& u) {
  if (!is_regular(t, u)) return false;
  const double root = std::sqrt(noise_ratio(t, u));
  return is_bounded(t, root - 1 / root);
}

// eps half way from t to u, where D is x's at t.
inline Handle midpoint_noise(const Sampling& steps, const Handle& x, const perrin_time& t, const Handle& D,
                             const perrin_time& u) {
  const perrin_time m = midpoint(steps, t, u);
  const Handle x_m = first_order(steps, x, t, D, m);
  return noise_in(steps, x_m, m, steps.denoise(x_m, m));
}

}  // namespace perrin::samplers
