// Shared by the timestep laws: times by how far along the schedule they lie.
#pragma once

#include <cmath>

#include "perrin/cpp/timesteps.hpp"

namespace perrin::timesteps {

// x in [0, 1], 0 the cleanest -> a time of the domain: floor(x T) on a discrete one.
inline double time_at_fraction(const perrin_time_domain& domain, double x) {
  if (domain.steps == 0) return domain.t_min + (domain.t_max - domain.t_min) * x;
  const auto T = static_cast<double>(domain.steps);
  return domain.t_min + std::fmin(std::floor(x * T), T - 1);
}

// The inverse: the middle of the x that give t.
inline double fraction_of_time(const perrin_time_domain& domain, double t) {
  if (domain.steps == 0) return (t - domain.t_min) / (domain.t_max - domain.t_min);
  return (t - domain.t_min + 0.5) / static_cast<double>(domain.steps);
}

}  // namespace perrin::timesteps
