#include "host/run/model.hpp"

#include <algorithm>
#include <cmath>

#include "host/base/error.hpp"
#include "host/run/conditioning.hpp"
#include "host/run/data_record.hpp"
#include "host/run/latent.hpp"
#include "host/run/loss_inputs.hpp"
#include "host/run/pipeline.hpp"
#include "host/services/status.hpp"

namespace perrin::run {
namespace {

// Runs `f`; what a component refuses becomes a diagnostic at its table in the file, or at `otherwise` if it has none.
template <class F>
auto placed(const config::Loaded& loaded, const config::Component& component, F&& f,
            const config::Location& otherwise = {}) {
  try {
    return f();
  } catch (const Error& error) {
    throw loaded.error(component.location.line > 0 ? component.location : otherwise,
                       "[" + component.kind + "] (" + component.use + "): " + error.what(), error.fix);
  }
}

services::Component make(const config::Loaded& loaded, loader::Registry& registry, const config::Component& component) {
  if (component.use.empty()) return {};
  return placed(loaded, component,
                [&] { return services::load_component(registry, component, loaded.experiment.seed); });
}

void check_weights(const std::vector<double>& weight, const std::vector<perrin_time>& at) {
  for (size_t i = 0; i < at.size(); ++i)
    if (!std::isfinite(weight[i]))
      throw Error("it has no finite weight at t = " + std::to_string(at[i].t) + " (alpha " +
                      std::to_string(at[i].alpha) + ", sigma " + std::to_string(at[i].sigma) + ")",
                  {}, "choose another weighting or parameterization, or a schedule without that level");
}

}  // namespace

std::string shape_text(const perrin_spec& spec) {
  std::string text = "[";
  for (uint32_t i = 0; i < spec.rank; ++i) text += (i ? ", " : "") + std::to_string(spec.sizes[i]);
  return text + "]";
}

Model::Model(const config::Loaded& loaded, loader::Registry& registry, std::shared_ptr<const DataRecord> kept)
    : experiment(loaded.experiment),
      record(std::move(kept)),
      dataset(record ? services::Component() : make(loaded, registry, experiment.dataset)),
      extractor(make(loaded, registry, experiment.extractor)),
      encoder(make(loaded, registry, experiment.encoder)),
      denoiser(make(loaded, registry, experiment.denoiser)),
      schedule(make(loaded, registry, experiment.schedule)),
      parameterization(make(loaded, registry, experiment.parameterization)),
      weighting(make(loaded, registry, experiment.weighting)),
      timesteps(make(loaded, registry, experiment.timesteps)),
      sampler(make(loaded, registry, experiment.sampler)),
      guidance(make(loaded, registry, experiment.guidance)),
      make_dataset_([&loaded, &registry] { return make(loaded, registry, loaded.experiment.dataset); }) {
  for (const config::Component& chosen : experiment.conditioners)
    conditioners.push_back(make(loaded, registry, chosen));
  load_losses(loaded, registry);
  infer(loaded);
  infer_losses(loaded);
  if (diffuses()) check_ends(loaded);
}

services::Component& Model::data() {
  if (dataset) return dataset;
  dataset = make_dataset_();
  const auto same = [](const perrin_field& a, const perrin_field& b) {
    return services::view(a.spec.name) == services::view(b.spec.name) && a.spec.dtype == b.spec.dtype &&
           shape_text(a.spec) == shape_text(b.spec) && a.n_classes == b.n_classes;
  };
  if (!std::ranges::equal(dataset_fields(dataset), shapes.fields, same))
    throw Error("the data have other fields now than the run was trained on", "dataset " + dataset.id(),
                "put the data back, or ask for nothing that comes from them");
  return dataset;
}

void Model::load_losses(const config::Loaded& loaded, loader::Registry& registry) {
  size_t terms = 0, of_logits = 0;
  for (const config::Stage& stage : experiment.stages) {
    std::vector<LossTerm>& list = losses.emplace_back();
    for (const config::Loss& loss : stage.losses) {
      list.push_back({loss.component.name, loss.weight, loss.start, make(loaded, registry, loss.component),
                      loss.optimizer ? &*loss.optimizer : nullptr});
      if (task(stage) != Task::diffusion) continue;
      ++terms;
      of_logits += takes(list.back().component, "logits");
    }
  }
  shapes.logits = of_logits > 0 && of_logits == terms;
}

void Model::infer(const config::Loaded& loaded) {
  shapes.fields = record ? record->fields : placed(loaded, experiment.dataset, [&] { return dataset_fields(dataset); });
  const auto is_image = [](const perrin_field& f) { return std::string_view(f.spec.name.data, f.spec.name.size) == "image"; };
  while (shapes.image < shapes.fields.size() && !is_image(shapes.fields[shapes.image])) ++shapes.image;
  if (shapes.image == shapes.fields.size())
    throw loaded.error(experiment.dataset.location, "the dataset has no field \"image\"", "choose another dataset");
  shapes.x = shapes.fields[shapes.image].spec;
  shapes.x.dtype = PERRIN_FLOAT32;
  infer_conditioning(loaded);
  if (extractor) return infer_extractor(loaded);
  placed(loaded, experiment.encoder, [&] {
    encoder.invoke<&perrin_encoder::infer>(&shapes.x, &shapes.z);
  });
  if (diffuses()) infer_diffusion(loaded);
}

void Model::infer_conditioning(const config::Loaded& loaded) {
  std::vector<perrin_conditioning_spec> specs;
  for (size_t i = 0; i < conditioners.size(); ++i) {
    placed(loaded, experiment.conditioners[i], [&] {
      conditioners[i].invoke<&perrin_conditioner::infer>(static_cast<uint32_t>(shapes.fields.size()),
                                                         shapes.fields.data(), &specs.emplace_back());
      shapes.conditioning = combined(specs);
    });
  }
}

void Model::infer_extractor(const config::Loaded& loaded) {
  placed(loaded, experiment.extractor, [&] {
    uint32_t n = 0;
    const perrin_text* names = nullptr;
    extractor.invoke<&perrin_extractor::layers>(&n, &names);
    for (uint32_t i = 0; i < n; ++i) shapes.layers.emplace_back(names[i].data, names[i].size);
    shapes.layer_specs.resize(n);
    extractor.invoke<&perrin_extractor::infer>(&shapes.x, class_count(shapes.fields), shapes.layer_specs.data());
  });
}

void Model::infer_losses(const config::Loaded& loaded) {
  for (size_t s = 0; s < losses.size(); ++s) {
    for (size_t i = 0; i < losses[s].size(); ++i) {
      const services::Component& loss = losses[s][i].component;
      if (!loss.has<&perrin_loss::infer>()) continue;
      const config::Stage& stage = experiment.stages[s];
      check_inputs(*this, loaded, stage, stage.losses[i], loss);
      const std::vector<perrin_spec> specs = input_shapes(*this, stage, loss);
      placed(loaded, stage.losses[i].component,
             [&] { loss.invoke<&perrin_loss::infer>(static_cast<uint32_t>(specs.size()), specs.data()); });
    }
  }
}

void Model::infer_diffusion(const config::Loaded& loaded) {
  placed(loaded, experiment.schedule, [&] {
    if (schedule.has<&perrin_schedule::infer>()) schedule.invoke<&perrin_schedule::infer>(&shapes.z);
    times = TimeTable(schedule);
  });
  placed(loaded, experiment.denoiser, [&] {
    denoiser.invoke<&perrin_denoiser::infer>(&shapes.z,
                    shapes.conditioning ? &*shapes.conditioning : nullptr, &shapes.prediction);
  });
  shapes.logits ? check_logits(loaded) : check_prediction(loaded);
}

void Model::check_logits(const config::Loaded& loaded) const {
  const uint64_t classes = class_count(shapes.fields);
  if (shapes.prediction.rank == 1 && static_cast<uint64_t>(shapes.prediction.sizes[0]) == classes) return;
  throw loaded.error(experiment.denoiser.location,
                     "every loss takes logits, and the denoiser predicts " + shape_text(shapes.prediction) +
                         " where the dataset has " + std::to_string(classes) + " classes",
                     "use unet-classifier with classes = " + std::to_string(classes) + ", or the loss l2");
}

void Model::check_prediction(const config::Loaded& loaded) {
  perrin_spec doubled = shapes.z;
  if (doubled.rank > 0) doubled.sizes[0] *= 2;
  shapes.learnt_variance = doubled.rank > 0 && shape_text(shapes.prediction) == shape_text(doubled);
  if (shape_text(shapes.prediction) == shape_text(shapes.z) || shapes.learnt_variance) return;
  throw loaded.error(experiment.denoiser.location,
                     "the denoiser predicts " + shape_text(shapes.prediction) + " where diffusion runs in " +
                         shape_text(shapes.z),
                     shapes.prediction.rank == 1
                         ? "give every stage losses of logits alone, such as cross-entropy, to train a classifier"
                         : "choose a denoiser whose output has its input's shape, or twice its channels for a learnt "
                           "variance");
}

namespace {

// One term of a stage: it has its inputs, and what it says of other terms and optimizers holds.
void check_term(const Model& model, const config::Loaded& loaded, size_t s, size_t i) {
  const config::Stage& stage = model.experiment.stages[s];
  const config::Loss& loss = stage.losses[i];
  const services::Component& component = model.losses[s][i].component;
  check_inputs(model, loaded, stage, loss, component);
  if (i == 0 && takes(component, "terms"))
    throw loaded.error(loss.component.location,
                       "the loss \"" + loss.component.use + "\" weighs itself against the terms before it, and is the first",
                       "put it behind the stage's other losses");
  if (loss.optimizer && !is_adversary(component))
    throw loaded.error(loss.optimizer->location,
                       "the loss \"" + loss.component.use + "\" is no adversary and has nothing of its own to optimize",
                       "take `optimizer` out, or put it into the stage");
}

}  // namespace

void Model::check_trainable(const config::Loaded& loaded) const {
  for (size_t s = 0; s < losses.size(); ++s) {
    const config::Stage& stage = experiment.stages[s];
    for (size_t i = 0; i < losses[s].size(); ++i) check_term(*this, loaded, s, i);
    if (task(stage) != Task::diffusion) continue;
    const auto takes_it = [](const LossTerm& term) { return takes(term.component, "variance"); };
    const bool trained = stage.train.empty() || std::ranges::count(stage.train, "denoiser") > 0;
    if (trained && std::ranges::all_of(losses[s], [](const LossTerm& t) { return variance_only(t.component); }))
      throw loaded.error(stage.losses.front().component.location,
                         "no loss of stage \"" + stage.name + "\" trains the denoiser's mean: \"" +
                             stage.losses.front().component.use + "\" reaches its variance alone",
                         "add [[stage.loss]] use = \"l2\" beside it");
    if (!shapes.learnt_variance || !trained || std::ranges::any_of(losses[s], takes_it)) continue;
    throw loaded.error(experiment.denoiser.location,
                       "the denoiser predicts a variance beside its target (" + shape_text(shapes.prediction) +
                           " for " + shape_text(shapes.z) + "), and no loss of stage \"" + stage.name +
                           "\" trains it: the hybrid loss of 2102.09672 is missing",
                       "add [[stage.loss]] use = \"vlb\" beside the stage's other losses, or turn the variance off; a "
                       "checkpoint that has it can be sampled from");
  }
}

// What is not defined at an end of the schedule fails here, before training.
void Model::check_ends(const config::Loaded& loaded) {
  const std::vector<perrin_time> ends = {times.at(times.domain().t_min), times.at(times.domain().t_max)};
  const config::Location& otherwise = experiment.schedule.location;
  const auto c = placed(loaded, experiment.parameterization, [&] { return coefficients(ends); }, otherwise);
  // Weights that change are asked for the last step's.
  placed(loaded, experiment.weighting, [&] { check_weights(weights(ends, c, 1, 1), ends); }, otherwise);
}

std::vector<std::pair<std::string, services::Component*>> Model::trainable() {
  std::vector<std::pair<std::string, services::Component*>> list;
  list.emplace_back("encoder", &encoder);
  for (size_t i = 0; i < conditioners.size(); ++i)
    list.emplace_back(experiment.conditioners[i].name, &conditioners[i]);
  list.emplace_back("extractor", &extractor);
  list.emplace_back("denoiser", &denoiser);
  list.emplace_back("weighting", &weighting);
  for (size_t s = 0; s < losses.size(); ++s)
    for (LossTerm& term : losses[s]) list.emplace_back(term_kind(experiment.stages[s], term), &term.component);
  return list;
}

void Model::build_parameters(at::ScalarType dtype) {
  parameters.build(trainable(), experiment.seed, dtype);
  if (encoder) add_latent_buffers(*this);
}

Task Model::task(const config::Stage& stage) const {
  if (extractor) return Task::extraction;
  return std::ranges::count(stage.train, "encoder") > 0 ? Task::first_stage : Task::diffusion;
}

std::vector<std::pair<std::string, const services::Component*>> Model::fitted() const {
  std::vector<std::pair<std::string, const services::Component*>> list;
  for (size_t i = 0; i < conditioners.size(); ++i)
    list.emplace_back(experiment.conditioners[i].name, &conditioners[i]);
  return list;
}

double Model::condition_drop(const config::Stage& stage, size_t i) const {
  if (stage.condition_drop) return *stage.condition_drop;
  double p = 0;
  conditioners[i].invoke<&perrin_conditioner::drop_probability>(&p);
  return p;
}

std::vector<double> Model::weights(const std::vector<perrin_time>& at, const std::vector<perrin_coefficients>& c,
                                   int64_t step, int64_t n_steps) {
  const uint64_t n = at.size();
  std::vector<double> weight(n);
  if (weighting.has<&perrin_weighting::weight_at_step>())
    weighting.invoke<&perrin_weighting::weight_at_step>(step, n_steps, n, at.data(), c.data(), weight.data());
  else
    weighting.invoke<&perrin_weighting::weight>(n, at.data(), c.data(), weight.data());
  return weight;
}

std::vector<perrin_coefficients> Model::coefficients(const std::vector<perrin_time>& at) {
  std::vector<perrin_coefficients> result(at.size());
  parameterization.invoke<&perrin_parameterization::coefficients>(uint64_t{at.size()}, at.data(), result.data());
  return result;
}

}  // namespace perrin::run
