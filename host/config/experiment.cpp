#include "host/config/experiment.hpp"

#include "host/base/error.hpp"
#include "host/config/host_tables.hpp"

namespace perrin::config {
const Value* Component::find(std::string_view key) const {
  auto found = values.find(std::string(key));
  return found == values.end() ? nullptr : &found->second;
}

std::string Component::weights_file() const {
  const Value* own = find("weights");
  const auto* text = own == nullptr ? &weights : std::get_if<std::string>(own);
  return text == nullptr ? "" : *text;
}

const Location& Component::place(std::string_view key) const {
  auto found = where.find(std::string(key));
  return found == where.end() ? location : found->second;
}

void Component::missing(std::string_view key) const {
  throw Error(kind + " \"" + use + "\" has no value \"" + std::string(key) + "\" of the type that was asked for",
              to_string(location), "the schema and the code that reads it disagree");
}

const Component* Experiment::component(std::string_view kind) const {
  for (const Component* part : {&dataset, &extractor, &encoder, &denoiser, &schedule, &parameterization, &weighting,
                                &timesteps, &sampler, &guidance})
    if (part->kind == kind) return part->use.empty() ? nullptr : part;
  return nullptr;
}

std::vector<const Component*> Experiment::components() const {
  std::vector<const Component*> all;
  for (const Role& role : roles()) {
    if (const Component* part = component(role.kind)) all.push_back(part);
    for (const Component& part : conditioners)
      if (part.kind == role.kind) all.push_back(&part);
  }
  for (const Stage& stage : stages)
    for (const Loss& loss : stage.losses) all.push_back(&loss.component);
  return all;
}

}  // namespace perrin::config
