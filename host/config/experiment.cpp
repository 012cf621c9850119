#include "host/config/experiment.hpp"

#include "host/base/error.hpp"
#include "host/config/build.hpp"
#include "host/config/host_tables.hpp"

namespace perrin::config {
namespace {

Loss finish_loss(const StageDraft::Term& from) {
  return {from.loss, from.host.get<double>("weight"), from.host.get<int64_t>("start"), from.optimizer};
}

Component named_table(const StageDraft& from) {
  Component table = from.table;
  const Value* name = table.find("name");
  table.name = name ? std::get<std::string>(*name) : std::string(kDefaultStage);
  table.values["name"] = table.name;
  return table;
}

Stage finish_stage(const StageDraft& from) {
  const Component table = named_table(from);
  auto integer = [&](const char* key) { return table.get<int64_t>(key); };
  Stage stage;
  stage.name = table.name;
  stage.train = table.get<std::vector<std::string>>("train");
  stage.steps = integer("steps");
  stage.batch_size = integer("batch_size");
  stage.accumulate = integer("accumulate");
  stage.optimizer = from.optimizer;
  stage.lr_schedule = table.get<std::string>("lr_schedule");
  stage.warmup = integer("warmup");
  stage.clip_norm = table.get<double>("clip_norm");
  stage.precision = table.get<std::string>("precision");
  stage.ema_decay = table.get<double>("ema_decay");
  stage.log_every = integer("log_every");
  stage.checkpoint_every = integer("checkpoint_every");
  stage.sample_every = integer("sample_every");
  if (table.find("condition_drop")) stage.condition_drop = table.get<double>("condition_drop");
  if (const Value* path = table.find("from")) stage.from = std::get<std::string>(*path);
  stage.take = table.get<std::vector<std::string>>("take");
  for (const StageDraft::Term& term : from.losses) stage.losses.push_back(finish_loss(term));
  stage.table = table;
  return stage;
}

}  // namespace

const Value* Component::find(std::string_view key) const {
  auto found = values.find(std::string(key));
  return found == values.end() ? nullptr : &found->second;
}

std::string Component::weights_file() const {
  const Value* own = find("weights");
  const auto* text = own == nullptr ? &weights : std::get_if<std::string>(own);
  return text == nullptr ? "" : *text;
}

const Location& Component::place(std::string_view key) const {
  auto found = where.find(std::string(key));
  return found == where.end() ? location : found->second;
}

void Component::missing(std::string_view key) const {
  throw Error(kind + " \"" + use + "\" has no value \"" + std::string(key) + "\" of the type that was asked for",
              to_string(location), "the schema and the code that reads it disagree");
}

Experiment finish(const Draft& draft) {
  Experiment made;
  made.name = draft.experiment.get<std::string>("name");
  made.seed = static_cast<uint64_t>(draft.experiment.get<int64_t>("seed"));
  made.loader_threads = static_cast<int>(draft.experiment.get<int64_t>("loader_threads"));
  const auto chosen = [&](const char* kind) {
    const auto found = draft.components.find(kind);
    return found == draft.components.end() ? Component{.kind = kind} : found->second;
  };
  made.dataset = chosen("dataset");
  made.extractor = chosen("extractor");
  made.encoder = chosen("encoder");
  made.denoiser = chosen("denoiser");
  made.schedule = chosen("schedule");
  made.parameterization = chosen("parameterization");
  made.weighting = chosen("weighting");
  made.timesteps = chosen("timesteps");
  made.sampler = chosen("sampler");
  made.guidance = chosen("guidance");
  made.conditioners = draft.conditioners;
  for (const StageDraft& stage : draft.stages) made.stages.push_back(finish_stage(stage));
  auto count = [&](const char* key) { return draft.samples.get<int64_t>(key); };
  made.samples = {count("count"), count("columns"), static_cast<uint64_t>(count("seed")), count("batch_size"),
                  draft.samples.get<std::string>("precision"), draft.samples.get<std::vector<std::string>>("prompts"),
                  draft.samples};
  if (!made.extractor.use.empty()) return made;
  made.latent = {draft.latent.get<double>("scale_factor"), draft.latent.get<double>("shift_factor"), draft.latent.get<bool>("cache"), draft.latent};
  if (made.denoiser.use.empty()) return made;
  const Component& sampling = draft.sampling;
  made.sampling = {sampling.get<int64_t>("steps"),
                   sampling.get<std::string>("spacing"),
                   sampling.get<int64_t>("offset"),
                   sampling.get<double>("rho"),
                   sampling.get<std::vector<double>>("times"),
                   sampling.get<std::vector<double>>("sigmas"),
                   sampling.get<std::string>("final") == "lowest",
                   sampling.get<bool>("clip_denoised"),
                   sampling};
  return made;
}

const Component* Experiment::component(std::string_view kind) const {
  for (const Component* part : {&dataset, &extractor, &encoder, &denoiser, &schedule, &parameterization, &weighting,
                                &timesteps, &sampler, &guidance})
    if (part->kind == kind) return part->use.empty() ? nullptr : part;
  return nullptr;
}

std::vector<const Component*> Experiment::components() const {
  std::vector<const Component*> all;
  for (const Role& role : roles()) {
    if (const Component* part = component(role.kind)) all.push_back(part);
    for (const Component& part : conditioners)
      if (part.kind == role.kind) all.push_back(&part);
  }
  for (const Stage& stage : stages)
    for (const Loss& loss : stage.losses) all.push_back(&loss.component);
  return all;
}

}  // namespace perrin::config
