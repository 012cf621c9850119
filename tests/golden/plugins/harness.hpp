// The harness of diffusers' scheduler tests (tests/schedulers/test_schedulers.py), in float32.
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "tests/unit/plugins_a/components.hpp"
#include "tests/unit/plugins_a/sampling.hpp"

namespace perrin::testing {

// arange(768) / 768 as (3, 8, 8, 4), permuted to (4, 3, 8, 8).
at::Tensor dummy_sample();
// The same counted backwards.
at::Tensor dummy_noise();
// model(x, t) = x t / (t + 1)
at::Tensor dummy_model(const at::Tensor& x, double t);

// D of the dummy model's output under a parameterization; `clip` to [-1, 1] as diffusers' clip_sample.
at::Tensor dummy_denoised(const services::Component& parameterization, const at::Tensor& x, const perrin_time& at,
                          bool clip);

// torch.manual_seed(0), then one contiguous randn a draw.
class PeerNoise {
 public:
  PeerNoise();
  at::Tensor operator()(uint32_t draw, const at::Tensor& like);

 private:
  at::Generator generator_;
};

double sum_abs(const at::Tensor& x);

}  // namespace perrin::testing
