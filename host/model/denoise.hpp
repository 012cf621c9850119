// The denoiser's forward pass.
#pragma once

#include "host/model/conditioning.hpp"

namespace perrin::model {

// An image in the memory order of networks, [B, C, H, W] channels-last; other data as they are.
at::Tensor channels_last(const at::Tensor& x);

// F(input, c_noise, conditioning).
at::Tensor predict(Model& model, const perrin_call& call, const at::Tensor& input,
                   const std::vector<perrin_coefficients>& coefficients, const perrin_conditioning* conditioning);

}  // namespace perrin::model
