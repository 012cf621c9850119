#include "host/sample/brownian.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <perrin/host/rng.h>

#include <algorithm>
#include <cmath>

#include "host/base/error.hpp"
#include "host/kernels/ops.hpp"
#include "host/kernels/tensors.hpp"
#include "host/run/time_table.hpp"
#include "host/services/tensor.hpp"

namespace perrin::sample {
namespace {

constexpr double kReach = 32;            // of log SNR, to both sides
constexpr int64_t kPoints = 1 << 20;     // the grid's intervals
constexpr int64_t kForked = 4096;        // elements of an increment that are worth waking threads for
constexpr uint32_t kNodes = 0x80000000;  // samplers number their own draws from 0

double log_snr_of(int64_t point) {
  return 2 * kReach / static_cast<double>(kPoints) * static_cast<double>(point) - kReach;
}

int64_t point_of(const perrin_time& at) {
  const double position = (std::clamp(run::log_snr(at), -kReach, kReach) + kReach) / (2 * kReach);
  return std::llrint(position * static_cast<double>(kPoints));
}

// SNR(b) - SNR(a) for a <= b.
double duration(int64_t a, int64_t b) { return -std::exp(log_snr_of(b)) * std::expm1(log_snr_of(a) - log_snr_of(b)); }

}  // namespace

Brownian::Brownian(uint64_t seed, const std::vector<uint64_t>& samples, const std::vector<int64_t>& sizes) {
  const int64_t rows = sizes.front(), elements = c10::multiply_integers(sizes);
  const bool threads = services::run_device().is_cpu() && elements >= kForked;
  const int64_t parts = threads ? std::min<int64_t>(rows, at::get_num_threads()) : 1;
  for (int64_t part = 0; part < parts; ++part) {
    const int64_t first = rows * part / parts, last = rows * (part + 1) / parts;
    std::vector<int64_t> own = sizes;
    own.front() = last - first;
    parts_.push_back({seed, {samples.begin() + first, samples.begin() + last}, std::move(own)});
  }
}

at::Tensor Brownian::increment(const perrin_time& from, const perrin_time& to) {
  const int64_t a = point_of(from), b = point_of(to);
  if (a == b) {
    throw Error("the Brownian motion was asked between two levels of log SNR " + std::to_string(run::log_snr(from)) +
                    " and " + std::to_string(run::log_snr(to)) + ", which are less than 6e-5 apart or both beyond 32",
                "sampler", "take fewer or wider steps");
  }
  if (parts_.size() == 1) return parts_.front().increment(a, b);
  std::vector<at::Tensor> increments(parts_.size());
  kernels::torch_threads()(static_cast<int64_t>(parts_.size()), 1, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) increments[size_t(i)] = parts_[size_t(i)].increment(a, b);
  });
  return at::cat(increments);
}

at::Tensor Brownian::Rows::combine(std::vector<at::Tensor> x, std::vector<double> a, double s, int64_t point) const {
  const uint32_t draw = kNodes + static_cast<uint32_t>(point);
  return kernels::lincomb(x, a, s, {{seed, PERRIN_PURPOSE_SAMPLER, draw}, samples});
}

at::Tensor Brownian::Rows::increment(int64_t a, int64_t b) {
  passed.clear();
  const int64_t low = std::min(a, b), high = std::max(a, b);
  const at::Tensor W_low = at(low), W_high = at(high);
  std::erase_if(known, [&](const auto& entry) { return passed.count(entry.first) == 0; });
  const double scale = (a < b ? 1 : -1) / std::sqrt(duration(low, high));
  if (low == 0) return combine({W_high}, {scale}, 0, 0);
  return combine({W_high, W_low}, {scale, -scale}, 0, 0);
}

// W at a point: halving from the ends of the grid (Levy's construction), each halving with a normal of its own.
// Undefined for 0 at point 0.
at::Tensor Brownian::Rows::at(int64_t point) {
  if (point == 0) return {};
  int64_t left = 0, right = kPoints;
  bridge(0, kPoints, kPoints);
  while (right != point) {
    const int64_t middle = (left + right) / 2;
    bridge(left, middle, right);
    (point <= middle ? right : left) = middle;
  }
  return known.at(point);
}

// W(middle) given W(left) and W(right): normal, the mean on the chord, variance (m - l) (r - m) / (r - l) in time. The
// last point has nothing to its right.
at::Tensor Brownian::Rows::bridge(int64_t left, int64_t middle, int64_t right) {
  passed.insert(middle);
  const auto found = known.find(middle);
  if (found != known.end()) return found->second;
  const double before = duration(left, middle), after = duration(middle, right), all = before + after;
  std::vector<at::Tensor> x;
  std::vector<double> a;
  double deviation = std::sqrt(all);
  if (middle != right) {
    x.push_back(known.at(right)), a.push_back(before / all);
    if (left != 0) x.push_back(known.at(left)), a.push_back(after / all);
    deviation = std::sqrt(before * (after / all));
  } else {
    x.push_back(at::zeros(sizes, at::TensorOptions(at::kFloat).device(services::run_device()))), a.push_back(0);
  }
  return known[middle] = combine(std::move(x), std::move(a), deviation, middle);
}

}  // namespace perrin::sample
