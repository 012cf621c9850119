#include "host/app/run.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

#include "host/app/options.hpp"
#include "host/app/session.hpp"
#include "host/console/progress.hpp"
#include "host/console/units.hpp"
#include "host/run/device.hpp"
#include "host/run/pipeline.hpp"
#include "host/run/provenance.hpp"
#include "host/run/signals.hpp"
#include "host/run/trainer.hpp"
#include "host/sample/classes.hpp"
#include "host/sample/generate.hpp"
#include "host/sample/guide.hpp"
#include "host/sample/steps.hpp"
#include "host/store/png.hpp"
#include "host/store/reader.hpp"
#include "host/store/run_lock.hpp"
#include "host/store/writer.hpp"

namespace perrin::app {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSamples = "samples";
constexpr const char* kReconstructions = "reconstructions";

// What is drawn where a stage of this task ends or asks for it; null: nothing.
const char* image_tag(const run::Model& model, run::Task task) {
  if (task == run::Task::first_stage) return kReconstructions;
  return task == run::Task::diffusion && !model.shapes.logits ? kSamples : nullptr;
}

// Samples of the right shape, for the size of their picture.
at::Tensor blank_samples(const run::Model& model, const std::string& tag) {
  std::vector<int64_t> sizes(model.shapes.x.sizes, model.shapes.x.sizes + model.shapes.x.rank);
  sizes.insert(sizes.begin(), tag == kSamples ? model.experiment.samples.count : sample::reconstruction_cells(model));
  return at::zeros(sizes);
}

store::Layout layout_of(run::Model& model, const config::Loaded& loaded, loader::Registry& registry,
                        const run::Folder& folder, const std::vector<std::string>& argv) {
  store::Layout layout;
  layout.run_id = folder.id();
  layout.config_hash = loaded.hash;
  layout.config_toml = loaded.resolved_toml;
  layout.config_json = loaded.resolved_json;
  layout.params = loaded.params;
  layout.provenance = run::provenance(model, argv);
  layout.plugins = run::plugins_used(loaded.experiment, registry);
  layout.groups = run::trace_groups(model);
  std::set<std::string> tags;
  for (const config::Stage& stage : loaded.experiment.stages)
    if (const char* tag = image_tag(model, model.task(stage))) tags.insert(tag);
  for (const std::string& tag : tags) {
    const at::Tensor blank = blank_samples(model, tag);
    if (!sample::can_draw(blank)) continue;
    const store::Image picture = sample::picture(blank, loaded.experiment.samples.columns);
    layout.images.push_back({tag, picture.height, picture.width, picture.channels});
  }
  return layout;
}

// What is there already when a process takes a run up.
struct Start {
  std::optional<run::Found> checkpoint;
  std::set<std::pair<std::string, int64_t>> drawn;  // tags and steps of the pictures that the results file keeps
};

// One process's part of a run: from a model and a checkpoint, or none, to the end.
class Life {
 public:
  Life(run::Model& model, const config::Loaded& loaded, const run::Folder& folder, store::Writer writer)
      : model_(model), loaded_(loaded), folder_(folder), writer_(std::move(writer)) {
    run::Watch watch;
    watch.step = [this](const run::StepReport& r) { show(r); };
    watch.sample = [this](int64_t step) { return draw(step); };
    watch.note = [this](const std::string& line) {
      bar_.reset();
      shown_.clear();
      std::cerr << line << "\n";
      log_line(line);
    };
    watch.stop = [] { return run::stop_signal() != 0; };
    trainer_ = std::make_unique<run::Trainer>(model, loaded, folder_, writer_, std::move(watch));
  }

  void restore(const Start& start) {
    if (start.checkpoint) trainer_->restore(*start.checkpoint);
    drawn_ = start.drawn;
  }

  // The exit code; the file's status says the same.
  int live() {
    try {
      const bool finished = trainer_->run() && draw(trainer_->progress().step);
      bar_.reset();
      writer_.set_status(finished ? "finished" : "interrupted");
      writer_.close();
      return finished ? 0 : run::stop_exit_code();
    } catch (...) {
      bar_.reset();
      mark_failed();
      throw;
    }
  }

  const run::Trainer& trainer() const { return *trainer_; }
  const fs::path& picture() const { return picture_; }

 private:
  void show(const run::StepReport& r) {
    if (shown_ != r.stage.name) {
      bar_ = std::make_unique<console::Progress>(r.stage.name, r.stage.steps, "step", r.stage_step - 1);
      shown_ = r.stage.name;
    }
    bar_->update(r.stage_step, r.loss);
  }

