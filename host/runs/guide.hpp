// The second model of guidance with PERRIN_BRANCH_GUIDE, another run's or an earlier state of the same, or with
// PERRIN_BRANCH_CLASSIFIER, a classifier's.
#pragma once

#include <filesystem>
#include <functional>

#include "host/model/model.hpp"

namespace perrin::runs {

// Fills model.guide if the guidance has perrin.guide-model/1: that run's own experiment, as `load` reads it, with the
// averaged weights of the checkpoint named, or of its newest. Throws Error if there is none or its shapes do not fit.
void load_guide(model::Model& model, loader::Registry& registry,
                const std::function<config::Loaded(const std::filesystem::path& experiment)>& load);

}  // namespace perrin::runs
