// A stage that starts from another run's weights: stage.from.
#pragma once

#include "host/model/model.hpp"

namespace perrin::runs {

// The checkpoint that stage.from names: of a run's folder the newest. Found as perrin.artifact/1 finds files. Throws
// Diagnostics, at the key.
std::filesystem::path checkpoint_named(const model::Model& model, const config::Loaded& loaded,
                                       const config::Stage& stage);

// Throws Diagnostics, at the key, where the checkpoint does not fit: with the tensor and both shapes.
void check_from(const model::Model& model, const config::Loaded& loaded, const config::Stage& stage);

// Fills the components that stage.take names, or all that both have, with the checkpoint's averaged weights; with the
// encoder its latent statistics, unless the experiment gives the scale factor.
void take_from(model::Model& model, const config::Loaded& loaded, const config::Stage& stage);

}  // namespace perrin::runs
