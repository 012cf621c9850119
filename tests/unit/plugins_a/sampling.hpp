// A test's own side of perrin_sampling: D, noise and noise levels as the test wants them, on real tensors.
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <vector>

#include "tests/unit/plugins_a/components.hpp"

namespace perrin::testing {

struct Sampling {
  std::vector<perrin_time> times;                                           // the noise falling
  std::function<at::Tensor(const at::Tensor& x, const perrin_time& at)> D;  // never null
  std::function<at::Tensor(uint32_t draw, const at::Tensor& like)> noise;   // null: the host's, of seed 0
  std::function<perrin_time(double log_snr)> time_at;                       // null: not offered
  std::vector<double> deviations = {};                                      // out: s of each draw
  std::vector<uint32_t> draws = {};                                         // out: their numbers
  std::vector<perrin_time> asked = {};                                      // out: where D was called
  std::function<at::Tensor(const perrin_time& from, const perrin_time& to, const at::Tensor& like)> brownian = nullptr;
  std::function<at::Tensor()> variance = nullptr;

  // sample(x) of `sampler`, of an adaptive one sample by sample. x: [B, ...]
  at::Tensor run(const services::Component& sampler, const at::Tensor& x);

  at::Tensor latest = {};  // the x that D was called with last: what brownian's increments are shaped like
};

// One Brownian path per element, exact at every level that is asked for: values between known ones are drawn from the
// bridge, so that any step list, and any number of them one after the other, sees the same path. Its clock is the SNR,
// alpha^2 / sigma^2: see host/sample/brownian.hpp.
class BrownianPath {
 public:
  explicit BrownianPath(uint64_t seed) : seed_(seed) {}
  // The increment from `from` to `to` over its deviation. `like`: [B, size], float64.
  at::Tensor operator()(const perrin_time& from, const perrin_time& to, const at::Tensor& like);

 private:
  const at::Tensor& at(double snr, const at::Tensor& like);

  uint64_t seed_, drawn_ = 0;
  std::map<double, at::Tensor> known_;
};

// The inverse of a discrete variance-preserving schedule's log SNR by linear interpolation, clamped, as a host does it.
std::function<perrin_time(double log_snr)> interpolated(const services::Component& schedule);

// A variance-preserving level.
perrin_time level_of(double t, double abar);
// The clean end of a step list.
inline constexpr perrin_time clean{-1, 1, 0};

}  // namespace perrin::testing