  // The present stage's picture: samples, or data and their reconstructions. False when the user stopped it.
  bool draw(int64_t step) {
    const auto stage = static_cast<size_t>(trainer_->progress().stage);
    const char* tag = image_tag(model_, model_.task(model_.experiment.stages[stage]));
    if (!tag) return true;
    bar_.reset();
    const std::string prefix = tag == kSamples ? "" : "reconstructions-";
    picture_ = folder_.samples() / fs::path(prefix + run::checkpoint_name(step)).replace_extension(".png");
    if (drawn_.count({tag, step})) return true;
    shown_.clear();
    return tag == kSamples ? draw_samples(step) : keep(kReconstructions, step, sample::reconstructions(model_));
  }

  bool draw_samples(int64_t step) {
    const config::Samples& s = model_.experiment.samples;
    sample::Request request;
    request.count = s.count;
    request.batch_size = s.batch_size;
    request.seed = s.seed;
    request.labels = sample::grid_labels(model_, s.count, s.columns);
    request.given = sample::grid_conditions(model_, s);
    request.bf16 = s.precision == "bf16";
    request.cancelled = [] { return run::stop_signal() != 0; };
    auto bar = std::make_unique<console::Progress>("sampling", 0, "call");
    request.progress = [&](int64_t done, int64_t total) { bar->set_total(total), bar->update(done); };
    try {
      const at::Tensor samples = sample::generate(model_, request);
      bar.reset();
      return keep(kSamples, step, samples);
    } catch (const Error& error) {
      if (error.exit == Exit::interrupted) return picture_.clear(), false;
      throw;
    }
  }

  bool keep(const char* tag, int64_t step, const at::Tensor& samples) {
    if (!sample::can_draw(samples)) return picture_.clear(), true;
    const store::Image image = sample::picture(samples, model_.experiment.samples.columns);
    store::write_png(picture_, image);
    writer_.append_image(tag, step, image.pixels);
    return true;
  }

  void mark_failed() noexcept {
    try {
      writer_.set_status("failed");
      writer_.close();
    } catch (...) {  // the first failure is being reported already
    }
  }

  run::Model& model_;
  const config::Loaded& loaded_;
  run::Folder folder_;
  store::Writer writer_;
  std::unique_ptr<run::Trainer> trainer_;
  std::unique_ptr<console::Progress> bar_;
  std::string shown_;
  fs::path picture_;
  std::set<std::pair<std::string, int64_t>> drawn_;
};

std::string heading(run::Model& model) {
  const config::Experiment& e = model.experiment;
  int64_t parameters = 0;
  for (const run::ParameterGroup& group : model.parameters.groups()) parameters += group.count();
  std::string parts;
  if (model.extractor) parts = e.extractor.use;
  if (model.encoder && e.encoder.use != "identity") parts = e.encoder.use;
  if (model.diffuses()) parts += (parts.empty() ? "" : " and ") + e.denoiser.use;
  std::string line = e.name + ": " + parts + " on " + e.dataset.use + " " + run::shape_text(model.shapes.x);
  if (model.diffuses()) line += ", " + e.schedule.use + " schedule, " + e.parameterization.use;
  return line + ", " + console::count(parameters) + " parameters, seed " + std::to_string(e.seed) + ", " +
         run::device_name();
}

void print_summary(const Life& life, const run::Folder& folder, double seconds, bool json, int code) {
  nlohmann::json summary = {{"run", folder.path.string()}, {"results", folder.results().string()},
                            {"samples", life.picture().string()}, {"seconds", seconds}, {"exit", code}};
  for (const auto& [stage, losses] : life.trainer().losses()) summary["loss"][stage] = losses.second;
  if (json) {
    std::cout << summary.dump() << "\n";
    return;
  }
  std::cout << (code == 0 ? "finished in " : "stopped after ") << console::duration(seconds) << "\n";
  for (const auto& [stage, losses] : life.trainer().losses())
    std::cout << "  loss      " << stage << ": " << losses.first << " -> " << losses.second << "\n";
  std::cout << "  results   " << folder.results().string() << "\n";
  if (!life.picture().empty()) std::cout << "  samples   " << life.picture().string() << "\n";
  if (code != 0) std::cout << "  go on     perrin resume " << folder.path.string() << "\n";
  std::cout << folder.path.string() << "\n";
}

int live(run::Model& model, const config::Loaded& loaded, const run::Folder& folder, store::Writer writer,
         const Start& start, bool json) {
  const auto begin = std::chrono::steady_clock::now();
  open_log(folder.log());
  log_line(heading(model));
  std::cerr << heading(model) << "\n";
  Life life(model, loaded, folder, std::move(writer));
  life.restore(start);
  try {
    const int code = life.live();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    print_summary(life, folder, seconds.count(), json, code);
    return code;
  } catch (const Error& error) {
    log_line(error.message());
    throw;
  }
}

// The run's results up to its checkpoint; a run killed before it had any starts with a new file.
store::Writer take_up(const run::Folder& folder, const store::Layout& layout, Start& start) {
  std::error_code ignored;
  if (!fs::exists(folder.results(), ignored)) return store::Writer::create(folder.results(), layout);
  const int64_t last = start.checkpoint ? start.checkpoint->progress.step : 0;
  for (const auto& images : layout.images)
    for (const int64_t step : store::Reader::open(folder.results()).image_steps(images.tag))
      if (step <= last) start.drawn.insert({images.tag, step});
  return store::Writer::resume(folder.results(), last);
}

std::vector<std::string> command_line(const char* command, const std::vector<std::string>& arguments) {
  std::vector<std::string> argv = {"perrin", command};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return argv;
}

}  // namespace

