// A run's trained model, for the commands that sample from it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "host/loader/registry.hpp"
#include "host/model/model.hpp"
#include "host/runs/folder.hpp"

namespace perrin::app {

// An experiment, for what follows. Throws Error for one without a denoiser, of which nothing can be sampled.
config::Loaded load_diffusion(const std::filesystem::path& experiment);

// The override with which the run samples by another sampler, its own keys at their defaults, on the same levels:
// sampler={use="heun", steps=20, ...}.
std::string another_sampler(const std::string& use, const config::Sampling& sampling);

// Which weights of a run.
struct Weights {
  std::filesystem::path checkpoint;     // its averaged weights; empty: of the newest that verifies
  std::string loss;                     // the group of a loss, which is otherwise not filled; others change nothing
  std::optional<double> ema_sigma_rel;  // instead: the average of this relative width, from the run's snapshots
};

// Allocates the parameters, those of `losses` too, and fills them; loads the guidance's other model. The checkpoint
// that the weights are of; of an average from snapshots: empty. Throws Error.
std::filesystem::path take_weights(model::Model& model, const runs::Folder& folder, loader::Registry& registry,
                                   const Weights& weights = {}, const model::NamedComponents& losses = {});

// The same of an experiment that was never trained: each component's parameters are those of its key `weights`. Throws
// Error that names the components which lack it, conditioners only if `conditioned`, and for a latent's scale that
// nothing gives.
void take_given(model::Model& model, const config::Loaded& loaded, loader::Registry& registry, bool conditioned);

}  // namespace perrin::app
