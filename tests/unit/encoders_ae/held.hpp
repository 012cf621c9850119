// First stages as tests and benchmarks hold them: made with the defaults of their schema, bound, called.
#pragma once

#include "tests/unit/plugins_b/bound.hpp"

namespace perrin::testing {

// Of two levels, 8 and 16 channels wide, one residual block each, latents of 2 channels.
Values small_first_stage();
// `values` with those of `more` instead.
Values with(Values values, const Values& more);

// Encoder `id` for x of shape [C, H, W] or [C, T, H, W], its parameters bound. `z` is given the latent's shape.
Bound encoder(const std::string& id, const Values& values, const std::vector<int64_t>& x,
              at::ScalarType dtype = at::kFloat, std::vector<int64_t>* z = nullptr);

// Numbers that an encoder trains, from what it declares: allocates nothing.
int64_t encoder_parameter_count(const std::string& id, const Values& values, const std::vector<int64_t>& x);

// Sample b of a batch stands at position first + b of the run.
at::Tensor encode(const Bound& net, const at::Tensor& x, const When& when = {});
at::Tensor decode(const Bound& net, const at::Tensor& z, const When& when = {});

// What training is given: z, then the outputs.
std::vector<at::Tensor> encode_training(const Bound& net, const at::Tensor& x, const When& when = {});

// decode(encode(x)) as training computes it.
at::Tensor reconstruction(const Bound& net, const at::Tensor& x, const When& when = {});

// `count` pictures [channels, side, side] of smooth waves in [-1, 1], channels-last.
at::Tensor waves(int64_t count, int64_t channels, int64_t side);

// The largest |a - b| over the largest |b|.
double apart(const at::Tensor& a, const at::Tensor& b);

}  // namespace perrin::testing
