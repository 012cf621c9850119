#include "host/train/losses.hpp"

#include <perrin/kind/loss.h>

#include <algorithm>

#include "host/train/objective/inputs.hpp"

namespace perrin::train {
namespace {

void tell_shapes(const model::Model& model, const config::Loaded& loaded, const config::Stage& stage, size_t i,
                 const services::Component& loss) {
  if (!loss.has<&perrin_loss::infer>()) return;
  check_inputs(model, loaded, stage, stage.losses[i], loss);
  const std::vector<perrin_spec> specs = input_shapes(model, stage, loss);
  model::placed(loaded, stage.losses[i].component,
                [&] { loss.invoke<&perrin_loss::infer>(static_cast<uint32_t>(specs.size()), specs.data()); });
}

// One term of a stage: it has its inputs, and what it says of other terms and optimizers holds.
void check_term(const model::Model& model, const Losses& losses, const config::Loaded& loaded, size_t s, size_t i) {
  const config::Stage& stage = model.experiment.stages[s];
  const config::Loss& loss = stage.losses[i];
  const services::Component& component = losses.stages[s][i].component;
  check_inputs(model, loaded, stage, loss, component);
  if (i == 0 && takes(component, "terms"))
    throw loaded.error(
        loss.component.location,
        "the loss \"" + loss.component.use + "\" weighs itself against the terms before it, and is the first",
        "put it behind the stage's other losses");
  if (loss.optimizer && !is_adversary(component))
    throw loaded.error(loss.optimizer->location,
                       "the loss \"" + loss.component.use + "\" is no adversary and has nothing of its own to optimize",
                       "take `optimizer` out, or put it into the stage");
}

// Of a stage that trains diffusion: its losses reach the mean, and the variance if there is one.
void check_diffusion_losses(const model::Model& model, const std::vector<LossTerm>& terms, const config::Loaded& loaded,
                            const config::Stage& stage) {
  const auto takes_it = [](const LossTerm& term) { return takes(term.component, "variance"); };
  const bool trained = stage.train.empty() || std::ranges::count(stage.train, "denoiser") > 0;
  if (trained && std::ranges::all_of(terms, [](const LossTerm& t) { return variance_only(t.component); }))
    throw loaded.error(stage.losses.front().component.location,
                       "no loss of stage \"" + stage.name + "\" trains the denoiser's mean: \"" +
                           stage.losses.front().component.use + "\" reaches its variance alone",
                       "add [[stage.loss]] use = \"l2\" beside it");
  if (!model.shapes.learnt_variance || !trained || std::ranges::any_of(terms, takes_it)) return;
  throw loaded.error(model.experiment.denoiser.location,
                     "the denoiser predicts a variance beside its target (" +
                         model::shape_text(model.shapes.prediction) + " for " + model::shape_text(model.shapes.z) +
                         "), and no loss of stage \"" + stage.name +
                         "\" trains it: the hybrid loss of 2102.09672 is missing",
                     "add [[stage.loss]] use = \"vlb\" beside the stage's other losses, or turn the variance off; a "
                     "checkpoint that has it can be sampled from");
}

// The encoder's place in the stages: a first stage is a stage of its own.
void check_first_stage(const model::Model& model, const config::Loaded& loaded, const config::Stage& stage) {
  const model::ParameterGroup* encoder = model.parameters.group("encoder");
  if (!model.encoder || !encoder || encoder->count() == 0 || !stage.train.empty()) return;
  throw loaded.error(
      stage.table.location, "the encoder has parameters, and stage \"" + stage.name + "\" does not say what it trains",
      "write train = [\"encoder\"] for a first stage, train = [\"denoiser\"] for diffusion in its space");
}

}  // namespace

Losses::Losses(const model::Model& model, const config::Loaded& loaded, loader::Registry& registry) {
  for (const config::Stage& stage : model.experiment.stages) {
    std::vector<LossTerm>& terms = stages.emplace_back();
    for (const config::Loss& loss : stage.losses)
      terms.push_back({loss.component.name, loss.weight, loss.start,
                       model::make(loaded, registry, loss.component, model.session),
                       loss.optimizer ? &*loss.optimizer : nullptr});
  }
  for (size_t s = 0; s < stages.size(); ++s)
    for (size_t i = 0; i < stages[s].size(); ++i)
      tell_shapes(model, loaded, model.experiment.stages[s], i, stages[s][i].component);
}

model::NamedComponents Losses::trainable(const config::Experiment& experiment) {
  model::NamedComponents list;
  for (size_t s = 0; s < stages.size(); ++s)
    for (LossTerm& term : stages[s]) list.emplace_back(term_kind(experiment.stages[s], term), &term.component);
  return list;
}

void check_losses(const model::Model& model, const Losses& losses, const config::Loaded& loaded) {
  const auto& stages = model.experiment.stages;
  for (size_t s = 0; s < stages.size(); ++s) {
    for (size_t i = 0; i < losses.stages[s].size(); ++i) check_term(model, losses, loaded, s, i);
    if (task_of(model, stages[s]) == Task::diffusion)
      check_diffusion_losses(model, losses.stages[s], loaded, stages[s]);
  }
  for (const config::Stage& stage : stages) {
    check_first_stage(model, loaded, stage);
    trained_kinds(model, loaded, stage);
    const auto begins = [](const config::Loss& loss) { return loss.start == 0; };
    if (std::none_of(stage.losses.begin(), stage.losses.end(), begins))
      throw loaded.error(stage.losses.front().component.location,
                         "no loss of stage \"" + stage.name + "\" counts at its first step", "give one term start = 0");
  }
}

std::vector<std::string> trained_groups(const model::Model& model, const Losses& losses, const config::Loaded& loaded,
                                        size_t s) {
  const config::Stage& stage = model.experiment.stages[s];
  std::vector<std::string> groups = trained_kinds(model, loaded, stage);
  for (const LossTerm& term : losses.stages[s])
    if (!is_adversary(term.component) && model.parameters.group(term_kind(stage, term)))
      groups.push_back(term_kind(stage, term));
  return groups;
}

}  // namespace perrin::train
