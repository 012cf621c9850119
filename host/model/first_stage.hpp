// The first stage: pixels to latents and back.
#pragma once

#include <span>
#include <string>

#include "host/model/model.hpp"

namespace perrin::model {

// What the encoder gives beside z in training; none without perrin.encoder-training/1.
std::span<const perrin_encoder_output> encoder_outputs(const Model& model);

// The name, within the encoder, of the weight of the decoder's last layer; empty if it names none.
std::string last_layer_of(const Model& model);

// The encoder in evaluation, without a graph and without the latent's scale: x [B, ...] -> z [B, ...] float32, and
// back.
at::Tensor encode(Model& model, perrin_call call, const at::Tensor& x);
at::Tensor decode(Model& model, perrin_call call, const at::Tensor& z);

}  // namespace perrin::model
