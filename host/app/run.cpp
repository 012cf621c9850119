#include "host/app/run.hpp"

#include "host/app/options.hpp"
#include "host/app/run_console.hpp"
#include "host/app/run_report.hpp"
#include "host/app/session.hpp"
#include "host/life/signals.hpp"
#include "host/model/fields.hpp"

namespace perrin::app {

namespace fs = std::filesystem;

int run_command(const std::vector<std::string>& arguments) {
  Command c("run", "run FILE [options]", "Train an experiment, sample from it, and keep every number in one HDF5 file.",
            "perrin run experiments/quickstart.toml --set stage.steps=200");
  c.positional = {"FILE"};
  c.description.add_options()("out", options::value<std::string>(),
                              "the run's folder (default: results/NAME/TIME-HASH)")(
      "set", options::value<std::vector<std::string>>()->composing(), "override a key, KEY=VALUE; repeatable")(
      "seed", options::value<int64_t>(), "the experiment's seed")("device",
                                                                  options::value<std::string>()->default_value("auto"),
                                                                  "cpu, cuda or auto")("json", "print a JSON summary")(
      "check-plugins", "look closely at every call of a plugin, not only at the first ones");
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
