#include "host/app/run_report.hpp"

#include <iostream>
#include <nlohmann/json.hpp>

#include "host/app/json_text.hpp"
#include "host/app/run_console.hpp"
#include "host/console/units.hpp"
#include "host/life/signals.hpp"
#include "host/model/device.hpp"
#include "host/record/results_file.hpp"
#include "host/record/sinks.hpp"

namespace perrin::app {
namespace {

std::string heading(model::Model& model) {
  const config::Experiment& e = model.experiment;
  int64_t parameters = 0;
  for (const model::ParameterGroup& group : model.parameters.groups()) parameters += group.count();
  std::string parts;
  if (model.extractor) parts = e.extractor.use;
  if (model.encoder && e.encoder.use != "identity") parts = e.encoder.use;
  if (model.diffuses()) parts += (parts.empty() ? "" : " and ") + e.denoiser.use;
  std::string line = e.name + ": " + parts + " on " + e.dataset.use + " " + model::shape_text(model.shapes.x);
  if (model.diffuses()) line += ", " + e.schedule.use + " schedule, " + e.parameterization.use;
  return line + ", " + console::count(parameters) + " parameters, seed " + std::to_string(e.seed) + ", " +
         model::device_name(model.session->device());
}

void print_json(const life::End& end, const runs::Folder& folder, int code) {
  nlohmann::json summary = {{"run", folder.path.string()},
                            {"results", folder.results().string()},
                            {"samples", end.picture.string()},
                            {"seconds", end.seconds},
                            {"exit", code}};
  for (const auto& [stage, losses] : end.losses) summary["loss"][stage] = losses.second;
  std::cout << json_text(summary);
}

void print_text(const life::End& end, const runs::Folder& folder) {
  std::cout << (end.finished ? "finished in " : "stopped after ") << console::duration(end.seconds) << "\n";
  for (const auto& [stage, losses] : end.losses)
    std::cout << "  loss      " << stage << ": " << losses.first << " -> " << losses.second << "\n";
  std::cout << "  results   " << folder.results().string() << "\n";
  if (!end.picture.empty()) std::cout << "  samples   " << end.picture.string() << "\n";
  if (!end.finished) std::cout << "  go on     perrin resume " << folder.path.string() << "\n";
  std::cout << folder.path.string() << "\n";
}

}  // namespace

std::vector<std::string> command_line(const char* command, const std::vector<std::string>& arguments) {
  std::vector<std::string> argv = {"perrin", command};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return argv;
}

int live(life::Composition& composition, const config::Loaded& loaded, const runs::Folder& folder, store::Writer writer,
         std::shared_ptr<record::LogFile> log, const life::Start& start, bool json) {
  log->open(folder.log());
  record::Sinks sinks(
      {std::make_shared<record::ResultsFile>(std::move(writer)), std::move(log), std::make_shared<RunConsole>()});
  sinks.text(heading(composition.model));
  const life::End end = life::live(composition, loaded, folder, sinks, start, [] { return life::stop_signal() != 0; });
  const int code = end.finished ? 0 : life::stop_exit_code();
  if (json)
    print_json(end, folder, code);
  else
    print_text(end, folder);
  return code;
}

}  // namespace perrin::app
