#include <ATen/core/Tensor.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "host/app/commands.hpp"
#include "host/app/json_text.hpp"
#include "host/app/output.hpp"
#include "host/app/session.hpp"
#include "host/app/trained.hpp"
#include "host/base/error.hpp"
#include "host/console/units.hpp"
#include "host/model/device.hpp"
#include "host/model/fields.hpp"
#include "host/model/given_weights.hpp"
#include "host/runs/data_record.hpp"
#include "host/runs/folder.hpp"
#include "host/services/extractor_file.hpp"
#include "host/store/weight_file.hpp"
#include "host/train/losses.hpp"

namespace perrin::app {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

const model::ParameterGroup& chosen(const model::Model& model, const std::string& name) {
  std::string with;
  for (const model::ParameterGroup& group : model.parameters.groups()) {
    if (group.count() == 0 || !model::component_of(model, group.kind)) continue;
    if (group.kind == name) return group;
    with += (with.empty() ? "" : ", ") + group.kind;
  }
  throw Error("the run has no component \"" + name + "\" with weights", "--component", "it has: " + with, Exit::usage);
}

// Of each tensor its type and its shape.
nlohmann::json to_json(const store::SafeTensors& held) {
  nlohmann::json all = {{"metadata", nlohmann::json::object()}, {"tensors", nlohmann::json::object()}};
  for (const auto& [key, value] : held.metadata()) all["metadata"][key] = value;
  for (const std::string& name : held.names()) {
    const store::TensorView& tensor = *held.find(name);
    all["tensors"][name] = {{"dtype", store::dtype_name(tensor.dtype)}, {"shape", tensor.shape}};
  }
  return all;
}

}  // namespace

int weights_export_command(const std::vector<std::string>& arguments) {
  const Command c = weights_export_options();
  const auto values = parse(c, arguments);
  if (!values) return 0;
  const runs::Folder folder = runs::open_folder(required(c, *values, "RUN"));
  const fs::path file = required(c, *values, "FILE");
  check_output(file);
  loader::Registry& registry = open_registry(runs::data_folders(folder));
  const config::Loaded loaded = load_experiment(folder.experiment(), {});
  model::Model model(loaded, registry, runs::kept_data(folder, loaded));
  Weights weights;
  if (values->count("checkpoint")) weights.checkpoint = (*values)["checkpoint"].as<std::string>();
  weights.loss = (*values)["component"].as<std::string>();
  train::Losses losses(model, loaded, registry);
  take_weights(model, folder, registry, weights, losses.trainable(model.experiment));
  const model::ParameterGroup& group = chosen(model, (*values)["component"].as<std::string>());
  const config::Component& part = *model::component_of(model, group.kind);
  model::write_weights(file, model, group,
                       services::weights_metadata(part.kind, part.use, part.values, model.shapes.x,
                                                  model::class_count(model.shapes.fields)));
  const auto bytes = static_cast<int64_t>(fs::file_size(file));
  if (values->count("json")) {
    std::cout << json_text(Json{{"file", file.string()},
                                {"component", group.kind},
                                {"use", part.use},
                                {"parameters", group.count()},
                                {"bytes", bytes}});
  } else {
    std::cout << file.string() << "  " << console::count(group.count()) << " parameters of " << part.use << ", "
              << console::bytes(bytes) << "\n";
  }
  return 0;
}

int weights_inspect_command(const std::vector<std::string>& arguments) {
  const Command c = weights_inspect_options();
  const auto values = parse(c, arguments);
  if (!values) return 0;
  const nlohmann::json held = to_json(store::open_weights(required(c, *values, "FILE")));
  if (values->count("json")) return std::cout << json_text(held), 0;
  for (const auto& [key, value] : held["metadata"].items())
    std::cout << key << " = " << value.get<std::string>() << "\n";
  for (const auto& [name, tensor] : held["tensors"].items())
    std::cout << name << "  " << tensor["dtype"].get<std::string>() << " " << tensor["shape"].dump() << "\n";
  return 0;
}

}  // namespace perrin::app
