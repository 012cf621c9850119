// Shared by the parameterizations: what follows from a noise level alone.
#pragma once

#include <cmath>

#include "perrin/cpp/parameterization.hpp"

namespace perrin::parameterizations {

// E x_t^2 for data and noise of unit variance; exactly 1 on a variance-preserving schedule, whatever its rounding.
inline double variance(const perrin_time& at) {
  const double v = at.alpha * at.alpha + at.sigma * at.sigma;
  return std::abs(v - 1) < 1e-12 ? 1 : v;
}

// The network's input has unit variance (1 on a variance-preserving schedule; c_in of 2206.00364 Table 1 otherwise).
inline double c_in(const perrin_time& at) { return 1 / std::sqrt(variance(at)); }

}  // namespace perrin::parameterizations