int run_command(const std::vector<std::string>& arguments) {
  Command c("run", "run FILE [options]", "Train an experiment, sample from it, and keep every number in one HDF5 file.",
            "perrin run experiments/quickstart.toml --set stage.steps=200");
  c.positional = {"FILE"};
  c.description.add_options()("out", options::value<std::string>(), "the run's folder (default: results/NAME/TIME-HASH)")(
      "set", options::value<std::vector<std::string>>()->composing(), "override a key, KEY=VALUE; repeatable")(
      "seed", options::value<int64_t>(), "the experiment's seed")(
      "device", options::value<std::string>()->default_value("auto"), "cpu, cuda or auto")("json", "print a JSON summary");
  const auto values = parse(c, arguments);
  if (!values) return 0;
  const fs::path file = required(c, *values, "FILE");
  run::use_device((*values)["device"].as<std::string>());
  auto set = values->count("set") ? (*values)["set"].as<std::vector<std::string>>() : std::vector<std::string>();
  if (values->count("seed")) set.push_back("experiment.seed=" + std::to_string((*values)["seed"].as<int64_t>()));
  loader::Registry& registry = open_registry({fs::absolute(file).parent_path()});
  const config::Loaded loaded = load_experiment(file, set);
  run::Model model(loaded, registry);
  model.build_parameters();
  run::check_stages(model, loaded);
  if (model.diffuses()) {
    sample::check_generates(model, loaded);
    sample::load_guide(model, registry, load_other);
    sample::check_steps(model.times, loaded);
  }
  run::dataset_count(model.dataset);  // data that are not there leave no run behind
  stop_if_asked();
  const auto out = values->count("out") ? std::optional<fs::path>((*values)["out"].as<std::string>()) : std::nullopt;
  const run::Folder folder = run::create_folder(loaded, out);
  auto writer = store::Writer::create(
      folder.results(), layout_of(model, loaded, registry, folder, command_line("run", arguments)));
  return live(model, loaded, folder, std::move(writer), {}, values->count("json") > 0);
}

int resume_command(const std::vector<std::string>& arguments) {
  Command c("resume", "resume RUN [options]",
            "Go on with a run that stopped, from its newest checkpoint that verifies. It ends bit-identical to a run that "
            "was never interrupted.",
            "perrin resume results/quickstart/RUN");
  c.positional = {"RUN"};
  c.description.add_options()("device", options::value<std::string>()->default_value("auto"), "cpu, cuda or auto")(
      "json", "print a JSON summary");
  const auto values = parse(c, arguments);
  if (!values) return 0;
  const run::Folder folder = run::open_folder(required(c, *values, "RUN"));
  run::use_device((*values)["device"].as<std::string>());
  { const store::RunLock busy(folder.results()); }  // first: what another process is writing reads as damaged
  std::error_code ignored;
  if (fs::exists(folder.results(), ignored) && store::Reader::open(folder.results()).status() == "finished") {
    store::Writer::close_killed(folder.results());
    std::cerr << "the run is finished; nothing to do\n";
    std::cout << folder.path.string() << "\n";
    return 0;
  }
  loader::Registry& registry = open_registry(run::data_folders(folder));
  const config::Loaded loaded = load_experiment(folder.experiment(), {});
  run::Model model(loaded, registry);
  model.build_parameters();
  if (model.diffuses()) sample::load_guide(model, registry, load_other);
  std::vector<std::string> rejected;
  Start start{run::newest_checkpoint(folder.checkpoints(), &rejected), {}};
  for (const std::string& line : rejected) std::cerr << "warning: skipped a checkpoint: " << line << "\n";
  if (!start.checkpoint && !rejected.empty()) {
    throw Error("none of the run's checkpoints can be read", folder.checkpoints().string(),
                "put a good copy of one there, or delete them to start again from step 0, which drops all rows");
  }
  if (!start.checkpoint) std::cerr << "no checkpoint yet: starting from step 0\n";
  stop_if_asked();
  auto writer = take_up(folder, layout_of(model, loaded, registry, folder, command_line("resume", arguments)), start);
  return live(model, loaded, folder, std::move(writer), start, values->count("json") > 0);
}

}  // namespace perrin::app
