// All that a run reads.
#pragma once

#include <functional>

#include "host/data/inputs.hpp"

namespace perrin::runs {

// Of the model, of its losses, of the model that guides it, as their components have declared and found until now (call
// it once they know their shapes), and of what stages from `first_stage` on start from. Contents are hashed as
// file_sums does. `progress` is told bytes read and to be read. Throws Error for files that cannot be read.
data::InputFiles read_inputs(model::Model& model, const model::NamedComponents& losses, const config::Loaded& loaded,
                             size_t first_stage,
                             const std::function<void(uint64_t done, uint64_t total)>& progress = {});

}  // namespace perrin::runs
