#include "host/app/eval.hpp"

#include <iostream>
#include <nlohmann/json.hpp>

#include "host/app/json_text.hpp"
#include "host/app/options.hpp"
#include "host/app/session.hpp"
#include "host/app/trained.hpp"
#include "host/base/error.hpp"
#include "host/console/progress.hpp"
#include "host/console/table.hpp"
#include "host/console/terminal.hpp"
#include "host/evaluate/evaluate.hpp"
#include "host/life/signals.hpp"
#include "host/model/device.hpp"
#include "host/runs/folder.hpp"
#include "host/sample/steps.hpp"

namespace perrin::app {
namespace {

namespace fs = std::filesystem;

Command command() {
  Command c("eval", "eval RUN [options]",
            "What a run's averaged weights are worth on data: reconstructions of a first stage, answers of an extractor, "
            "what judges see in the samples of a denoiser.",
            "perrin eval results/fashion-classifier/RUN --set dataset.split=test");
  c.positional = {"RUN"};
  c.description.add_options()("set", options::value<std::vector<std::string>>()->composing(),
                              "any key of the experiment, KEY=VALUE; repeatable")(
      "count", options::value<int64_t>(), "samples of the dataset, from the first (default: all; 200 with judges)")(
      "judge", options::value<std::vector<std::string>>()->composing(),
      "FIELD=WEIGHTS: a classifier of the dataset's field that judges samples; repeatable")(
      "checkpoint", options::value<std::string>(), "a checkpoint file (default: the newest)")(
      "batch-size", options::value<int64_t>()->default_value(64), "samples per forward pass")(
      "device", options::value<std::string>()->default_value("auto"), "cpu, cuda or auto")("json", "print JSON");
  return c;
}

std::vector<evaluate::Judge> judges_of(const options::variables_map& values) {
  std::vector<evaluate::Judge> judges;
  if (!values.count("judge")) return judges;
  for (const std::string& written : values["judge"].as<std::vector<std::string>>()) {
    const size_t at = written.find('=');
    if (at == std::string::npos || at == 0 || at + 1 == written.size())
      throw Error("--judge is FIELD=WEIGHTS, not \"" + written + "\"", "",
                  "for example --judge object=experiments/extractors/shapes-classifier.safetensors", Exit::usage);
    judges.emplace_back(written.substr(0, at), fs::absolute(written.substr(at + 1)).string());
  }
  return judges;
}

evaluate::Values measured(model::Model& model, const config::Loaded& loaded, loader::Registry& registry,
                          const evaluate::Request& request, const std::vector<evaluate::Judge>& judges) {
  if (model.extractor) return evaluate::extraction(model, train::Losses(model, loaded, registry), request);
  if (model.diffuses() && !judges.empty()) return evaluate::agreement(model, request, judges);
  const auto& stages = model.experiment.stages;
  for (const config::Stage& stage : stages)
    if (train::task_of(model, stage) == train::Task::first_stage) return evaluate::reconstruction(model, request);
  throw Error("this version evaluates first stages, extractors, and samples by judges", "perrin eval",
              "give --judge FIELD=WEIGHTS, or name a run of one of the others");
}

void print(const evaluate::Values& values, bool json) {
  if (json) {
    nlohmann::ordered_json all;
    for (const evaluate::Value& v : values) all[v.name] = {{"value", v.value}, {"unit", v.unit}, {"n", v.n}};
    std::cout << json_text(all);
    return;
  }
  console::Table table({"", ">value", "unit", ">n"});
  for (const evaluate::Value& v : values) {
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", v.value);
    table.add({v.name, text, v.unit, std::to_string(v.n)});
  }
  std::cout << table.text(console::Terminal::of(1).width);
}

}  // namespace

int eval_command(const std::vector<std::string>& arguments) {
  Command c = command();
  const auto values = parse(c, arguments);
  if (!values) return 0;
  const runs::Folder folder = runs::open_folder(required(c, *values, "RUN"));
  loader::Registry& registry =
      open_registry(runs::data_folders(folder), {.device = (*values)["device"].as<std::string>()});
  const auto set = values->count("set") ? (*values)["set"].as<std::vector<std::string>>() : std::vector<std::string>();
  const config::Loaded loaded = load_experiment(folder.experiment(), set);
  model::Model model(loaded, registry);
  if (model.diffuses()) sample::check_steps(model.times, loaded);
  Weights weights;
  if (values->count("checkpoint")) weights.checkpoint = (*values)["checkpoint"].as<std::string>();
  take_weights(model, folder, registry, weights);
  const std::vector<evaluate::Judge> judges = judges_of(*values);
  auto bar = std::make_unique<console::Progress>("evaluating", 0, "sample");
  evaluate::Request request;
  request.count = values->count("count") ? (*values)["count"].as<int64_t>() : judges.empty() ? 0 : 200;
  request.batch_size = (*values)["batch-size"].as<int64_t>();
  request.progress = [&](int64_t done, int64_t total) { bar->set_total(total), bar->update(done); };
  request.cancelled = [] { return life::stop_signal() != 0; };
  const evaluate::Values found = measured(model, loaded, registry, request, judges);
  bar.reset();
  print(found, values->count("json") > 0);
  return 0;
}

}  // namespace perrin::app
