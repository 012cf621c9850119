// The operators' implementations, between ops.cpp and the *_op.cpp files.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace perrin::kernels {

at::Tensor group_norm_silu(const at::Tensor& x, int64_t groups, const std::optional<at::Tensor>& weight,
                           const std::optional<at::Tensor>& bias, const std::optional<at::Tensor>& scale,
                           const std::optional<at::Tensor>& shift, double eps, bool silu);

at::Tensor conv2d(const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias, int64_t stride,
                  int64_t padding);

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, std::optional<double> scale);

}  // namespace perrin::kernels
