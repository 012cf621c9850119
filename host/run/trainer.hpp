// The life of a run: stages of optimizer steps, with rows, checkpoints and samples on the way.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/base/error.hpp"
#include "host/run/adversaries.hpp"
#include "host/run/checkpoint.hpp"
#include "host/run/folder.hpp"
#include "host/run/model.hpp"
#include "host/run/optimizer.hpp"
#include "host/run/trace.hpp"
#include "host/store/writer.hpp"

namespace perrin::run {

// After each step, for the progress bar.
struct StepReport {
  const config::Stage& stage;
  int64_t stage_step = 0;
  double loss = 0;
};

// What the trainer tells and asks its surroundings; all may be empty.
struct Watch {
  std::function<void(const StepReport&)> step;
  std::function<bool(int64_t step)> sample;  // weights bound to the average; false: interrupted, asked again on resume
  std::function<bool()> stop;                // asked after each step
  std::function<void(const std::string&)> note;  // told of long work that is no step
  std::function<void()> begun;                   // once, before a new run's first step: conditioners are fit
};

class Trainer {
 public:
  // All are borrowed.
  Trainer(Model& model, const config::Loaded& loaded, const Folder& folder, store::Writer& writer, Watch watch,
          store::Metadata origin = {});  // of the checkpoints, origin.hpp

  // Continues from a checkpoint, whose config_hash is this: call before run(). Throws Error if it does not fit.
  void restore(const Found& checkpoint, const std::string& config_hash);

  // Trains what is left of all stages and leaves the averaged weights bound. Returns false when it was stopped; a
  // checkpoint of the last step is then on the disk. Throws Error, after a NaN with the step, the term and the samples;
  // the last good checkpoint stays.
  bool run();

  const Progress& progress() const { return progress_; }

  // Sum of the terms at the first and at the last step of this process, by trace name; empty if no step was needed.
  const std::map<std::string, std::pair<double, double>>& losses() const { return losses_; }

 private:
  void begin(int64_t batch_size);
  void enter_stage(size_t index);
  bool train_stage();
  double step();
  // One batch's part of a step: forward and backward pass of the stage's, then of the second players'.
  void pass(std::map<std::string, double>& opponents);
  Training training() const;
  Stateful stateful() const;
  void check_finite(const Objective& objective, const Batch& batch, const StageStep& at) const;
  std::string first_not_finite(const Batch& batch, const StageStep& at) const;
  void check_norm(double norm) const;
  void log_row(const Optimizer::Report& report);
  void checkpoint();
  void snapshot();
  bool sample_due() const;
  bool sample();

  Model& model_;
  const config::Loaded& loaded_;
  const Folder& folder_;
  store::Writer& writer_;
  Watch watch_;
  Progress progress_;
  Trace trace_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<Adversaries> adversaries_;
  std::unique_ptr<Pipeline> pipeline_;
  store::Metadata origin_;
  std::optional<Found> restored_;
  std::string config_hash_;
  std::map<std::string, std::pair<double, double>> losses_;
  double row_time_ = 0;  // seconds, when the last row was written
  int64_t row_step_ = 0;
};

// The kinds that a stage trains: those it names, else all with parameters; the weighting's go with the denoiser. Throws
// Diagnostics if it trains nothing.
std::vector<std::string> trained_kinds(const Model& model, const config::Loaded& loaded, const config::Stage& stage);

// Throws Diagnostics, at its place in the file, for a stage that trains nothing or whose losses all start later.
void check_stages(const Model& model, const config::Loaded& loaded);

}  // namespace perrin::run
