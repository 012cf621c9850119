// The life of a run: stages of optimizer steps, with rows, checkpoints and samples on the way.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/base/error.hpp"
#include "host/data/pipeline.hpp"
#include "host/life/composition.hpp"
#include "host/record/sink.hpp"
#include "host/record/trace.hpp"
#include "host/runs/checkpoint.hpp"
#include "host/runs/folder.hpp"
#include "host/train/adversaries.hpp"

namespace perrin::life {

// What the trainer asks its surroundings; all may be empty.
struct Watch {
  // Weights bound to the average; false: interrupted, asked again on resume.
  std::function<bool(const config::Stage& stage, int64_t step)> sample;
  std::function<bool()> stop;   // asked after each step
  std::function<void()> begun;  // once, before a new run's first step: conditioners are fit
};

class Trainer {
 public:
  // All are borrowed.
  Trainer(Composition& composition, const config::Loaded& loaded, const runs::Folder& folder, record::Sink& sink,
          Watch watch, store::Metadata origin = {});  // of the checkpoints, origin.hpp

  // Continues from a checkpoint, whose config_hash is this: call before run(). Throws Error if it does not fit.
  void restore(const runs::Found& checkpoint, const std::string& config_hash);

  // Trains what is left of all stages and leaves the averaged weights bound. Returns false when it was stopped; a
  // checkpoint of the last step is then on the disk. Throws Error, after a NaN with the step, the term and the samples;
  // the last good checkpoint stays.
  bool run();

  const runs::Progress& progress() const { return progress_; }

  // Sum of the terms at the first and at the last step of this process, by trace name; empty if no step was needed.
  const std::map<std::string, std::pair<double, double>>& losses() const { return losses_; }

 private:
  void begin(int64_t batch_size);
  void enter_stage(size_t index);
  bool train_stage();
  double step();
  // One batch's part of a step: forward and backward pass of the stage's, then of the second players'.
  void pass(std::map<std::string, double>& opponents);
  train::Training training() const;
  model::Stateful stateful() const;
  void check_finite(const train::Objective& objective, const data::Batch& batch, const train::StageStep& at) const;
  std::string first_not_finite(const data::Batch& batch, const train::StageStep& at) const;
  void check_norm(double norm) const;
  void log_row(const train::Optimizer::Report& report);
  void checkpoint();
  void snapshot();
  bool sample_due() const;
  bool sample();

  model::Model& model_;
  train::Losses& terms_;
  const data::InputFiles& inputs_;
  const config::Loaded& loaded_;
  const runs::Folder& folder_;
  record::Sink& sink_;
  Watch watch_;
  runs::Progress progress_;
  record::Trace trace_;
  std::unique_ptr<train::Optimizer> optimizer_;
  std::unique_ptr<train::Adversaries> adversaries_;
  std::unique_ptr<data::LatentCache> latents_;  // of [encoder] cache, where a stage trains diffusion; null: none
  std::unique_ptr<data::Pipeline> pipeline_;
  store::Metadata origin_;
  std::optional<runs::Found> restored_;
  std::string config_hash_;
  std::map<std::string, std::pair<double, double>> losses_;
  double row_time_ = 0;  // seconds, when the last row was written
  int64_t row_step_ = 0;
};

// Throws Diagnostics, at its place in the file, for stages that could not be trained as they stand.
void check_stages(const Composition& composition, const config::Loaded& loaded);

}  // namespace perrin::life
