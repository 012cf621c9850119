// How far apart two solutions of an adaptive sampler are.
#pragma once

#include <ATen/core/Tensor.h>

namespace perrin::sample {

// The largest over the samples of the root mean square of (x - y) / max(absolute, relative max(|x|, |previous|)), in
// double: [B, ...] each. NaN if any of them is. Throws Error for tensors of different shapes.
double distance(const at::Tensor& x, const at::Tensor& y, const at::Tensor& previous, double absolute, double relative);

// The same of ATen operators: where the data are on another device.
double distance_reference(const at::Tensor& x, const at::Tensor& y, const at::Tensor& previous, double absolute,
                          double relative);

}  // namespace perrin::sample
