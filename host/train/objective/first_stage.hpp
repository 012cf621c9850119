// One forward pass of training a first stage: data, latent, reconstruction.
#pragma once

#include <string_view>
#include <vector>

#include "host/data/samples.hpp"
#include "host/train/objective/given.hpp"
#include "host/train/objective/terms.hpp"
#include "host/train/stage.hpp"

namespace perrin::train {

Known known_in_first_stage(const model::Model& model, std::string_view name);

// The terms of the stage, then those of the encoder's own.
Objective first_stage_objective(model::Model& model, const data::Batch& batch, std::vector<LossTerm>& terms,
                                const StageStep& at);

}  // namespace perrin::train
