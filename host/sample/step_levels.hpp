// Where samplers step, as lists of numbers: noise levels sigma / alpha between two ends, and quantiles of time.
#pragma once

#include <cstdint>
#include <vector>

namespace perrin::sample {

// Both ends included, the noisiest first; a list of one has the noisiest alone. REQUIRES: n >= 1, 0 < low < high.
struct NoiseRange {
  double low = 0, high = 0;
};

// sigma^(1 / rho) in equal steps (2206.00364 Eq. 5). REQUIRES: rho > 0.
std::vector<double> karras_levels(int64_t n, NoiseRange range, double rho);

// log sigma in equal steps.
std::vector<double> exponential_levels(int64_t n, NoiseRange range);

// Align Your Steps (2404.14507 Table 3): the first n of n + 1 levels between the ends of the list that was optimised
// for the nearest range, interpolated in log sigma as its authors do. The list's ends are put on `range`'s own.
std::vector<double> ays_levels(int64_t n, NoiseRange range);

// The same from the list for Stable Diffusion XL, whatever the range.
std::vector<double> ays_sdxl_levels(int64_t n, NoiseRange range);

// n fractions of the schedule's time, falling from 1: the quantiles 1, 1 - 1/n, ... 1/n of Beta(0.6, 0.6) (2407.12173).
std::vector<double> beta_quantiles(int64_t n);

}  // namespace perrin::sample
