// One Brownian motion for each sample, a function of the noise level: what solvers of stochastic differential equations
// take their noise from.
//
// Its time is the SNR. With y = x / alpha and s = sigma / alpha, the reverse equation of any alpha, sigma has for
// constant D the step y' - D = (s' / s)^2 (y - D) + s' sqrt(1 - (s' / s)^2) z (dpm++sde at eta 1; the posterior of
// 2006.11239). Divided by s'^2: (y - D) / s^2 grows by sqrt(1 / s'^2 - 1 / s^2) z. So it is a Brownian motion W in time
// 1 / s^2 = alpha^2 / sigma^2, and with increments of this W two steps add exactly the noise of the one step across
// both. Solvers of other weights see the same path up to their own error, for over a short step any two smooth times
// differ by a factor.
#pragma once

#include <ATen/core/Tensor.h>
#include <perrin/kind/schedule.h>

#include <cstdint>
#include <map>
#include <vector>

namespace perrin::sample {

class Brownian {
 public:
  // sizes: [B, ...]; row b is sample samples[b]'s path.
  Brownian(uint64_t seed, const std::vector<uint64_t>& samples, const std::vector<int64_t>& sizes);

  // (W(to) - W(from)) / sqrt|SNR(to) - SNR(from)|, N(0, 1) per element, [B, ...] float32 on the CPU. Log SNR is rounded
  // to a grid of 2^20 points on [-32, 32] and what lies beyond counts as its end, so that normality and independence
  // over disjoint intervals are exact. A function of (seed, sample, the two levels): not of the batch, nor of what was
  // asked before. Throws Error where both levels round to one point.
  at::Tensor increment(const perrin_time& from, const perrin_time& to);

 private:
  at::Tensor at(int64_t point) const;

  uint64_t seed_;
  std::vector<uint64_t> samples_;
  std::vector<int64_t> sizes_;
  std::map<int64_t, at::Tensor> known_;  // W where the latest increment began and ended, on the CPU; W is 0 at point 0
};

}  // namespace perrin::sample
