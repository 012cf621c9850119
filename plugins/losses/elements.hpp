// Sums and means of each sample's elements.
#pragma once

#include <ATen/ops/mean.h>
#include <ATen/ops/sum.h>

#include <numeric>
#include <vector>

namespace perrin::losses {

// 1 .. rank - 1: all dimensions but the batch's.
inline std::vector<int64_t> elements(const at::Tensor& x) {
  std::vector<int64_t> dims(static_cast<size_t>(x.dim() - 1));
  std::iota(dims.begin(), dims.end(), int64_t{1});
  return dims;
}

// [B, ...] -> [B]
inline at::Tensor mean_of_elements(const at::Tensor& x) { return x.dim() == 1 ? x : at::mean(x, elements(x)); }
inline at::Tensor sum_of_elements(const at::Tensor& x) { return x.dim() == 1 ? x : at::sum(x, elements(x)); }

}  // namespace perrin::losses
