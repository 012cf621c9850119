// The space where diffusion runs: the encoder's z less the shift factor, times the scale factor.
#pragma once

#include <ATen/core/Tensor.h>

#include "host/model/model.hpp"

namespace perrin::model {

// The factor that is in force. Throws Error before it is known.
double latent_scale(const Model& model);

// The encoder's z -> where diffusion runs: scale (z - shift).
at::Tensor to_latent(const Model& model, const at::Tensor& z);

// x: [B, ...] in [-1, 1] -> scale (z - shift) [B, ...], float32, without a graph; the encoder evaluates. And back.
at::Tensor encode_latent(Model& model, const perrin_call& call, const at::Tensor& x);
at::Tensor decode_latent(Model& model, const perrin_call& call, const at::Tensor& z);

// The same statistics as JSON, for the files of `perrin weights export`; empty before the scale is known. Taken up
// again unless [encoder] scale_factor is given. Throws Error for text that is none.
std::string latent_statistics(const Model& model);
void set_latent_statistics(Model& model, const std::string& json);

}  // namespace perrin::model
