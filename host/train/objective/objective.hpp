// One forward pass of training: from a batch to the loss, in whatever task the stage has.
#pragma once

#include "host/data/samples.hpp"
#include "host/train/objective/draw.hpp"
#include "host/train/objective/terms.hpp"

namespace perrin::train {

// The loss of one batch in the stage's task; terms that have not started are left out. `drawn`, unless null, is filled
// where diffusion is trained. Autocast is the caller's.
Objective objective(model::Model& model, const data::Batch& batch, std::vector<LossTerm>& terms, const StageStep& at,
                    Draw* drawn = nullptr);

// Shows a batch's times and unweighted first losses to a timestep law that follows the loss.
void observe(model::Model& model, const Draw& draw, const Objective& objective);

}  // namespace perrin::train
