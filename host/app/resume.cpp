#include <iostream>
#include <nlohmann/json.hpp>

#include "host/app/commands.hpp"
#include "host/app/continued.hpp"
#include "host/app/json_text.hpp"
#include "host/app/run_console.hpp"
#include "host/app/run_report.hpp"
#include "host/app/session.hpp"
#include "host/base/error.hpp"
#include "host/life/signals.hpp"
#include "host/loader/file.hpp"
#include "host/model/device.hpp"
#include "host/model/given_weights.hpp"
#include "host/runs/guide.hpp"
#include "host/store/reader.hpp"
#include "host/store/run_lock.hpp"

namespace perrin::app {
namespace {

namespace fs = std::filesystem;

// What the results file says, if it is there and whole. Throws Error for one of another schema.
std::optional<store::Reader> read_results(const runs::Folder& folder) {
  const store::RunLock busy(folder.results());  // first: what another process is writing reads as damaged
  std::error_code none;
  if (!fs::exists(folder.results(), none)) return std::nullopt;
  try {
    return store::Reader::open(folder.results());
  } catch (const store::Damaged&) {
    return std::nullopt;
  }
}

int nothing_to_do(const runs::Folder& folder, bool json) {
  store::Writer::close_killed(folder.results());
  std::cerr << "the run is finished; nothing to do (to lengthen it, raise `steps` of the last stage in "
            << folder.experiment().string() << ")\n";
  if (json)
    std::cout << json_text(
        nlohmann::json{{"run", folder.path.string()}, {"results", folder.results().string()}, {"exit", 0}});
  else
    std::cout << folder.path.string() << "\n";
  return 0;
}

std::optional<runs::Found> newest(const runs::Folder& folder) {
  std::vector<std::string> rejected;
  auto found = runs::newest_checkpoint(folder.checkpoints(), &rejected);
  for (const std::string& line : rejected) std::cerr << "warning: skipped a checkpoint: " << line << "\n";
  if (!found && !rejected.empty())
    throw Error("none of the run's checkpoints can be read", folder.checkpoints().string(),
                "put a good copy of one there, or delete them to start again from step 0, which drops all rows");
  if (!found) std::cerr << "no checkpoint yet: starting from step 0\n";
  return found;
}

bool is_done(const std::optional<runs::Found>& checkpoint, const config::Experiment& experiment) {
  if (!checkpoint) return true;
  const auto last = static_cast<int64_t>(experiment.stages.size()) - 1;
  return checkpoint->progress.stage == last && checkpoint->progress.stage_step >= experiment.stages.back().steps;
}

// A name beside the results file that is free.
fs::path aside(const fs::path& results) {
  std::error_code none;
  for (int n = 1;; ++n) {
    const fs::path name = results.string() + ".damaged-" + std::to_string(n);
    if (!fs::exists(name, none)) return name;
  }
}

// "train up to step 20, validation: no row", of a file that was rescued.
std::string kept_rows(const fs::path& results) {
  const store::Reader held = store::Reader::open(results);
  std::string text;
  for (const store::Group& group : held.layout().groups) {
    const std::vector<int64_t> steps = held.series(group.name, "step").step;
    text += (text.empty() ? "" : ", ") + group.name;
    text += steps.empty() ? ": no row" : " up to step " + std::to_string(steps.back());
  }
  return text;
}

store::Writer rescue(const runs::Folder& folder, const store::Layout& layout, int64_t step, const Error& damage,
                     life::Start& start) {
  const fs::path kept = aside(folder.results());
  fs::rename(folder.results(), kept);
  store::Writer writer = store::Writer::rescue(kept, folder.results(), step, layout);
  start.notes.push_back(std::string(damage.what()) + "; rows that could be read: " + kept_rows(folder.results()) +
                        ", of those up to the checkpoint of step " + std::to_string(step) + "; it is kept as " +
                        kept.string());
  return writer;
}

// The run's results up to its checkpoint; a run without any starts with a new file.
store::Writer take_up(const runs::Folder& folder, const store::Layout& layout, life::Start& start) {
  std::error_code none;
  const int64_t step = start.checkpoint ? start.checkpoint->progress.step : 0;
  if (!fs::exists(folder.results(), none)) {
    if (step > 0)
      start.notes.push_back("the results file is missing: its rows up to step " + std::to_string(step) + " are lost");
    return store::Writer::create(folder.results(), layout);
  }
  store::Writer writer = [&] {
    try {
      return store::Writer::resume(folder.results(), step, layout);
    } catch (const store::Damaged& damage) {
      return rescue(folder, layout, step, damage, start);
    }
  }();
  const store::Reader held = store::Reader::open(folder.results());
  for (const store::ImageTag& images : held.layout().images)
    for (const int64_t at : held.image_steps(images.tag)) start.drawn.insert({images.tag, at});
  return writer;
}

// The results' texts: the run's own facts stay, and what is different from here on is added.
store::Layout continued(store::Layout layout, const std::optional<store::Reader>& old, const life::Start& start) {
  if (!old) return layout;
  std::vector<std::pair<std::string, std::string>> facts = old->layout().provenance;
  std::string text;
  for (const std::string& note : start.notes) text += note + "\n";
  const std::string key = "from_step_" + std::to_string(start.checkpoint ? start.checkpoint->progress.step : 0);
  std::erase_if(facts, [&](const auto& fact) { return fact.first == key; });
  if (!text.empty()) facts.emplace_back(key, text);
  layout.provenance = std::move(facts);
  layout.run_id = old->layout().run_id;
  layout.sweep_id = old->layout().sweep_id;
  return layout;
}

int go_on(const runs::Folder& folder, std::optional<store::Reader> old, const std::vector<std::string>& arguments,
          const options::variables_map& values) {
  const auto log = std::make_shared<record::LogFile>();
  loader::Registry& registry =
      open_registry(runs::data_folders(folder), {.device = values["device"].as<std::string>(), .log = log});
  const config::Loaded loaded = load_experiment(folder.experiment(), {});
  life::Start start{newest(folder), {}, {}, {}};
  if (start.checkpoint) start.notes = compare_experiments(*start.checkpoint, loaded, folder);
  if (old && old->status() == "finished" && is_done(start.checkpoint, loaded.experiment))
    return nothing_to_do(folder, values.count("json") > 0);
  life::Composition composition(loaded, registry);
  model::Model& model = composition.model;
  if (!start.checkpoint) model::give_weights(model, loaded, composition.trainable_losses());
  if (model.diffuses()) runs::load_guide(model, registry, load_other);
  RunConsole console;
  life::identify(composition, loaded, start.checkpoint ? size_t(start.checkpoint->progress.stage) + 1 : 0, console,
                 [] { return life::stop_signal() != 0; });
  start.origin = runs::origin_of(model, composition.inputs, loaded, registry);
  if (start.checkpoint)
    for (std::string& note : compare_origins(*start.checkpoint, start.origin, composition.inputs.all, folder,
                                             values.count("accept-changes") > 0))
      start.notes.push_back(std::move(note));
  stop_if_asked();
  const store::Layout layout =
      continued(life::layout_of(composition, loaded, registry, folder, command_line("resume", arguments)), old, start);
  old.reset();
  store::Writer writer = take_up(folder, layout, start);
  runs::write_inputs(folder.inputs(), composition.inputs);
  return live(composition, loaded, folder, std::move(writer), log, start, values.count("json") > 0);
}

}  // namespace

int resume_command(const std::vector<std::string>& arguments) {
  const Command c = resume_options();
  const auto values = parse(c, arguments);
  if (!values) return 0;
  const runs::Folder folder = runs::open_folder(required(c, *values, "RUN"));
  std::optional<store::Reader> old = read_results(folder);
  if (old && old->status() == "finished" && old->layout().config_hash == loader::sha256_of(folder.experiment()))
    return nothing_to_do(folder, values->count("json") > 0);
  return go_on(folder, std::move(old), arguments, *values);
}

}  // namespace perrin::app
