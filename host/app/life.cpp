#include "host/app/life.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

#include "host/app/json_text.hpp"
#include "host/app/session.hpp"
#include "host/console/progress.hpp"
#include "host/console/units.hpp"
#include "host/life/signals.hpp"
#include "host/life/trainer.hpp"
#include "host/model/device.hpp"
#include "host/model/fields.hpp"
#include "host/runs/data_record.hpp"
#include "host/runs/inputs.hpp"
#include "host/runs/provenance.hpp"
#include "host/sample/classes.hpp"
#include "host/sample/generate.hpp"
#include "host/sample/steps.hpp"
#include "host/services/spec.hpp"
#include "host/store/png.hpp"

namespace perrin::app {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSamples = "samples";
constexpr const char* kReconstructions = "reconstructions";

// What is drawn where a stage of this task ends or asks for it; null: nothing.
const char* image_tag(const model::Model& model, train::Task task) {
  if (task == train::Task::first_stage) return kReconstructions;
  return task == train::Task::diffusion && !model.shapes.logits ? kSamples : nullptr;
}

// Samples of the right shape, for the size of their picture.
at::Tensor blank_samples(const model::Model& model, const std::string& tag) {
  const int64_t n = tag == kSamples ? model.experiment.samples.count : sample::reconstruction_cells(model);
  return at::zeros(services::batch_sizes(model.shapes.x, n));
}

// One process's part of a run: from a model and a checkpoint, or none, to the end.
class Life {
 public:
  Life(life::Composition& composition, const config::Loaded& loaded, const runs::Folder& folder, store::Writer writer,
       const Start& start)
      : model_(composition.model), loaded_(loaded), folder_(folder), writer_(std::move(writer)) {
    life::Watch watch;
    watch.step = [this](const life::StepReport& r) { show(r); };
    watch.sample = [this](int64_t step) { return draw(step); };
    watch.note = [this](const std::string& line) { note(line); };
    watch.begun = [this] {
      for (const std::string& line : sample::cut_prompts(model_, model_.experiment.samples.prompts)) note(line);
    };
    watch.stop = [] { return life::stop_signal() != 0; };
    trainer_ = std::make_unique<life::Trainer>(composition, loaded, folder_, writer_, std::move(watch),
                                               runs::to_metadata(start.origin));
    if (start.checkpoint) trainer_->restore(*start.checkpoint, start.checkpoint->metadata.at("config_hash"));
    drawn_ = start.drawn;
  }

  // The exit code; the file's status says the same.
  int live() {
    try {
      const bool finished = trainer_->run() && draw(trainer_->progress().step);
      bar_.reset();
      writer_.set_status(finished ? "finished" : "interrupted");
      writer_.close();
      return finished ? 0 : life::stop_exit_code();
    } catch (...) {
      bar_.reset();
      mark_failed();
      throw;
    }
  }

  const life::Trainer& trainer() const { return *trainer_; }
  const fs::path& picture() const { return picture_; }

 private:
  void note(const std::string& line) {
    bar_.reset();
    shown_.clear();
    std::cerr << line << "\n";
    log_line(line);
  }

  void show(const life::StepReport& r) {
    if (shown_ != r.stage.name) {
      bar_ = std::make_unique<console::Progress>(r.stage.name, r.stage.steps, "step", r.stage_step - 1);
      shown_ = r.stage.name;
    }
    bar_->update(r.stage_step, r.loss);
  }

  // The present stage's picture: samples, or data and their reconstructions. False when the user stopped it.
  bool draw(int64_t step) {
    const auto stage = static_cast<size_t>(trainer_->progress().stage);
    const char* tag = image_tag(model_, train::task_of(model_, model_.experiment.stages[stage]));
    if (!tag) return true;
    bar_.reset();
    const std::string prefix = tag == kSamples ? "" : "reconstructions-";
    picture_ = folder_.samples() / fs::path(prefix + runs::checkpoint_name(step)).replace_extension(".png");
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
    request.cancelled = [] { return life::stop_signal() != 0; };
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

  model::Model& model_;
  const config::Loaded& loaded_;
  runs::Folder folder_;
  store::Writer writer_;
  std::unique_ptr<life::Trainer> trainer_;
  std::unique_ptr<console::Progress> bar_;
  std::string shown_;
  fs::path picture_;
  std::set<std::pair<std::string, int64_t>> drawn_;
};

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

void print_summary(const Life& life, const runs::Folder& folder, double seconds, bool json, int code) {
  nlohmann::json summary = {{"run", folder.path.string()},
                            {"results", folder.results().string()},
                            {"samples", life.picture().string()},
                            {"seconds", seconds},
                            {"exit", code}};
  for (const auto& [stage, losses] : life.trainer().losses()) summary["loss"][stage] = losses.second;
  if (json) {
    std::cout << json_text(summary);
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

}  // namespace

store::Layout layout_of(life::Composition& composition, const config::Loaded& loaded, loader::Registry& registry,
                        const runs::Folder& folder, const std::vector<std::string>& argv) {
  model::Model& model = composition.model;
  store::Layout layout;
  layout.run_id = folder.id();
  layout.config_hash = loaded.hash;
  layout.config_toml = loaded.resolved_toml;
  layout.config_json = loaded.resolved_json;
  layout.params = loaded.params;
  layout.provenance = runs::provenance(model, composition.inputs, argv);
  layout.plugins = runs::plugins_used(loaded.experiment, registry);
  layout.groups = record::trace_groups(model, composition.losses);
  std::set<std::string> tags;
  for (const config::Stage& stage : loaded.experiment.stages)
    if (const char* tag = image_tag(model, train::task_of(model, stage))) tags.insert(tag);
  for (const std::string& tag : tags) {
    const at::Tensor blank = blank_samples(model, tag);
    if (!sample::can_draw(blank)) continue;
    const store::Image picture = sample::picture(blank, loaded.experiment.samples.columns);
    layout.images.push_back({tag, picture.height, picture.width, picture.channels});
  }
  return layout;
}

void identify(life::Composition& composition, const config::Loaded& loaded, size_t first_stage) {
  std::unique_ptr<console::Progress> bar;
  composition.inputs = runs::read_inputs(
      composition.model, composition.trainable_losses(), loaded, first_stage, [&](uint64_t done, uint64_t total) {
        stop_if_asked();
        constexpr uint64_t kLong = uint64_t{256} << 20, kMega = 1'000'000;
        if (total < kLong) return;
        if (!bar) bar = std::make_unique<console::Progress>("hashing the data", int64_t(total / kMega), "MB");
        bar->update(int64_t(done / kMega));
      });
}

int live(life::Composition& composition, const config::Loaded& loaded, const runs::Folder& folder, store::Writer writer,
         const Start& start, bool json) {
  const auto begin = std::chrono::steady_clock::now();
  model::Model& model = composition.model;
  runs::keep_data(folder, model, model.diffuses() ? sample::grid_rows(model, loaded.experiment.samples) : 0);
  open_log(folder.log());
  log_line(heading(model));
  std::cerr << heading(model) << "\n";
  for (const std::string& line : start.notes) log_line(line);
  Life life(composition, loaded, folder, std::move(writer), start);
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

std::vector<std::string> command_line(const char* command, const std::vector<std::string>& arguments) {
  std::vector<std::string> argv = {"perrin", command};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return argv;
}

}  // namespace perrin::app
