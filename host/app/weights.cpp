#include "host/app/weights.hpp"

#include <ATen/core/Tensor.h>
#include <perrin/host/params.h>

#include <iostream>
#include <list>
#include <nlohmann/json.hpp>

#include "host/app/options.hpp"
#include "host/app/session.hpp"
#include "host/app/trained.hpp"
#include "host/base/error.hpp"
#include "host/console/units.hpp"
#include "host/run/device.hpp"
#include "host/run/folder.hpp"
#include "host/run/pipeline.hpp"
#include "host/run/tensor_file.hpp"
#include "host/services/extractor_file.hpp"
#include "host/store/safetensors.hpp"

namespace perrin::app {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// The averaged weights of one component, by the names that it declares.
void write(const fs::path& file, const run::Model& model, const std::string& kind, const store::Metadata& metadata) {
  std::vector<store::TensorView> tensors;
  std::list<at::Tensor> kept;  // what the views point to
  for (const run::Parameter& p : model.parameters.group(kind)->parameters)
    if (p.tied_to < 0 && p.role != PERRIN_SCRATCH)
      tensors.push_back(run::tensor_view(p.name.substr(kind.size() + 1), p.sizes,
                                         kept.emplace_back(p.tensor.detach().cpu().contiguous())));
  store::write_safetensors(file, tensors, metadata);
}

const config::Component& chosen(const run::Model& model, const std::string& kind) {
  std::string with;
  for (const run::ParameterGroup& group : model.parameters.groups()) {
    if (group.count() == 0 || group.kind.starts_with("loss.")) continue;
    with += (with.empty() ? "" : ", ") + group.kind;
    for (const config::Component* part : model.experiment.components())
      if (part->name == kind && group.kind == kind) return *part;
  }
  throw Error("the run has no component \"" + kind + "\" with weights", "--component", "it has: " + with, Exit::usage);
}

int export_weights(const std::vector<std::string>& arguments) {
  Command c("weights export", "weights export RUN FILE [options]",
            "Write the averaged weights of one component of a run as safetensors, with what other runs need to open them.",
            "perrin weights export results/fashion-classifier/RUN fashion.safetensors");
  c.positional = {"RUN", "FILE"};
  c.description.add_options()("component", options::value<std::string>()->default_value("extractor"),
                              "extractor, encoder, conditioner or denoiser")(
      "checkpoint", options::value<std::string>(), "a checkpoint file (default: the newest)");
  const auto values = parse(c, arguments);
  if (!values) return 0;
  const run::Folder folder = run::open_folder(required(c, *values, "RUN"));
  const fs::path file = required(c, *values, "FILE");
  loader::Registry& registry = open_registry(run::data_folders(folder));
  const config::Loaded loaded = load_experiment(folder.experiment(), {});
  run::Model model(loaded, registry);
  Weights weights;
  if (values->count("checkpoint")) weights.checkpoint = (*values)["checkpoint"].as<std::string>();
  take_weights(model, folder, registry, weights);
  const std::string kind = (*values)["component"].as<std::string>();
  const config::Component& part = chosen(model, kind);
  write(file, model, kind, services::weights_metadata(part.kind, part.use, part.values, model.shapes.x,
                                                 run::class_count(model.shapes.fields)));
  std::cout << file.string() << "  " << console::count(model.parameters.group(kind)->count()) << " parameters of "
            << part.use << ", " << console::bytes(static_cast<int64_t>(fs::file_size(file))) << "\n";
  return 0;
}

int inspect_weights(const std::vector<std::string>& arguments) {
  Command c("weights inspect", "weights inspect FILE", "List the tensors and the metadata of a safetensors file.",
            "perrin weights inspect experiments/extractors/fashion-classifier.safetensors");
  c.positional = {"FILE"};
  const auto values = parse(c, arguments);
  if (!values) return 0;
  const auto held = store::SafeTensors::open(required(c, *values, "FILE"), store::Checksum::if_present);
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
