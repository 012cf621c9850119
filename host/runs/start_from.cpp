#include "host/runs/start_from.hpp"

#include <algorithm>

#include "host/base/error.hpp"
#include "host/model/tensor_file.hpp"
#include "host/runs/checkpoint.hpp"
#include "host/services/status.hpp"

namespace perrin::runs {
namespace {

namespace fs = std::filesystem;

// "conditioner.clip-text" -> "conditioner".
std::string kind_of(const std::string& group) { return group.substr(0, group.find('.')); }

// The groups of parameters that are to be filled. Losses stay with their stage.
std::vector<std::string> groups_of(const model::Model& model, const config::Stage& stage,
                                   const store::SafeTensors& held) {
  std::vector<std::string> groups;
  for (const model::ParameterGroup& group : model.parameters.groups()) {
    const std::string kind = kind_of(group.kind);
    if (kind == "loss" || group.parameters.empty()) continue;
    const bool asked = std::ranges::count(stage.take, kind == "latent" ? "encoder" : kind) > 0;
    const bool present =
        std::ranges::any_of(held.names(), [&](const std::string& name) { return name.starts_with(group.kind + "."); });
    if (kind == "latent" && (!present || model.experiment.latent.scale_factor > 0)) continue;
    if (stage.take.empty() ? present : asked) groups.push_back(group.kind);
  }
  return groups;
}

template <class F>
auto at_from(const config::Loaded& loaded, const config::Stage& stage, F&& f) {
  try {
    return f();
  } catch (const config::Diagnostics&) {
    throw;
  } catch (const Error& error) {
    const std::string where = error.where.empty() ? "" : " (" + error.where + ")";
    throw loaded.error(stage.table.place("from"), "\"from\": " + std::string(error.what()) + where, error.fix);
  }
}

}  // namespace

fs::path checkpoint_named(const model::Model& model, const config::Loaded& loaded, const config::Stage& stage) {
  return at_from(loaded, stage, [&] { return checkpoint_at(model.find(stage.from)); });
}

void check_from(const model::Model& model, const config::Loaded& loaded, const config::Stage& stage) {
  if (stage.from.empty()) return;
  const fs::path file = checkpoint_named(model, loaded, stage);
  at_from(loaded, stage, [&] {
    const store::SafeTensors held = open_checkpoint(file);
    const std::vector<std::string> groups = groups_of(model, stage, held);
    if (groups.empty())
      throw Error("the checkpoint has no component of this experiment", file.string(), "name a run that trained one");
    for_each_averaged(held, model.parameters, groups, file, [](const model::Parameter&, const at::Tensor&) {});
  });
}

void take_from(model::Model& model, const config::Loaded& loaded, const config::Stage& stage) {
  const fs::path file = checkpoint_named(model, loaded, stage);
  at_from(loaded, stage, [&] {
    const store::SafeTensors held = open_checkpoint(file);
    for_each_averaged(
        held, model.parameters, groups_of(model, stage, held), file,
        [&](const model::Parameter& p, const at::Tensor& value) { model::fill(model.parameters, p, value); });
    const bool told = stage.take.empty() || std::ranges::count(stage.take, "conditioner") > 0;
    if (told) load_held_states(held, model.fitted(), file);
  });
}

}  // namespace perrin::runs
