// The normal distribution, for laws that transform it.
#pragma once

#include <cmath>

namespace perrin::timesteps {

inline double normal_cdf(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

// z with normal_cdf(z) = p, by bisection to the last bit; p in [0, 1], whose ends give a z beyond any level.
inline double normal_quantile(double p) {
  double low = -40, high = 40;
  for (int i = 0; i < 64; ++i) {
    const double middle = (low + high) / 2;
    (normal_cdf(middle) < p ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace perrin::timesteps
