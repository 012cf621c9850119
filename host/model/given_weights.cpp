#include "host/model/given_weights.hpp"

#include <list>

#include "host/base/error.hpp"
#include "host/model/latent.hpp"
#include "host/model/state.hpp"
#include "host/model/tensor_file.hpp"
#include "host/model/weights_fit.hpp"
#include "host/services/status.hpp"
#include "host/store/weight_file.hpp"

namespace perrin::model {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLatent = "perrin.encoder.latent";  // metadata: the statistics of latent.hpp

std::string untrained(const Model& model, bool conditioned) {
  std::string list;
  const auto add = [&](const std::string& name) {
    if (conditioned || !name.starts_with("conditioner")) list += (list.empty() ? "[" : ", [") + name + "]";
  };
  for (const ParameterGroup& group : model.parameters.groups())
    if (group.count() > 0 && !group.kind.starts_with("loss.") && group.kind != "weighting" &&
        !model.given.contains(group.kind))
      add(group.kind);
  for (const auto& [name, component] : model.fitted())
    if (component->extension<perrin_state>() && model.given.contains(name) && !model.given.contains(state_key(name)))
      add(name + "'s vocabulary or other state");
  return list;
}

// Did `perrin weights export` write it, of this component?
bool is_export(const store::SafeTensors& file, const config::Component& component) {
  if (file.metadata().contains("config_hash"))
    throw Error("this is a run's checkpoint", {},
                "write the component's weights with `perrin weights export RUN FILE --component " + component.kind +
                    "`, or start a stage from the run with `from`");
  const std::string key = "perrin." + component.kind;
  const auto found = file.metadata().find(key);
  if (found != file.metadata().end() && found->second != component.use)
    throw Error("these are the weights of the " + component.kind + " \"" + found->second + "\", and this is \"" +
                    component.use + "\"",
                {}, "set use = \"" + found->second + "\", or name another file");
  return found != file.metadata().end();
}

void take_state(Model& model, const std::string& group, const store::SafeTensors& file, const fs::path& path) {
  const store::TensorView* state = file.find(kWeightsState);
  for (const auto& [name, component] : model.fitted())
    if (state && name == group && component->extension<perrin_state>()) {
      load_state(*component, kWeightsState, *state, path);
      model.given.insert(state_key(name));
    }
}

void give(Model& model, const config::Component& component, const ParameterGroup& group) {
  const fs::path path = model.find(component.weights_file(), kGivenWeights + component.name);
  const store::SafeTensors file = store::open_weights(path);
  const bool exported = is_export(file, component);
  if (component.weights.empty() && !exported) return;
  const WeightsFit fit(component, group, file);
  fit.require();
  for (const Parameter& p : group.parameters)
    if (is_saved(p)) fill(model.parameters, p, fit.value(p));
  take_state(model, group.kind, file, path);
  const auto latent = file.metadata().find(kLatent);
  if (component.kind == "encoder" && latent != file.metadata().end()) set_latent_statistics(model, latent->second);
}

}  // namespace

std::string state_key(const std::string& conditioner) { return "state." + conditioner; }

const config::Component* component_of(const Model& model, const std::string& group) {
  for (const config::Component* part : model.experiment.components())
    if (part->kind != "loss" && part->name == group) return part;
  for (const config::Stage& stage : model.experiment.stages)
    for (const config::Loss& loss : stage.losses)
      if (group == "loss." + stage.name + "." + loss.component.name) return &loss.component;
  return nullptr;
}

void give_weights(Model& model, const config::Loaded& loaded, const NamedComponents& more) {
  NamedComponents all = model.trainable();
  all.insert(all.end(), more.begin(), more.end());
  for (const auto& [name, instance] : all) {
    const config::Component* component = component_of(model, name);
    if (!component || component->weights_file().empty()) continue;
    const ParameterGroup* group = model.parameters.group(name);
    try {
      if (group && !group->parameters.empty())
        give(model, *component, *group);
      else if (!component->weights.empty())
        throw Error("the component has no parameters", {}, "take `weights` out");
    } catch (const Error& error) {
      throw loaded.error(component->place("weights"),
                         "[" + component->kind + "] (" + component->use + ") weights = " +
                             config::to_toml(std::string_view(component->weights_file())) + ": " + error.what(),
                         error.fix);
    }
    model.given.insert(name);
  }
}

void check_given(const Model& model, bool conditioned) {
  const std::string list = untrained(model, conditioned);
  if (list.empty()) return;
  throw Error("no file gives the parameters of " + list + ": the samples would be those of an untrained model", {},
              "name a safetensors file with `weights` there, or train the experiment with `perrin run`");
}

void write_weights(const fs::path& file, const Model& model, const ParameterGroup& group, store::Metadata metadata) {
  std::vector<store::TensorView> tensors;
  std::list<at::Tensor> kept;  // what the views point to
  const auto add = [&](const std::string& name, const at::Tensor& value) {
    const at::Tensor& held = kept.emplace_back(value.detach().cpu().contiguous());
    tensors.push_back(tensor_view(name, held.sizes().vec(), held));
  };
  for (const Parameter& p : group.parameters)
    if (is_saved(p)) add(own_name(group, p), p.tensor.view(p.sizes));
  for (const auto& [name, component] : model.fitted())
    if (name == group.kind && component->extension<perrin_state>()) add(kWeightsState, state_of(*component));
  if (group.kind == "encoder")
    if (const std::string latent = latent_statistics(model); !latent.empty()) metadata[kLatent] = latent;
  store::write_safetensors(file, tensors, metadata);
}

}  // namespace perrin::model
