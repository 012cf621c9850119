// The second-order step that heun and restart take.
#pragma once

#include "step.hpp"

namespace perrin::samplers {

// 2206.00364 Algorithm 2 lines 7-11, from t to u: Euler's step, corrected by the mean of both ends' eps, which counts
// the change of D (s_t / s_u - 1) / 2 times. First order to the clean end, as there, and where that is too often.
inline Handle heun_step(const Sampling& steps, const Handle& x, const perrin_time& t, const perrin_time& u) {
  const Handle D = steps.denoise(x, t);
  const Handle euler = first_order(steps, x, t, D, u);
  if (!is_regular(t, u) || !is_bounded(t, (noise_ratio(t, u) - 1) / 2)) return euler;
  const Handle D_u = steps.denoise(euler, u);
  const double half = noise_change(t, u) / 2;
  return steps.lincomb({{1 + half / u.sigma, euler},
                        {-half * u.alpha / u.sigma, D_u},
                        {-half / t.sigma, x},
                        {half * t.alpha / t.sigma, D}});
}

}  // namespace perrin::samplers
