#include "metrics/reconstruction.hpp"

#include <ATen/TensorOperators.h>

namespace perrin::metrics {
namespace {

// [B, ...] -> [B, elements]
at::Tensor rows(const at::Tensor& x) { return x.to(at::kDouble).flatten(1); }

// The values that a picture file keeps, 0 .. 255.
at::Tensor pixels(const at::Tensor& x) { return rows(x).clamp(-1, 1).add(1).mul(127.5).round(); }

// [B] of the mean squared difference.
at::Tensor decibels(double peak, const at::Tensor& mse) { return mse.reciprocal().mul(peak * peak).log10().mul(10); }

}  // namespace

Reconstruction reconstruction(const at::Tensor& x, const at::Tensor& y) {
  const at::Tensor d = rows(x) - rows(y);
  const at::Tensor mse = d.square().mean(1);
  return {d.abs().mean(1), mse, decibels(2, mse), decibels(255, (pixels(x) - pixels(y)).square().mean(1))};
}

}  // namespace perrin::metrics
