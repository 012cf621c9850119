#include "host/sample/brownian.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <perrin/host/rng.h>

#include <algorithm>
#include <cmath>

#include "host/base/error.hpp"
#include "host/kernels/bridge.hpp"
#include "host/kernels/ops.hpp"
#include "host/kernels/tensors.hpp"
#include "host/model/time_table.hpp"
#include "host/services/status.hpp"
#include "host/services/tensor.hpp"

namespace perrin::sample {
namespace {

constexpr double kReach = 32;            // of log SNR, to both sides
constexpr int64_t kPoints = 1 << 20;     // the grid's intervals
constexpr uint32_t kNodes = 0x80000000;  // samplers number their own draws from 0

double log_snr_of(int64_t point) {
  return 2 * kReach / static_cast<double>(kPoints) * static_cast<double>(point) - kReach;
}

int64_t point_of(const perrin_time& at) {
  const double position = (std::clamp(model::log_snr(at), -kReach, kReach) + kReach) / (2 * kReach);
  return std::llrint(position * static_cast<double>(kPoints));
}

// SNR(b) - SNR(a) for a <= b.
double duration(int64_t a, int64_t b) { return -std::exp(log_snr_of(b)) * std::expm1(log_snr_of(a) - log_snr_of(b)); }

// W(middle) given W(left) and W(right): normal, the mean on the chord, variance (m - l) (r - m) / (r - l) in time. The
// last point has nothing to its right.
kernels::Halving halving(uint64_t seed, int64_t left, int64_t middle, int64_t right) {
  kernels::Halving h;
  h.stream = {seed, PERRIN_PURPOSE_SAMPLER, kNodes + static_cast<uint32_t>(middle)};
  const double before = duration(left, middle), after = duration(middle, right), all = before + after;
  h.deviation = static_cast<float>(std::sqrt(middle == right ? all : before * (after / all)));
  if (middle == right) return h;
  h.of_right = static_cast<float>(before / all), h.of_left = static_cast<float>(after / all);
  return h;
}

}  // namespace

Brownian::Brownian(uint64_t seed, const std::vector<uint64_t>& samples, const std::vector<int64_t>& sizes)
    : seed_(seed), samples_(samples), sizes_(sizes) {}

at::Tensor Brownian::increment(const perrin_time& from, const perrin_time& to) {
  for (const perrin_time& at : {from, to})
    if (!(at.alpha >= 0 && at.sigma >= 0 && at.alpha + at.sigma > 0 && std::isfinite(at.alpha) && std::isfinite(at.sigma)))
      throw services::Fault(PERRIN_INVALID_DATA, "the Brownian motion was asked at a level that there is not: alpha " +
                                                     std::to_string(at.alpha) + ", sigma " + std::to_string(at.sigma));
  const int64_t a = point_of(from), b = point_of(to);
  if (a == b) {
    throw Error("the Brownian motion was asked between two levels of log SNR " + std::to_string(model::log_snr(from)) +
                    " and " + std::to_string(model::log_snr(to)) + ", which are less than 6e-5 apart or both beyond 32",
                "sampler", "take fewer or wider steps");
  }
  known_ = {{a, at(a)}, {b, at(b)}};
  const double scale = 1 / std::sqrt(duration(std::min(a, b), std::max(a, b)));
  const std::vector<at::Tensor> W = {known_.at(std::max(a, b)), known_.at(std::min(a, b))};
  const std::vector<double> signs = {a < b ? scale : -scale, a < b ? -scale : scale};
  return kernels::lincomb(W, signs);
}

// W at a point: halving from the ends of the grid (Levy's construction), each halving with a normal of its own.
at::Tensor Brownian::at(int64_t point) const {
  if (point == 0) return at::zeros(sizes_, at::kFloat);
  if (const auto found = known_.find(point); found != known_.end()) return found->second;
  std::vector<kernels::Halving> halvings = {halving(seed_, 0, kPoints, kPoints)};
  for (int64_t left = 0, right = kPoints; right != point;) {
    const int64_t middle = (left + right) / 2;
    halvings.push_back(halving(seed_, left, middle, right));
    halvings.back().becomes_left = point > middle;
    (point <= middle ? right : left) = middle;
  }
  at::Tensor W = at::empty(sizes_, at::kFloat);
  kernels::bridge(halvings, samples_, {W.mutable_data_ptr<float>(), static_cast<size_t>(W.numel())},
                  kernels::torch_threads());
  return W;
}

}  // namespace perrin::sample
