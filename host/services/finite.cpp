#include "host/services/finite.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/isfinite.h>

#include <bit>

namespace perrin::services {

// An exponent of ones is NaN or infinity; branch-free, so that the compiler makes it as fast as memory.
bool all_finite(const float* x, int64_t n) {
  uint32_t bad = 0;
  for (int64_t i = 0; i < n; ++i) bad |= (std::bit_cast<uint32_t>(x[i]) & 0x7f80'0000u) == 0x7f80'0000u;
  return bad == 0;
}

bool all_finite(const at::Tensor& x) {
  if (!at::isFloatingType(x.scalar_type()) || x.numel() == 0) return true;
  if (x.device().is_cpu() && x.scalar_type() == at::kFloat && x.is_non_overlapping_and_dense())
    return all_finite(x.const_data_ptr<float>(), x.numel());
  const at::NoGradGuard no_grad;
  if (at::isFloat8Type(x.scalar_type())) return all_finite(x.detach().to(at::kFloat));  // isfinite does not know them
  return at::isfinite(x.detach()).all().item<bool>();
}

std::string count_not_finite(const at::Tensor& x) {
  const at::NoGradGuard no_grad;
  const int64_t finite = at::isfinite(x.detach()).sum().item<int64_t>();
  return std::to_string(x.numel() - finite) + " of " + std::to_string(x.numel()) + " values are NaN or infinite";
}

}  // namespace perrin::services
