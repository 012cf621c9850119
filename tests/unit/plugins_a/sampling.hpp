// A test's own side of perrin_sampling: D, noise and noise levels as the test wants them, on real tensors.
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "host/services/component.hpp"

namespace perrin::testing {

struct Sampling {
  std::vector<perrin_time> times;                                           // the noise falling
  std::function<at::Tensor(const at::Tensor& x, const perrin_time& at)> D;  // never null
  std::function<at::Tensor(uint32_t draw, const at::Tensor& like)> noise;   // null: the host's, of seed 0
  std::function<perrin_time(double log_snr)> time_at;                       // null: not offered
  std::vector<double> deviations = {};                                      // out: s of each draw
  std::vector<uint32_t> draws = {};                                         // out: their numbers

  // sample(x) of `sampler`. x: [B, ...]
  at::Tensor run(const services::Component& sampler, const at::Tensor& x);
};

// A variance-preserving level.
perrin_time level_of(double t, double abar);
// The clean end of a step list.
inline constexpr perrin_time clean{-1, 1, 0};

}  // namespace perrin::testing
