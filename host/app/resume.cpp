#include <iostream>

#include "host/app/continued.hpp"
#include "host/app/life.hpp"
#include "host/app/options.hpp"
#include "host/app/run.hpp"
#include "host/app/session.hpp"
#include "host/base/error.hpp"
#include "host/loader/file.hpp"
#include "host/run/device.hpp"
#include "host/run/given_weights.hpp"
#include "host/sample/guide.hpp"
#include "host/store/reader.hpp"
#include "host/store/run_lock.hpp"

namespace perrin::app {
namespace {

namespace fs = std::filesystem;

// What the results file says, if it is there and whole. Throws Error for one of another schema.
std::optional<store::Reader> read_results(const run::Folder& folder) {
  const store::RunLock busy(folder.results());  // first: what another process is writing reads as damaged
  std::error_code none;
  if (!fs::exists(folder.results(), none)) return std::nullopt;
  try {
    return store::Reader::open(folder.results());
  } catch (const store::Damaged&) {
    return std::nullopt;
  }
}

int nothing_to_do(const run::Folder& folder) {
  store::Writer::close_killed(folder.results());
  std::cerr << "the run is finished; nothing to do (to lengthen it, raise `steps` of the last stage in "
            << folder.experiment().string() << ")\n";
  std::cout << folder.path.string() << "\n";
  return 0;
}

std::optional<run::Found> newest(const run::Folder& folder) {
  std::vector<std::string> rejected;
  auto found = run::newest_checkpoint(folder.checkpoints(), &rejected);
  for (const std::string& line : rejected) std::cerr << "warning: skipped a checkpoint: " << line << "\n";
  if (!found && !rejected.empty())
    throw Error("none of the run's checkpoints can be read", folder.checkpoints().string(),
                "put a good copy of one there, or delete them to start again from step 0, which drops all rows");
  if (!found) std::cerr << "no checkpoint yet: starting from step 0\n";
  return found;
}

bool is_done(const std::optional<run::Found>& checkpoint, const config::Experiment& experiment) {
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

store::Writer rescue(const run::Folder& folder, const store::Layout& layout, int64_t step, const Error& damage,
                     Start& start) {
  const fs::path kept = aside(folder.results());
  fs::rename(folder.results(), kept);
  store::Writer writer = store::Writer::rescue(kept, folder.results(), step, layout);
  start.notes.push_back(std::string(damage.what()) + "; rows that could be read: " + kept_rows(folder.results()) +
                        ", of those up to the checkpoint of step " + std::to_string(step) + "; it is kept as " +
                        kept.string());
  return writer;
}

// The run's results up to its checkpoint; a run without any starts with a new file.
store::Writer take_up(const run::Folder& folder, const store::Layout& layout, Start& start) {
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
store::Layout continued(store::Layout layout, const std::optional<store::Reader>& old, const Start& start) {
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

int go_on(const run::Folder& folder, std::optional<store::Reader> old, const std::vector<std::string>& arguments,
          bool accepted, bool json) {
  loader::Registry& registry = open_registry(run::data_folders(folder));
  const config::Loaded loaded = load_experiment(folder.experiment(), {});
  Start start{newest(folder), {}, {}, {}};
  if (start.checkpoint) start.notes = compare_experiments(*start.checkpoint, loaded, folder);
  if (old && old->status() == "finished" && is_done(start.checkpoint, loaded.experiment)) return nothing_to_do(folder);
  run::Model model(loaded, registry);
  model.build_parameters();
  if (!start.checkpoint) run::give_weights(model, loaded);
  if (model.diffuses()) sample::load_guide(model, registry, load_other);
  identify(model, loaded, start.checkpoint ? size_t(start.checkpoint->progress.stage) + 1 : 0);
  start.origin = run::origin_of(model, loaded, registry);
  if (start.checkpoint)
    for (std::string& note : compare_origins(*start.checkpoint, start.origin, model.inputs.all, folder, accepted))
      start.notes.push_back(std::move(note));
  stop_if_asked();
  const store::Layout layout =
      continued(layout_of(model, loaded, registry, folder, command_line("resume", arguments)), old, start);
  old.reset();
  store::Writer writer = take_up(folder, layout, start);
  for (const std::string& note : start.notes) std::cerr << "warning: " << note << "\n";
  run::write_inputs(folder.inputs(), model.inputs);
  return live(model, loaded, folder, std::move(writer), start, json);
}

}  // namespace

int resume_command(const std::vector<std::string>& arguments) {
  Command c(
      "resume", "resume RUN [options]",
      "Go on with a run that stopped, from its newest checkpoint that verifies. It ends bit-identical to a run that "
      "was never interrupted.",
      "perrin resume results/quickstart/RUN");
  c.positional = {"RUN"};
  c.description.add_options()("device", options::value<std::string>()->default_value("auto"), "cpu, cuda or auto")(
      "accept-changes", "go on although the data or the plugins are not those of the run's checkpoint")(
      "json", "print a JSON summary");
  const auto values = parse(c, arguments);
  if (!values) return 0;
  const run::Folder folder = run::open_folder(required(c, *values, "RUN"));
  run::use_device((*values)["device"].as<std::string>());
  std::optional<store::Reader> old = read_results(folder);
  if (old && old->status() == "finished" && old->layout().config_hash == loader::sha256_of(folder.experiment()))
    return nothing_to_do(folder);
  return go_on(folder, std::move(old), arguments, values->count("accept-changes") > 0, values->count("json") > 0);
}

}  // namespace perrin::app
