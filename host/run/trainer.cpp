#include "host/run/trainer.hpp"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>

#include "host/run/autocast.hpp"
#include "host/run/fit.hpp"
#include "host/run/text_lengths.hpp"
#include "host/run/latent.hpp"
#include "host/run/latent_cache.hpp"
#include "host/run/loss_inputs.hpp"
#include "host/run/pipeline.hpp"
#include "host/run/snapshots.hpp"
#include "host/run/take.hpp"
#include "host/services/call.hpp"

namespace perrin::run {
namespace {

constexpr size_t kCheckpointsKept = 2;  // the newest and one to fall back to

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

std::vector<std::string> trained_kinds(const Model& model, const config::Loaded& loaded, const config::Stage& stage) {
  const auto asked = [&](const std::string& kind) {
    return stage.train.empty() || std::find(stage.train.begin(), stage.train.end(), kind) != stage.train.end();
  };
  std::vector<std::string> kinds;
  std::set<std::string> found;
  for (const ParameterGroup& group : model.parameters.groups()) {
    const std::string kind = group.kind.substr(0, group.kind.find('.'));
    // What a weighting learns is how hard the denoiser finds each noise level.
    const std::string leader = kind == "weighting" ? "denoiser" : kind;
    if (kind == "loss" || group.count() == 0 || !asked(leader)) continue;
    kinds.push_back(group.kind);
    found.insert(kind);
  }
  for (const std::string& kind : stage.train)
    if (!found.contains(kind))
      throw loaded.error(stage.table.place("train"), "the " + kind + " has no parameters to train",
                         "take it out of `train`");
  if (kinds.empty()) throw loaded.error(stage.table.location, "the stage trains nothing: no component has parameters");
  for (const LossTerm& term : model.losses[static_cast<size_t>(&stage - model.experiment.stages.data())])
    if (!is_adversary(term.component) && model.parameters.group(term_kind(stage, term)))
      kinds.push_back(term_kind(stage, term));
  return kinds;
}

namespace {

// The encoder's place in the stages: a first stage is a stage of its own.
void check_first_stage(const Model& model, const config::Loaded& loaded, const config::Stage& stage) {
  const ParameterGroup* encoder = model.parameters.group("encoder");
  if (!model.encoder || !encoder || encoder->count() == 0 || !stage.train.empty()) return;
  throw loaded.error(stage.table.location,
                     "the encoder has parameters, and stage \"" + stage.name + "\" does not say what it trains",
                     "write train = [\"encoder\"] for a first stage, train = [\"denoiser\"] for diffusion in its space");
}

}  // namespace

void check_stages(const Model& model, const config::Loaded& loaded) {
  model.check_trainable(loaded);
  check_columns(model, loaded);
  for (const config::Stage& stage : model.experiment.stages) {
    check_first_stage(model, loaded, stage);
    trained_kinds(model, loaded, stage);
    check_from(model, loaded, stage);
    const auto begins = [](const config::Loss& loss) { return loss.start == 0; };
    if (std::none_of(stage.losses.begin(), stage.losses.end(), begins))
      throw loaded.error(stage.losses.front().component.location,
                         "no loss of stage \"" + stage.name + "\" counts at its first step", "give one term start = 0");
  }
}

Trainer::Trainer(Model& model, const config::Loaded& loaded, const Folder& folder, store::Writer& writer, Watch watch,
                 store::Metadata origin)
    : model_(model),
      loaded_(loaded),
      folder_(folder),
      writer_(writer),
      watch_(std::move(watch)),
      trace_(model),
      origin_(std::move(origin)) {}

void Trainer::restore(const Found& checkpoint, const std::string& config_hash) {
  progress_ = checkpoint.progress;
  if (progress_.stage < 0 || progress_.stage >= static_cast<int64_t>(model_.experiment.stages.size()))
    throw Error("the checkpoint is of a stage that the experiment does not have", checkpoint.file.string());
  restored_ = checkpoint;
  config_hash_ = config_hash;
}

void Trainer::begin(int64_t batch_size) {
  fit_conditioners(model_, batch_size);
  for (const std::string& line : cut_captions(model_, batch_size)) watch_.note(line);
  if (watch_.begun) watch_.begun();
}

// A stage starts from the averaged weights of the one before it.
void Trainer::enter_stage(size_t index) {
  const config::Stage& stage = model_.experiment.stages[index];
  if (optimizer_)
    for (const Range& r : model_.parameters.trained_ranges())
      slice(model_.parameters.values(), r.begin, r.end).copy_(slice(optimizer_->averaged(), r.begin, r.end));
  if (!restored_ && index == 0) begin(stage.batch_size);
  if (!restored_ && !stage.from.empty()) take_from(model_, loaded_, stage);
  model_.parameters.train_only(trained_kinds(model_, loaded_, stage));
  adversaries_.reset();
  optimizer_ = std::make_unique<Optimizer>(model_.parameters, stage);
  adversaries_ = std::make_unique<Adversaries>(model_.parameters, stage, model_.losses[index]);
  const Training kept = training();
  if (restored_) load_checkpoint(restored_->file, model_.parameters, &kept, config_hash_, stateful());
  restored_.reset();
  model_.latents.reset();
  if (model_.task(stage) == Task::diffusion) {
    measure_latent(model_, stage.batch_size);
    if (model_.experiment.latent.cache)
      model_.latents = std::make_shared<LatentCache>(model_, stage.batch_size, folder_.path, watch_.note);
  }
  pipeline_ = std::make_unique<Pipeline>(model_.dataset, model_.experiment.seed, progress_.position, stage.batch_size,
                                         model_.experiment.loader_threads);
}

Stateful Trainer::stateful() const {
  Stateful all = model_.fitted();
  if (model_.timesteps) all.emplace_back("timesteps", &model_.timesteps);
  return all;
}

Training Trainer::training() const {
  Training kept = optimizer_->training();
  const std::vector<StateTensor> players = adversaries_->state();
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
    if (watch_.step) watch_.step({stage, progress_.stage_step, loss});
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
  const Optimizer::Report report = optimizer_->update(progress_.stage_step + 1);
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
  const StageStep at{stage, progress_.step + 1, progress_.stage_step};
  const bool bf16 = stage.precision == "bf16";
  const Batch batch = pipeline_->next();
  Draw drawn;
  const Objective o = [&] {
    const Autocast autocast(bf16);
    return objective(model_, batch, model_.losses[static_cast<size_t>(progress_.stage)], at, &drawn);
  }();
  check_finite(o, batch, at);
  o.total.backward();
  observe(model_, drawn, o);
  trace_.add(o, drawn, stage.accumulate);
  if (o.oppositions.empty()) return;
  const Autocast autocast(bf16);
  const perrin_call call = training_call(model_, at.step, at.stage_step, stage.steps, batch.positions);
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
std::string Trainer::first_not_finite(const Batch& batch, const StageStep& at) const {
  const services::FindNonFinite looking;
  const Autocast autocast(at.stage.precision == "bf16");
  try {
    objective(model_, batch, model_.losses[static_cast<size_t>(progress_.stage)], at, nullptr);
  } catch (const services::PluginError& error) {
    return "; the first such value: " + std::string(error.what()) + ", " + error.where;
  } catch (const std::exception&) {  // another fault on the way says nothing of this one
  }
  return {};
}

void Trainer::check_finite(const Objective& objective, const Batch& batch, const StageStep& at) const {
  for (const TermValue& term : objective.terms) {
    if (std::isfinite(term.value)) continue;
    std::string samples;
    for (size_t b = 0; b < term.per_sample.size(); ++b)
      if (!std::isfinite(term.per_sample[b])) samples += " " + std::to_string(batch.indices[b]);
    throw Error("the loss term \"" + term.name + "\" is " + (std::isnan(term.value) ? "NaN" : "infinite") +
                    (samples.empty() ? "" : "; dataset samples with such a value:" + samples) + first_not_finite(batch, at),
                "step " + std::to_string(progress_.step + 1),
                "lower the learning rate, set clip_norm, or use precision = \"fp32\"; the last checkpoint is unharmed");
  }
}

void Trainer::log_row(const Optimizer::Report& report) {
  const config::Stage& stage = model_.experiment.stages[static_cast<size_t>(progress_.stage)];
  const double now = seconds();
  const int64_t steps = progress_.step - row_step_;
  trace_.observe(static_cast<size_t>(progress_.stage));
  trace_.write(writer_, progress_.step, report, (now - row_time_) / static_cast<double>(steps),
               stage.batch_size * stage.accumulate);
  row_time_ = now;
  row_step_ = progress_.step;
}

// Rows first: a checkpoint never promises rows that are not on the disk.
void Trainer::checkpoint() {
  writer_.sync();
  save_checkpoint(folder_.checkpoints() / checkpoint_name(progress_.step), model_.parameters, training(), progress_,
                  loaded_.hash, stateful(), origin_);
  prune_checkpoints(folder_.checkpoints(), kCheckpointsKept);
}

// Before the step's checkpoint, so that a resumed run lacks none.
void Trainer::snapshot() {
  save_snapshot(folder_.path / kSnapshots, model_.parameters, optimizer_->averages(), progress_);
}

// The end of the run has a picture of its own, and so has the end of a first stage.
bool Trainer::sample_due() const {
  const config::Stage& stage = model_.experiment.stages[static_cast<size_t>(progress_.stage)];
  const int64_t done = progress_.stage_step;
  const bool more = progress_.stage + 1 < static_cast<int64_t>(model_.experiment.stages.size());
  if (done == stage.steps && more) return model_.task(stage) == Task::first_stage;
  return stage.sample_every > 0 && done > 0 && done < stage.steps && done % stage.sample_every == 0;
}

bool Trainer::sample() {
  if (!watch_.sample) return true;
  model_.parameters.bind_to(optimizer_->averaged());
  const bool whole = watch_.sample(progress_.step);
  model_.parameters.bind_values();
  return whole;
}

}  // namespace perrin::run
