#include "host/app/weights.hpp"

#include <ATen/core/Tensor.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "host/app/options.hpp"
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

int export_weights(const std::vector<std::string>& arguments) {
  Command c("weights export", "weights export RUN FILE [options]",
            "Write the averaged weights of one component of a run as safetensors, with what other runs need to open them.",
            "perrin weights export results/fashion-classifier/RUN fashion.safetensors");
  c.positional = {"RUN", "FILE"};
  c.description.add_options()("component", options::value<std::string>()->default_value("extractor"),
                              "extractor, encoder, denoiser, conditioner or conditioner.NAME, weighting, or loss.STAGE.NAME")(
      "checkpoint", options::value<std::string>(), "a checkpoint file (default: the newest)");
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
  std::cout << file.string() << "  " << console::count(group.count()) << " parameters of " << part.use << ", "
            << console::bytes(static_cast<int64_t>(fs::file_size(file))) << "\n";
  return 0;
}

int inspect_weights(const std::vector<std::string>& arguments) {
  Command c("weights inspect", "weights inspect FILE", "List the tensors and the metadata of a safetensors file.",
            "perrin weights inspect experiments/extractors/fashion-classifier.safetensors");
  c.positional = {"FILE"};
  const auto values = parse(c, arguments);
  if (!values) return 0;
  const auto held = store::open_weights(required(c, *values, "FILE"));
  for (const auto& [key, value] : held.metadata()) std::cout << key << " = " << value << "\n";
  for (const std::string& name : held.names()) {
    const store::TensorView& tensor = *held.find(name);
    std::cout << name << "  " << store::dtype_name(tensor.dtype) << " " << Json(tensor.shape).dump() << "\n";
  }
  return 0;
}

}  // namespace

int weights_command(const std::vector<std::string>& arguments) {
  const std::string action = arguments.empty() ? "--help" : arguments.front();
  const std::vector<std::string> rest(arguments.begin() + (arguments.empty() ? 0 : 1), arguments.end());
  if (action == "export") return export_weights(rest);
  if (action == "inspect") return inspect_weights(rest);
  const bool asked = action == "--help" || action == "-h";
  if (asked) {
    std::cout << "Weights as files: write those of a run's component, or list what a safetensors file holds.\n\n"
                 "usage: perrin weights export RUN FILE [options]\n       perrin weights inspect FILE\n\n"
                 "`perrin weights export --help` shows the options.\n"
                 "example:\n  perrin weights export results/fashion-classifier/RUN fashion.safetensors\n";
    return 0;
  }
  throw Error("there is no `perrin weights " + action + "`", "", "choose export or inspect", Exit::usage);
}

}  // namespace perrin::app
