#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "host/app/commands.hpp"
#include "host/app/json_text.hpp"
#include "host/app/run_report.hpp"
#include "host/app/session.hpp"
#include "host/app/trained.hpp"
#include "host/base/error.hpp"
#include "host/console/progress.hpp"
#include "host/console/table.hpp"
#include "host/console/terminal.hpp"
#include "host/console/units.hpp"
#include "host/evaluate/evaluate.hpp"
#include "host/life/signals.hpp"
#include "host/model/device.hpp"
#include "host/runs/checkpoint.hpp"
#include "host/runs/folder.hpp"
#include "host/sample/steps.hpp"
#include "host/store/add_evaluation.hpp"
#include "host/store/clock.hpp"
#include "host/store/run_lock.hpp"
#include "perrin/abi.h"

namespace perrin::app {
namespace {

namespace fs = std::filesystem;

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

bool has_stage(const model::Model& model, train::Task task) {
  return std::ranges::any_of(model.experiment.stages,
                             [&](const config::Stage& stage) { return train::task_of(model, stage) == task; });
}

// `request` with so many samples, unless the user has said how many.
evaluate::Request at_most(evaluate::Request request, int64_t count) {
  if (request.count == 0) request.count = count;
  return request;
}

evaluate::Found measured(model::Model& model, const config::Loaded& loaded, loader::Registry& registry,
                         const evaluate::Request& request, const std::vector<evaluate::Judge>& judges) {
  if (model.extractor) return {evaluate::extraction(model, train::Losses(model, loaded, registry), request), {}};
  if (model.diffuses() && !judges.empty()) return {evaluate::agreement(model, at_most(request, 200), judges), {}};
  evaluate::Found found;
  if (has_stage(model, train::Task::diffusion)) {
    if (model.shapes.logits)
      throw Error("this version does not evaluate a classifier of noisy data", "perrin eval",
                  "train an extractor to classify clean data");
    found = evaluate::denoising(model, at_most(request, 256));
  }
  if (has_stage(model, train::Task::first_stage)) found.numbers = evaluate::reconstruction(model, request);
  return found;
}

// What the numbers depend on, beside the run.
std::vector<std::pair<std::string, std::string>> facts_of(const config::Loaded& loaded, const model::Model& model,
                                                          const runs::Found& weights, const evaluate::Request& request,
                                                          const std::vector<std::string>& arguments) {
  std::string command;
  for (const std::string& word : command_line("eval", arguments)) command += (command.empty() ? "" : " ") + word;
  return {{"command", command},
          {"program", "perrin " PERRIN_SDK_VERSION},
          {"checkpoint", weights.file.filename().string()},
          {"experiment", loaded.resolved_toml},  // as evaluated
          {"config_hash", loaded.hash},
          {"batch_size", std::to_string(request.batch_size)},
          {"device", model::device_name(model.session->device())}};
}

// Why the run's file takes no evaluation now; empty: it does.
std::string why_not_kept(const runs::Folder& folder) {
  std::error_code none;
  if (!fs::exists(folder.results(), none)) return "the run has no results file";
  try {
    const store::RunLock free(folder.results());
    return {};
  } catch (const Error& error) {
    return error.what();
  }
}

void print_json(const evaluate::Found& found, bool kept) {
  nlohmann::ordered_json all = {{"numbers", nlohmann::ordered_json::object()},
                                {"curves", nlohmann::ordered_json::object()}};
  for (const store::Number& v : found.numbers)
    all["numbers"][v.name] = {{"value", v.value}, {"unit", v.unit}, {"n", v.n}};
  for (const store::Curve& c : found.curves)
    all["curves"][c.name] = {{"axis", c.axis}, {"at", c.at}, {"values", c.values}, {"doc", c.doc}};
  all["kept"] = kept;
  std::cout << json_text(all);
}

void print(const evaluate::Found& found) {
  const int width = console::Terminal::of(1).width;
  console::Table table({"", ">value", "unit", ">n"});
  for (const store::Number& v : found.numbers)
    table.add({v.name, console::number(v.value), v.unit, std::to_string(v.n)});
  if (!found.numbers.empty()) std::cout << table.text(width);
  if (found.curves.empty()) return;
  std::vector<std::string> heads = {">" + found.curves.front().axis};
  for (const store::Curve& c : found.curves) heads.push_back(">" + c.name);
  console::Table curves(heads);
  for (size_t i = 0; i < found.curves.front().at.size(); ++i) {
    std::vector<std::string> row = {console::number(found.curves.front().at[i])};
    for (const store::Curve& c : found.curves) row.push_back(console::number(c.values[i]));
    curves.add(row);
  }
  std::cout << curves.text(width);
  for (const store::Curve& c : found.curves) std::cout << c.name << ": " << c.doc << "\n";
}

}  // namespace

int eval_command(const std::vector<std::string>& arguments) {
  const Command c = eval_options();
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
  const runs::Found taken = runs::found_at(take_weights(model, folder, registry, weights));
  const std::vector<evaluate::Judge> judges = judges_of(*values);
  const std::string not_kept = why_not_kept(folder);
  if (!not_kept.empty()) std::cerr << "warning: what is found will be printed and not kept: " << not_kept << "\n";
  auto bar = std::make_unique<console::Progress>("evaluating", 0, "sample");
  evaluate::Request request;
  if (values->count("count")) request.count = (*values)["count"].as<int64_t>();
  if (values->count("count") && request.count < 1)
    throw Error("--count needs at least one sample", "", "", Exit::usage);
  request.batch_size = (*values)["batch-size"].as<int64_t>();
  request.progress = [&](int64_t done, int64_t total) { bar->set_total(total), bar->update(done); };
  request.cancelled = [] { return life::stop_signal() != 0; };
  const std::string begun = store::utc(store::unix_seconds());
  const evaluate::Found found = measured(model, loaded, registry, request, judges);
  bar.reset();
  if (values->count("json"))
    print_json(found, not_kept.empty());
  else
    print(found);
  if (not_kept.empty())
    store::add_evaluation(
        folder.results(),
        {begun, taken.progress.step, facts_of(loaded, model, taken, request, arguments), found.numbers, found.curves});
  return 0;
}

}  // namespace perrin::app
