#include "host/app/trained.hpp"

#include <iostream>

#include "host/app/session.hpp"
#include "host/base/error.hpp"
#include "host/run/checkpoint.hpp"
#include "host/run/given_weights.hpp"
#include "host/run/latent.hpp"
#include "host/run/snapshots.hpp"
#include "host/sample/guide.hpp"

namespace perrin::app {
namespace {

namespace fs = std::filesystem;

fs::path newest_of(const run::Folder& folder) {
  std::vector<std::string> rejected;
  const auto found = run::newest_checkpoint(folder.checkpoints(), &rejected);
  for (const std::string& line : rejected) std::cerr << "warning: skipped a checkpoint: " << line << "\n";
  if (!found)
    throw Error("the run has no usable checkpoint yet", folder.checkpoints().string(), "train it further first");
  return found->file;
}

}  // namespace

config::Loaded load_diffusion(const fs::path& experiment) {
  config::Loaded loaded = load_experiment(experiment, {});
  if (loaded.experiment.denoiser.use.empty())
    throw Error("the run has no denoiser: there is nothing to sample from", experiment.string(),
                "name a run with a stage that trains diffusion");
  return loaded;
}

std::string another_sampler(const std::string& use, const config::Sampling& sampling) {
  std::string table = "use=" + config::to_toml(std::string_view(use));
  for (const auto& [key, value] : sampling.table.values) table += ", " + key + "=" + config::to_toml(value);
  return "sampler={" + table + "}";
}

void take_weights(run::Model& model, const run::Folder& folder, loader::Registry& registry, const Weights& weights) {
  for (const config::Component* part : model.experiment.components())
    if (const auto at = part->where.find("weights");
        part->kind != "loss" && at != part->where.end() && at->second.file != folder.experiment().string())
      throw Error("[" + part->kind + "] weights is given, and the run has weights of its own", folder.path.string(),
                  "set it in a copy of the run's experiment.toml and `perrin sample` that file", Exit::usage);
  model.build_parameters();
  if (weights.ema_sigma_rel) {
    run::load_reconstructed(folder.path / run::kSnapshots, *weights.ema_sigma_rel, model.parameters);
  } else {
    const fs::path file = weights.checkpoint.empty() ? newest_of(folder) : weights.checkpoint;
    run::load_averaged(file, model.parameters, model.fitted());
    if (weights.loss.starts_with("loss."))
      run::for_each_averaged(run::open_checkpoint(file), model.parameters, {weights.loss}, file,
                             [&](const auto& p, const at::Tensor& value) { fill(model.parameters, p, value); });
  }
  model.parameters.bind_values();
  if (model.diffuses()) sample::load_guide(model, registry, load_other);
}

void take_given(run::Model& model, const config::Loaded& loaded, loader::Registry& registry, bool conditioned) {
  model.build_parameters();
  run::give_weights(model, loaded);
  run::check_given(model, conditioned);
  run::latent_scale(model);
  sample::load_guide(model, registry, load_other);
}

}  // namespace perrin::app
