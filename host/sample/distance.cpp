#include "host/sample/distance.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/maximum.h>

#include <algorithm>
#include <cmath>

#include "host/base/error.hpp"

namespace perrin::sample {
namespace {

// Of one sample's n elements. The order of the arguments of max lets a NaN through.
double row_distance(const float* x, const float* y, const float* previous, int64_t n, double absolute,
                    double relative) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double size = std::max(std::abs(double(previous[i])), std::abs(double(x[i])));
    const double error = (double(x[i]) - double(y[i])) / std::max(relative * size, absolute);
    sum += error * error;
  }
  return std::sqrt(sum / static_cast<double>(n));
}

at::Tensor plain(const at::Tensor& x) { return x.to(at::kFloat).contiguous(); }

}  // namespace

double distance(const at::Tensor& x, const at::Tensor& y, const at::Tensor& previous, double absolute,
                double relative) {
  if (x.sizes() != y.sizes() || x.sizes() != previous.sizes())
    throw Error("distance got tensors of different shapes", "sampler", "report it to the plugin's author");
  if (!x.is_cpu()) return distance_reference(x, y, previous, absolute, relative);
  const at::Tensor a = plain(x), b = plain(y), p = plain(previous);
  const int64_t n = a.numel() / a.size(0);
  double worst = 0;
  for (int64_t row = 0; row < a.size(0) && !std::isnan(worst); ++row) {
    const int64_t at = row * n;
    const double own = row_distance(a.const_data_ptr<float>() + at, b.const_data_ptr<float>() + at,
                                    p.const_data_ptr<float>() + at, n, absolute, relative);
    if (!(own <= worst)) worst = own;
  }
  return worst;
}

double distance_reference(const at::Tensor& x, const at::Tensor& y, const at::Tensor& previous, double absolute,
                          double relative) {
  const at::Tensor a = x.to(at::kDouble), b = y.to(at::kDouble), p = previous.to(at::kDouble);
  const at::Tensor tolerance = (at::maximum(a.abs(), p.abs()) * relative).clamp_min(absolute);
  return ((a - b) / tolerance).flatten(1).square().mean(1).sqrt().max().item<double>();
}

}  // namespace perrin::sample
