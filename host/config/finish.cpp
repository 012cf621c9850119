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

Experiment finish(const Draft& draft) {
  Experiment made;
  made.name = draft.experiment.get<std::string>("name");
  made.seed = static_cast<uint64_t>(draft.experiment.get<int64_t>("seed"));
  made.loader_threads = static_cast<int>(draft.experiment.get<int64_t>("loader_threads"));
  const auto chosen = [&](const char* kind) {
    const auto found = draft.components.find(kind);
    if (found != draft.components.end()) return found->second;
    Component none;
    none.kind = kind;
    return none;
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
  made.samples = {count("count"),
                  count("columns"),
                  static_cast<uint64_t>(count("seed")),
                  count("batch_size"),
                  draft.samples.get<std::string>("precision"),
                  draft.samples.get<std::vector<std::string>>("prompts"),
                  draft.samples};
  if (!made.extractor.use.empty()) return made;
  made.latent = {draft.latent.get<double>("scale_factor"), draft.latent.get<double>("shift_factor"),
                 draft.latent.get<bool>("cache"), draft.latent};
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

}  // namespace perrin::config
