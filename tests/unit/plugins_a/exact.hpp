// A gaussian-mixture's exact denoiser as the D of a test's sampling.
#pragma once

#include <ATen/core/Tensor.h>

#include "tests/unit/plugins_a/components.hpp"

namespace perrin::testing {

// E[x_0 | x] of each row of x, [B, size] float64.
at::Tensor exact_denoised(const services::Component& mixture, const at::Tensor& x, const perrin_time& at);

// Standard normal, [n, size] float64, of the host's rng with this seed.
at::Tensor start(int64_t n, int64_t size, uint64_t seed);

}  // namespace perrin::testing
