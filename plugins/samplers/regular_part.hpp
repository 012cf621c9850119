// For samplers that need finite lambda: first-order steps where the list begins at pure noise or ends clean, and levels
// of their own in between.
#pragma once

#include "step.hpp"

namespace perrin::samplers {

// level_at for steps that are not the list's. Throws Failure where the schedule does not reach so far.
inline perrin_time reachable_level(const Sampling& steps, double l) {
  const perrin_time at = level_at(steps, l);
  if (std::abs(lambda(at) - l) <= 1e-5) return at;
  throw Failure("the step list goes beyond the schedule's noise levels, between which adaptive steps are taken");
}

// solve(first, last, x) takes x from steps[first] to steps[last], first < last, both at finite lambda.
template <class Solve>
Handle through_regular_part(const Sampling& steps, Handle x, Solve&& solve) {
  const uint32_t n = steps.steps(), first = steps[0].alpha > 0 ? 0 : 1, last = steps[n].sigma > 0 ? n : n - 1;
  const auto jump = [&](uint32_t from, uint32_t to) {
    x = first_order(steps, x, steps[from], steps.denoise(x, steps[from]), steps[to]);
  };
  if (first > last) return jump(0, n), x;
  if (first > 0) jump(0, first);
  if (first < last) x = solve(first, last, std::move(x));
  if (last < n) jump(last, n);
  return x;
}

}  // namespace perrin::samplers
