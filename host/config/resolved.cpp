#include "host/config/resolved.hpp"

#include <nlohmann/json.hpp>

#include "host/config/host_tables.hpp"

namespace perrin::config {
namespace {

// One table of the resolved file.
struct Section {
  std::string header;   // "[dataset]", "[[stage]]", "[stage.optimizer]", "[[stage.loss]]"
  std::string address;  // "dataset", "stage.train.loss.l2"
  std::vector<std::pair<std::string, Value>> values;
};

// Values in the order of the schema. Left out: a key without value, and a deprecated one at its default, which would
// make every load of the resolved file warn.
void append(Section& section, const std::map<std::string, Value>& values, const std::vector<Key>& keys) {
  for (const Key& key : keys) {
    auto found = values.find(key.name);
    if (found == values.end() || (key.deprecated && key.default_value == found->second)) continue;
    section.values.emplace_back(*found);
  }
}

void append(Section& section, const Component& component) {
  append(section, component.values, component.factory->keys);
  if (!component.weights.empty()) section.values.emplace_back("weights", component.weights);
}

Section experiment_section(const Experiment& experiment) {
  Section section{"[experiment]", "experiment", {}};
  append(section,
         {{"name", experiment.name},
          {"seed", static_cast<int64_t>(experiment.seed)},
          {"loader_threads", int64_t{experiment.loader_threads}}},
         experiment_table().keys);
  return section;
}

// Which component, and which library's if the file pins it.
std::vector<std::pair<std::string, Value>> choice_of(const Component& component) {
  std::vector<std::pair<std::string, Value>> choice = {{"use", component.use}};
  if (!component.sha256.empty()) choice.emplace_back("sha256", component.sha256);
  return choice;
}

// One of a list is called "kind.name".
Section component_section(const Component& component) {
  const std::string header = "[" + component.kind + "]", prefix = component.kind + ".";
  const bool listed = component.name.starts_with(prefix);
  Section section{listed ? "[" + header + "]" : header, component.name, choice_of(component)};
  if (listed && component.name != prefix + component.use)
    section.values.emplace_back("name", component.name.substr(prefix.size()));
  append(section, component);
  return section;
}

// header: "[stage.optimizer]" or "[stage.loss.optimizer]".
Section optimizer_section(const std::string& header, const Component& optimizer, const std::string& address) {
  Section section{header, address + ".optimizer", {{"use", optimizer.use}}};
  append(section, optimizer.values, optimizer.factory->keys);
  return section;
}

Section loss_section(const Loss& loss, const std::string& address) {
  const Component& part = loss.component;
  Section section{"[[stage.loss]]", address + ".loss." + part.name, choice_of(part)};
  append(section, {{"name", part.name}, {"weight", loss.weight}, {"start", loss.start}}, loss_table().keys);
  append(section, part);
  return section;
}

std::vector<Section> sections(const Experiment& experiment) {
  std::vector<Section> all = {experiment_section(experiment)};
  for (const Role& role : roles()) {
    if (const Component* component = experiment.component(role.kind)) {
      all.push_back(component_section(*component));
      if (role.kind == "encoder") append(all.back(), experiment.latent.table.values, encoder_table().keys);
      if (role.kind == "sampler") append(all.back(), experiment.sampling.table.values, sampler_table().keys);
    }
    for (const Component& part : experiment.conditioners)
      if (part.kind == role.kind) all.push_back(component_section(part));
  }
  for (const Stage& stage : experiment.stages) {
    Section& section = all.emplace_back(Section{"[[stage]]", "stage." + stage.name, {}});
    append(section, stage.table.values, stage_table().keys);
    all.push_back(optimizer_section("[stage.optimizer]", stage.optimizer, "stage." + stage.name));
    for (const Loss& loss : stage.losses) {
      const std::string& address = all.emplace_back(loss_section(loss, "stage." + stage.name)).address;
      if (loss.optimizer) all.push_back(optimizer_section("[stage.loss.optimizer]", *loss.optimizer, address));
    }
  }
  Section& samples = all.emplace_back(Section{"[samples]", "samples", {}});
  append(samples,
         {{"count", experiment.samples.count},
          {"columns", experiment.samples.columns},
          {"seed", static_cast<int64_t>(experiment.samples.seed)},
          {"batch_size", experiment.samples.batch_size},
          {"precision", experiment.samples.precision},
          {"prompts", experiment.samples.prompts}},
         samples_table().keys);
  return all;
}

using Json = nlohmann::ordered_json;

// The object in which a section's values stand.
Json& object_of(Json& root, const std::string& header) {
  if (header == "[[stage]]") return root["stage"].emplace_back(Json::object());
  if (header == "[stage.optimizer]") return root["stage"].back()["optimizer"] = Json::object();
  if (header == "[[conditioner]]") return root["conditioner"].emplace_back(Json::object());
  if (header == "[stage.loss.optimizer]") return root["stage"].back()["loss"].back()["optimizer"] = Json::object();
  if (header == "[[stage.loss]]") return root["stage"].back()["loss"].emplace_back(Json::object());
  return root[header.substr(1, header.size() - 2)] = Json::object();
}

}  // namespace

std::string write_toml(const Experiment& experiment) {
  std::string text;
  for (const Section& section : sections(experiment)) {
    text += (text.empty() ? "" : "\n") + section.header + "\n";
    for (const auto& [name, value] : section.values) text += name + " = " + to_toml(value) + "\n";
  }
  return text;
}

std::string write_json(const Experiment& experiment) {
  Json root;
  for (const Section& section : sections(experiment)) {
    Json& object = object_of(root, section.header);
    for (const auto& [name, value] : section.values) object[name] = to_json(value);
  }
  return root.dump(2);
}

std::vector<std::pair<std::string, std::string>> write_params(const Experiment& experiment) {
  std::vector<std::pair<std::string, std::string>> params;
  for (const Section& section : sections(experiment)) {
    for (const auto& [name, value] : section.values) {
      const auto* text = std::get_if<std::string>(&value);
      params.emplace_back(section.address + "." + name, text ? *text : to_toml(value));
    }
  }
  return params;
}

}  // namespace perrin::config
