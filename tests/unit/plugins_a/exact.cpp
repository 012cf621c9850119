#include "tests/unit/plugins_a/exact.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include "host/kernels/random.hpp"
#include "perrin/host/rng.h"

namespace perrin::testing {

at::Tensor exact_denoised(const services::Component& mixture, const at::Tensor& x, const perrin_time& at) {
  const at::Tensor from = x.contiguous(), D = at::empty_like(from);
  mixture.invoke<&perrin_exact_denoiser::posterior_mean>(
      at.alpha, at.sigma, static_cast<uint64_t>(x.size(0)), static_cast<uint64_t>(x.size(1)),
      from.const_data_ptr<double>(), static_cast<const int64_t*>(nullptr), D.mutable_data_ptr<double>());
  return D;
}

at::Tensor start(int64_t n, int64_t size, uint64_t seed) {
  const at::Tensor x = at::empty({n, size}, at::TensorOptions(at::kFloat));
  for (int64_t i = 0; i < n; ++i)
    random::normal({seed, PERRIN_PURPOSE_SAMPLE, 0}, static_cast<uint64_t>(i), 0,
                   {x.mutable_data_ptr<float>() + i * size, static_cast<size_t>(size)});
  return x.to(at::kDouble);
}

}  // namespace perrin::testing
