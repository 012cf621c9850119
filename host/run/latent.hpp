// The space where diffusion runs: the encoder's z less the shift factor, times the scale factor.
#pragma once

#include <ATen/core/Tensor.h>

#include "host/run/model.hpp"

namespace perrin::run {

// Statistics of the data's z, kept in checkpoints under "latent.": scale [1], 0 until it is given or measured; mean and
// deviation of each channel [C], of z as the encoder gives it, NaN until measured. For Model::build_parameters.
void add_latent_buffers(Model& model);

// The factor that is in force. Throws Error before it is known.
double latent_scale(const Model& model);

// The encoder's z -> where diffusion runs: scale (z - shift).
at::Tensor to_latent(const Model& model, const at::Tensor& z);

// x: [B, ...] in [-1, 1] -> scale (z - shift) [B, ...], float32, without a graph; the encoder evaluates. And back.
at::Tensor encode_latent(Model& model, const perrin_call& call, const at::Tensor& x);
at::Tensor decode_latent(Model& model, const perrin_call& call, const at::Tensor& z);

// The same statistics as JSON, for the files of `perrin weights export`; empty before the scale is known. Taken up again
// unless [encoder] scale_factor is given. Throws Error for text that is none.
std::string latent_statistics(const Model& model);
void set_latent_statistics(Model& model, const std::string& json);

// Measures mean and deviation over the dataset's first samples, at most `most`, and with scale_factor = 0 sets scale = 1 /
// deviation of all elements; does nothing where that is known. Not augmented; a function of encoder and data alone.
void measure_latent(Model& model, int64_t batch_size, uint64_t most = 8192);

}  // namespace perrin::run
