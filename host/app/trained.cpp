#include "host/app/trained.hpp"

#include <iostream>

#include "host/app/session.hpp"
#include "host/base/error.hpp"
#include "host/model/given_weights.hpp"
#include "host/model/latent.hpp"
#include "host/model/tensor_file.hpp"
#include "host/runs/checkpoint.hpp"
#include "host/runs/guide.hpp"
#include "host/runs/snapshots.hpp"

namespace perrin::app {
namespace {

namespace fs = std::filesystem;

// Of a run's folder the newest checkpoint that verifies, with a warning for each newer one.
fs::path checkpoint_of(const fs::path& named) {
  std::vector<std::string> rejected;
  fs::path file = runs::checkpoint_at(named, &rejected);
  for (const std::string& line : rejected) std::cerr << "warning: skipped a checkpoint: " << line << "\n";
  return file;
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

fs::path take_weights(model::Model& model, const runs::Folder& folder, loader::Registry& registry,
                      const Weights& weights, const model::NamedComponents& losses) {
  for (const config::Component* part : model.experiment.components())
    if (const auto at = part->where.find("weights");
        part->kind != "loss" && at != part->where.end() && at->second.file != folder.experiment().string())
      throw Error("[" + part->kind + "] weights is given, and the run has weights of its own", folder.path.string(),
                  "set it in a copy of the run's experiment.toml and `perrin sample` that file", Exit::usage);
  model.build_parameters(losses);
  fs::path file;
  if (weights.ema_sigma_rel) {
    runs::load_reconstructed(folder.path / runs::kSnapshots, *weights.ema_sigma_rel, model.parameters);
  } else {
    file = checkpoint_of(weights.checkpoint.empty() ? folder.path : weights.checkpoint);
    runs::load_averaged(file, model.parameters, model.fitted());
    if (weights.loss.starts_with("loss."))
      runs::for_each_averaged(runs::open_checkpoint(file), model.parameters, {weights.loss}, file,
                              [&](const auto& p, const at::Tensor& value) { model::fill(model.parameters, p, value); });
  }
  model.parameters.bind_values();
  if (model.diffuses()) runs::load_guide(model, registry, load_other);
  return file;
}

void take_given(model::Model& model, const config::Loaded& loaded, loader::Registry& registry, bool conditioned) {
  model.build_parameters();
  model::give_weights(model, loaded);
  model::check_given(model, conditioned);
  model::latent_scale(model);
  runs::load_guide(model, registry, load_other);
}

}  // namespace perrin::app
