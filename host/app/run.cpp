#include "host/app/commands.hpp"
#include "host/app/run_console.hpp"
#include "host/app/run_report.hpp"
#include "host/app/session.hpp"
#include "host/life/signals.hpp"
#include "host/model/fields.hpp"

namespace perrin::app {

namespace fs = std::filesystem;

int run_command(const std::vector<std::string>& arguments) {
  const Command c = run_options();
  const auto values = parse(c, arguments);
  if (!values) return 0;
  const fs::path file = required(c, *values, "FILE");
  auto set = values->count("set") ? (*values)["set"].as<std::vector<std::string>>() : std::vector<std::string>();
  if (values->count("seed")) set.push_back("experiment.seed=" + std::to_string((*values)["seed"].as<int64_t>()));
  const auto log = std::make_shared<record::LogFile>();
  loader::Registry& registry = open_registry(
      {fs::absolute(file).parent_path()},
      {.device = (*values)["device"].as<std::string>(), .closely = values->count("check-plugins") > 0, .log = log});
  const config::Loaded loaded = load_experiment(file, set);
  life::Composition composition(loaded, registry);
  life::prepare(composition, loaded, registry, load_other);
  model::dataset_count(composition.model.dataset);  // data that are not there leave no run behind
  RunConsole console;
  life::identify(composition, loaded, 0, console, [] { return life::stop_signal() != 0; });
  stop_if_asked();
  const auto out = values->count("out") ? std::optional<fs::path>((*values)["out"].as<std::string>()) : std::nullopt;
  const runs::Folder folder = runs::create_folder(loaded, out);
  auto writer = store::Writer::create(
      folder.results(), life::layout_of(composition, loaded, registry, folder, command_line("run", arguments)));
  runs::write_inputs(folder.inputs(), composition.inputs);
  const life::Start start{{}, {}, runs::origin_of(composition.model, composition.inputs, loaded, registry), {}};
  return live(composition, loaded, folder, std::move(writer), log, start, values->count("json") > 0);
}

}  // namespace perrin::app
