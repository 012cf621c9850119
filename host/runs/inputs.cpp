#include "host/runs/inputs.hpp"

#include <algorithm>
#include <filesystem>
#include <ranges>

#include "host/runs/checkpoint.hpp"
#include "host/runs/folder.hpp"
#include "host/runs/start_from.hpp"
#include "host/services/status.hpp"

namespace perrin::runs {
namespace {

namespace fs = std::filesystem;

// A file that a component found, or a run of which it takes the newest weights. Of another folder nothing is known.
void add_artifact(data::Declared& declared, const services::Artifact& artifact) {
  std::error_code none;
  if (fs::is_regular_file(artifact.path, none)) return declared.add(artifact.name, artifact.path);
  const Folder run{artifact.path};
  if (!fs::exists(run.experiment(), none)) return;
  declared.add(artifact.name + "/experiment.toml", run.experiment());
  if (const auto newest = newest_checkpoint(run.checkpoints(), nullptr))
    declared.add(artifact.name + "/" + newest->file.filename().string(), newest->file);
}

// Of a dataset that says what it reads, and of stages, which are asked for below.
bool is_told_already(const model::Model& model, const data::InputFiles& inputs, const services::Artifact& artifact) {
  const auto starts_from_it = [&](const config::Stage& stage) { return stage.from == artifact.name; };
  if (artifact.component.empty()) return std::ranges::any_of(model.experiment.stages, starts_from_it);
  return inputs.dataset_known && artifact.component == model.dataset.id();
}

}  // namespace

data::InputFiles read_inputs(model::Model& model, const model::NamedComponents& losses, const config::Loaded& loaded,
                             size_t first_stage, const std::function<void(uint64_t, uint64_t)>& progress) {
  data::InputFiles inputs;
  std::vector<data::Declared> all;
  inputs.dataset_known = data::declare(model.dataset, all);
  for (const auto& parts : {model.trainable(), losses})
    for (const auto& [name, component] : parts) data::declare(*component, all);
  for (const services::Component* component : {&model.schedule, &model.timesteps, &model.sampler, &model.guidance})
    data::declare(*component, all);
  for (const services::Artifact& artifact : model.session->artifacts())
    if (!is_told_already(model, inputs, artifact)) add_artifact(data::of_component(all, artifact.component), artifact);
  for (const config::Stage& stage : loaded.experiment.stages | std::views::drop(first_stage))
    if (!stage.from.empty())
      data::of_component(all, data::kStage + stage.name).add(stage.from, checkpoint_named(model, loaded, stage));
  inputs.all = data::read(all, *model.session, progress);
  return inputs;
}

}  // namespace perrin::runs
