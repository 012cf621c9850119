// Averages of the weights over training: what they forget per step, and which of them make one of another width.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "host/config/experiment.hpp"

namespace perrin::train {

// min(decay, (1 + step) / (10 + step)): the average forgets the first, useless weights.
double ema_decay(double decay, int64_t step);

// Power-function averages (2312.02696, section 3.1): after step t, weights of step tau count as tau^gamma.
// gamma of the relative width sigma_rel, the standard deviation of that profile over t: the largest root of
// gamma^3 + 7 gamma^2 + (16 - sigma_rel^-2) gamma + 12 - sigma_rel^-2 = 0 (Eq. 126). 0 < sigma_rel <= 0.28.
double power_gamma(double sigma_rel);

// beta of step 1, 2, ...: (1 - 1 / step)^(gamma + 1) (Eq. 127).
double power_decay(double gamma, int64_t step);

struct Profile {
  double sigma_rel = 0;
  double time = 0;  // steps
};

// How much each of the averages `held` counts in the average `wanted`: the least squares of appendix C.3 between the
// profiles, scaled to sum 1. Throws Error if two are the same.
std::vector<double> reconstruction(std::span<const Profile> held, const Profile& wanted);

// The averages that a stage keeps, the first for sampling; none with ema_decay = 0.
class Averages {
 public:
  // They start at the present values. [count] flat
  Averages(const config::Stage& stage, const at::Tensor& values);

  const std::vector<at::Tensor>& flat() const { return flat_; }
  double decay(size_t index, int64_t step) const;
  const std::vector<double>& sigma_rel() const { return sigma_rel_; }  // of each; empty unless ema = "power"

  // What stands before a parameter's name in files: "ema.", "ema2.", ...
  static std::string prefix(size_t index);

 private:
  std::vector<at::Tensor> flat_;
  std::vector<double> sigma_rel_, gamma_;
  double decay_ = 0;
  bool warm_up_ = false;
};

}  // namespace perrin::train
