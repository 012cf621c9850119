#include "host/life/trainer.hpp"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>

#include "host/data/captions.hpp"
#include "host/data/conditioner_fit.hpp"
#include "host/data/latent_statistics.hpp"
#include "host/model/autocast.hpp"
#include "host/runs/snapshots.hpp"
#include "host/runs/start_from.hpp"
#include "host/services/call.hpp"
#include "host/train/objective/objective.hpp"

namespace perrin::life {
namespace {

constexpr size_t kCheckpointsKept = 2;  // the newest and one to fall back to

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

void check_stages(const Composition& c, const config::Loaded& loaded) {
  train::check_losses(c.model, c.losses, loaded);
  record::check_columns(c.model, c.losses, loaded);
  for (const config::Stage& stage : c.model.experiment.stages) runs::check_from(c.model, loaded, stage);
}

Trainer::Trainer(Composition& composition, const config::Loaded& loaded, const runs::Folder& folder, record::Sink& sink,
                 Watch watch, store::Metadata origin)
    : model_(composition.model),
      terms_(composition.losses),
      inputs_(composition.inputs),
      loaded_(loaded),
      folder_(folder),
      sink_(sink),
      watch_(std::move(watch)),
      trace_(model_, terms_),
      origin_(std::move(origin)) {}

void Trainer::restore(const runs::Found& checkpoint, const std::string& config_hash) {
  progress_ = checkpoint.progress;
  if (progress_.stage < 0 || progress_.stage >= static_cast<int64_t>(model_.experiment.stages.size()))
    throw Error("the checkpoint is of a stage that the experiment does not have", checkpoint.file.string());
  restored_ = checkpoint;
  config_hash_ = config_hash;
}

void Trainer::begin(int64_t batch_size) {
  data::fit_conditioners(model_, batch_size);
  for (const std::string& line : data::cut_captions(model_, batch_size)) sink_.text(line);
  if (watch_.begun) watch_.begun();
}

// A stage starts from the averaged weights of the one before it.
void Trainer::enter_stage(size_t index) {
  const config::Stage& stage = model_.experiment.stages[index];
  if (optimizer_)
    for (const model::Range& r : model_.parameters.trained_ranges())
      train::slice(model_.parameters.values(), r.begin, r.end)
          .copy_(train::slice(optimizer_->averaged(), r.begin, r.end));
  if (!restored_ && index == 0) begin(stage.batch_size);
  if (!restored_ && !stage.from.empty()) runs::take_from(model_, loaded_, stage);
  model_.parameters.train_only(train::trained_groups(model_, terms_, loaded_, index));
  adversaries_.reset();
  optimizer_ = std::make_unique<train::Optimizer>(model_.parameters, stage);
  adversaries_ = std::make_unique<train::Adversaries>(model_.parameters, stage, terms_.stages[index]);
  const train::Training kept = training();
  if (restored_) runs::load_checkpoint(restored_->file, model_.parameters, &kept, config_hash_, stateful());
  restored_.reset();
  latents_.reset();
  if (train::task_of(model_, stage) == train::Task::diffusion) {
    data::measure_latent(model_, stage.batch_size);
    if (model_.experiment.latent.cache)
      latents_ = std::make_unique<data::LatentCache>(
          model_, inputs_,
          data::CacheRequest{stage.batch_size, folder_.path, [this](const std::string& line) { sink_.text(line); },
                             watch_.stop});
  }
  pipeline_ = std::make_unique<data::Pipeline>(model_.dataset, model_.experiment.seed, progress_.position,
                                               stage.batch_size, model_.experiment.loader_threads);
}

model::Stateful Trainer::stateful() const {
  model::Stateful all = model_.fitted();
  if (model_.timesteps) all.emplace_back("timesteps", &model_.timesteps);
  return all;
}

train::Training Trainer::training() const {
  train::Training kept = optimizer_->training();
  const std::vector<train::StateTensor> players = adversaries_->state();
  kept.state.insert(kept.state.end(), players.begin(), players.end());
  return kept;
}

bool Trainer::run() {
  const auto stages = static_cast<int64_t>(model_.experiment.stages.size());
  for (int64_t stage = progress_.stage; stage < stages; ++stage) {
    if (stage > progress_.stage) progress_.stage = stage, progress_.stage_step = 0;
    enter_stage(static_cast<size_t>(stage));
    if (!train_stage()) return false;
  }
  model_.parameters.bind_to(optimizer_->averaged());
  return true;
}

bool Trainer::train_stage() {
  const config::Stage& stage = model_.experiment.stages[static_cast<size_t>(progress_.stage)];
  row_time_ = seconds();
  row_step_ = progress_.step;
  const auto due = [&](int64_t every) { return every > 0 && progress_.stage_step % every == 0; };
  const auto snapshots = stage.table.get<int64_t>("ema_snapshot_every");
  // The run may have ended between this step's checkpoint and its samples.
  if (sample_due() && !sample()) return false;
  while (progress_.stage_step < stage.steps) {
    const double loss = step();
    const bool last = progress_.stage_step == stage.steps;
    const bool stop = watch_.stop && watch_.stop();
    sink_.work({stage.name, "step", progress_.stage_step, stage.steps, progress_.stage_step - 1, loss});
    if (snapshots > 0 && (due(snapshots) || last)) snapshot();
    if (due(stage.checkpoint_every) || last || stop) checkpoint();
    if (stop && !last) return false;
    if (sample_due() && !sample()) return checkpoint(), false;
  }
  return true;
}

double Trainer::step() {
  const config::Stage& stage = model_.experiment.stages[static_cast<size_t>(progress_.stage)];
  model_.parameters.zero_gradients();
  trace_.clear();
  std::map<std::string, double> opponents;
  for (int64_t i = 0; i < stage.accumulate; ++i) pass(opponents);
  trace_.add_opponents(opponents);
  const train::Optimizer::Report report = optimizer_->update(progress_.stage_step + 1);
  check_norm(report.grad_norm);
  check_norm(adversaries_->update(progress_.stage_step + 1));
  progress_.step += 1;
  progress_.stage_step += 1;
  progress_.position += static_cast<uint64_t>(stage.batch_size * stage.accumulate);
  if (progress_.stage_step % stage.log_every == 0 || progress_.stage_step == 1) log_row(report);
  losses_.try_emplace(stage.name, trace_.loss(), 0).first->second.second = trace_.loss();
  return trace_.loss();
}

void Trainer::pass(std::map<std::string, double>& opponents) {
  const config::Stage& stage = model_.experiment.stages[static_cast<size_t>(progress_.stage)];
  const train::StageStep at{stage, progress_.step + 1, progress_.stage_step, latents_.get()};
  const bool bf16 = stage.precision == "bf16";
  const data::Batch batch = pipeline_->next();
  train::Draw drawn;
  const train::Objective o = [&] {
    const model::Autocast autocast(model_.session->device(), bf16);
    return train::objective(model_, batch, terms_.stages[static_cast<size_t>(progress_.stage)], at, &drawn);
  }();
  check_finite(o, batch, at);
  o.total.backward();
  train::observe(model_, drawn, o);
  trace_.add(o, drawn, stage.accumulate);
  if (o.oppositions.empty()) return;
  const model::Autocast autocast(model_.session->device(), bf16);
  const perrin_call call = train::training_call(model_, at, batch.positions);
  adversaries_->oppose(o.oppositions, call, 1.0 / static_cast<double>(stage.accumulate), opponents);
}

void Trainer::check_norm(double norm) const {
  if (std::isfinite(norm)) return;
  throw Error(std::string("the gradient norm is ") + (std::isnan(norm) ? "NaN" : "infinite"),
              "step " + std::to_string(progress_.step + 1),
              "lower the learning rate, set clip_norm, or use precision = \"fp32\"; the last checkpoint is unharmed");
}

// The same batch again, each component's tensors looked at: who gave the first value that is not finite? "" if nobody
// else did but the loss.
std::string Trainer::first_not_finite(const data::Batch& batch, const train::StageStep& at) const {
  const services::FindNonFinite looking;
  const model::Autocast autocast(model_.session->device(), at.stage.precision == "bf16");
  try {
    train::objective(model_, batch, terms_.stages[static_cast<size_t>(progress_.stage)], at, nullptr);
  } catch (const services::PluginError& error) {
    return "; the first such value: " + std::string(error.what()) + ", " + error.where;
  } catch (const std::exception&) {  // another fault on the way says nothing of this one
  }
  return {};
}

void Trainer::check_finite(const train::Objective& objective, const data::Batch& batch,
                           const train::StageStep& at) const {
  for (const train::TermValue& term : objective.terms) {
    if (std::isfinite(term.value)) continue;
    std::string samples;
    for (size_t b = 0; b < term.per_sample.size(); ++b)
      if (!std::isfinite(term.per_sample[b])) samples += " " + std::to_string(batch.indices[b]);
    throw Error("the loss term \"" + term.name + "\" is " + (std::isnan(term.value) ? "NaN" : "infinite") +
                    (samples.empty() ? "" : "; dataset samples with such a value:" + samples) +
                    first_not_finite(batch, at),
                "step " + std::to_string(progress_.step + 1),
                "lower the learning rate, set clip_norm, or use precision = \"fp32\"; the last checkpoint is unharmed");
  }
}

void Trainer::log_row(const train::Optimizer::Report& report) {
  const config::Stage& stage = model_.experiment.stages[static_cast<size_t>(progress_.stage)];
  const double now = seconds();
  const int64_t steps = progress_.step - row_step_;
  trace_.observe(static_cast<size_t>(progress_.stage));
  trace_.write(sink_, progress_.step, report, (now - row_time_) / static_cast<double>(steps),
               stage.batch_size * stage.accumulate);
  row_time_ = now;
  row_step_ = progress_.step;
}

// Rows first: a checkpoint never promises rows that are not on the disk.
void Trainer::checkpoint() {
  sink_.sync();
  const std::filesystem::path file = folder_.checkpoints() / runs::checkpoint_name(progress_.step);
  runs::save_checkpoint(file, model_.parameters, training(), progress_, loaded_.hash, stateful(), origin_);
  sink_.file(file);
  runs::prune_checkpoints(folder_.checkpoints(), kCheckpointsKept);
}

// Before the step's checkpoint, so that a resumed run lacks none.
void Trainer::snapshot() {
  const std::filesystem::path snapshots = folder_.path / runs::kSnapshots;
  runs::save_snapshot(snapshots, model_.parameters, optimizer_->averages(), progress_);
  sink_.file(snapshots / runs::checkpoint_name(progress_.step));
}

// The end of the run has a picture of its own, and so has the end of a first stage.
bool Trainer::sample_due() const {
  const config::Stage& stage = model_.experiment.stages[static_cast<size_t>(progress_.stage)];
  const int64_t done = progress_.stage_step;
  const bool more = progress_.stage + 1 < static_cast<int64_t>(model_.experiment.stages.size());
  if (done == stage.steps && more) return train::task_of(model_, stage) == train::Task::first_stage;
  return stage.sample_every > 0 && done > 0 && done < stage.steps && done % stage.sample_every == 0;
}

bool Trainer::sample() {
  if (!watch_.sample) return true;
  model_.parameters.bind_to(optimizer_->averaged());
  const config::Stage& stage = model_.experiment.stages[static_cast<size_t>(progress_.stage)];
  const bool whole = watch_.sample(stage, progress_.step);
  model_.parameters.bind_values();
  return whole;
}

}  // namespace perrin::life
