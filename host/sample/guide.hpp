// The second model of guidance with PERRIN_BRANCH_GUIDE, another run's or an earlier state of the same, or with
// PERRIN_BRANCH_CLASSIFIER, a classifier's.
#pragma once

#include <filesystem>
#include <functional>

#include "host/run/model.hpp"

namespace perrin::sample {

// Fills model.guide if the guidance has perrin.guide-model/1: that run's own experiment, as `load` reads it, with the
// averaged weights of the checkpoint named, or of its newest. Throws Error if there is none or its shapes do not fit.
void load_guide(run::Model& model, loader::Registry& registry,
                const std::function<config::Loaded(const std::filesystem::path& experiment)>& load);

// Where the guide sees the noise level `at`: its own level of the same log SNR, or the nearest that it has, and the
// factor that takes x from the one to the other.
struct GuideLevel {
  perrin_time at;
  double scale = 1;
};
GuideLevel guide_level(const run::Model& guide, const perrin_time& at);

}  // namespace perrin::sample
