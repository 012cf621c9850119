// An order of n equal parts of the schedule.
#pragma once

#include <cmath>
#include <cstdint>
#include <numeric>

namespace perrin::timesteps {

// Visits the parts 0 .. n - 1 once each in n consecutive positions, any few in a row far apart.
class Strata {
 public:
  explicit Strata(uint64_t n)
      : n_(n), stride_(static_cast<uint64_t>(std::llround(0.6180339887498949 * static_cast<double>(n)))) {
    while (std::gcd(stride_, n_) != 1) ++stride_;
  }
  uint64_t size() const { return n_; }
  uint64_t at(uint64_t sample) const { return sample % n_ * stride_ % n_; }

 private:
  uint64_t n_, stride_;  // the stride: near 0.618 n and coprime to n
};

}  // namespace perrin::timesteps
