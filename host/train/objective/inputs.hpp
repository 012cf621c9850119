// What the losses of a stage need, and whether the stage has it.
#pragma once

#include <vector>

#include "host/train/objective/terms.hpp"
#include "host/train/stage.hpp"

namespace perrin::train {

// Throws Diagnostics, at the loss, for an input that this composition does not have in this stage.
void check_inputs(const model::Model& model, const config::Loaded& loaded, const config::Stage& stage,
                  const config::Loss& loss, const services::Component& component);

// The shapes of a term's inputs without the batch dimension, of those that have one before training.
std::vector<perrin_spec> input_shapes(const model::Model& model, const config::Stage& stage,
                                      const services::Component& component);

}  // namespace perrin::train
