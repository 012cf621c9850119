// One forward pass of training a first stage: data, latent, reconstruction.
#pragma once

#include <span>
#include <string>

#include "host/run/objective.hpp"

namespace perrin::run {

// What the encoder gives beside z in training; none without perrin.encoder-training/1.
std::span<const perrin_encoder_output> encoder_outputs(const Model& model);

// The name, within the encoder, of the weight of the decoder's last layer; empty if it names none.
std::string last_layer_of(const Model& model);

// The encoder in evaluation, without a graph and without the latent's scale: x [B, ...] -> z [B, ...] float32, and back.
at::Tensor encode(Model& model, perrin_call call, const at::Tensor& x);
at::Tensor decode(Model& model, perrin_call call, const at::Tensor& z);

// The terms of the stage, then those of the encoder's own.
Objective first_stage_objective(Model& model, const Batch& batch, std::vector<LossTerm>& terms, const StageStep& at);

}  // namespace perrin::run
