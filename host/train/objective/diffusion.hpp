// One forward pass of training diffusion: data, noise, the network's word.
#pragma once

#include <string_view>
#include <vector>

#include "host/data/samples.hpp"
#include "host/train/objective/draw.hpp"
#include "host/train/objective/given.hpp"
#include "host/train/objective/terms.hpp"
#include "host/train/stage.hpp"

namespace perrin::train {

Known known_in_diffusion(const model::Model& model, std::string_view name);

// What a forward pass has computed, for losses. All are borrowed.
struct DiffusionPass {
  const model::Model& model;
  const data::Batch& batch;
  const Draw& draw;
  const at::Tensor& x0;       // [B, ...] where diffusion runs
  const at::Tensor& network;  // [B, ...] what the denoiser said
  const at::Tensor& total;    // of the terms so far; undefined before the first

  // Undefined for a name that the composition does not have.
  at::Tensor operator[](std::string_view name) const;
};

// `drawn` is filled.
Objective diffusion_objective(model::Model& model, const data::Batch& batch, std::vector<LossTerm>& terms,
                              const StageStep& at, Draw& drawn);

}  // namespace perrin::train
