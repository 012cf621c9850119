#include "host/app/trained.hpp"

#include <iostream>

#include "host/app/session.hpp"
#include "host/base/error.hpp"
#include "host/run/checkpoint.hpp"
#include "host/run/snapshots.hpp"
#include "host/sample/guide.hpp"

namespace perrin::app {
namespace {

std::filesystem::path newest_of(const run::Folder& folder) {
  std::vector<std::string> rejected;
  const auto found = run::newest_checkpoint(folder.checkpoints(), &rejected);
  for (const std::string& line : rejected) std::cerr << "warning: skipped a checkpoint: " << line << "\n";
  if (!found)
    throw Error("the run has no usable checkpoint yet", folder.checkpoints().string(), "train it further first");
  return found->file;
}

}  // namespace

config::Loaded load_diffusion(const run::Folder& folder) {
  config::Loaded loaded = load_experiment(folder.experiment(), {});
  if (loaded.experiment.denoiser.use.empty())
    throw Error("the run has no denoiser: there is nothing to sample from", folder.path.string(),
                "name a run with a stage that trains diffusion");
  return loaded;
}

std::string another_sampler(const std::string& use, const config::Sampling& sampling) {
  std::string table = "use=" + config::to_toml(std::string_view(use));
  for (const auto& [key, value] : sampling.table.values) table += ", " + key + "=" + config::to_toml(value);
  return "sampler={" + table + "}";
}

void take_weights(run::Model& model, const run::Folder& folder, loader::Registry& registry, const Weights& weights) {
  model.build_parameters();
  if (weights.ema_sigma_rel)
    run::load_reconstructed(folder.path / run::kSnapshots, *weights.ema_sigma_rel, model.parameters);
  else
    run::load_averaged(weights.checkpoint.empty() ? newest_of(folder) : weights.checkpoint, model.parameters,
                       model.fitted());
  model.parameters.bind_values();
  if (model.diffuses()) sample::load_guide(model, registry, load_other);
}

}  // namespace perrin::app
