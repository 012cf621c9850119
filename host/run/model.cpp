#include "host/run/model.hpp"

#include <algorithm>
#include <cmath>

#include "host/base/error.hpp"
#include "host/run/loss_inputs.hpp"
#include "host/run/pipeline.hpp"

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

Model::Model(const config::Loaded& loaded, loader::Registry& registry)
    : experiment(loaded.experiment),
      dataset(make(loaded, registry, experiment.dataset)),
      encoder(make(loaded, registry, experiment.encoder)),
      denoiser(make(loaded, registry, experiment.denoiser)),
      schedule(make(loaded, registry, experiment.schedule)),
      parameterization(make(loaded, registry, experiment.parameterization)),
      weighting(make(loaded, registry, experiment.weighting)),
      timesteps(make(loaded, registry, experiment.timesteps)),
      sampler(make(loaded, registry, experiment.sampler)),
      guidance(make(loaded, registry, experiment.guidance)) {
  if (experiment.conditioner) conditioner.emplace(make(loaded, registry, *experiment.conditioner));
  load_losses(loaded, registry);
  infer(loaded);
  check_ends(loaded);
}

void Model::load_losses(const config::Loaded& loaded, loader::Registry& registry) {
  size_t terms = 0, of_logits = 0;
  for (const config::Stage& stage : experiment.stages) {
    std::vector<LossTerm>& list = losses.emplace_back();
    for (const config::Loss& loss : stage.losses) {
      list.push_back({loss.component.name, loss.weight, loss.start, make(loaded, registry, loss.component)});
      ++terms;
      of_logits += takes(list.back().component, "logits");
    }
  }
  shapes.logits = of_logits > 0 && of_logits == terms;
}

void Model::infer(const config::Loaded& loaded) {
  shapes.fields = placed(loaded, experiment.dataset, [&] { return dataset_fields(dataset); });
  const auto is_image = [](const perrin_field& f) { return std::string_view(f.spec.name.data, f.spec.name.size) == "image"; };
  while (shapes.image < shapes.fields.size() && !is_image(shapes.fields[shapes.image])) ++shapes.image;
  if (shapes.image == shapes.fields.size())
    throw loaded.error(experiment.dataset.location, "the dataset has no field \"image\"", "choose another dataset");
  shapes.x = shapes.fields[shapes.image].spec;
  shapes.x.dtype = PERRIN_FLOAT32;
  placed(loaded, experiment.encoder, [&] {
    encoder.invoke<&perrin_encoder::infer>(&shapes.x, &shapes.z);
  });
  placed(loaded, experiment.schedule, [&] {
    if (schedule.has<&perrin_schedule::infer>()) schedule.invoke<&perrin_schedule::infer>(&shapes.z);
    times = TimeTable(schedule);
  });
  if (conditioner) {
    perrin_conditioning_spec spec{};
    placed(loaded, *experiment.conditioner, [&] {
      conditioner->invoke<&perrin_conditioner::infer>(static_cast<uint32_t>(shapes.fields.size()), shapes.fields.data(), &spec);
    });
    shapes.conditioning = spec;
  }
  placed(loaded, experiment.denoiser, [&] {
    denoiser.invoke<&perrin_denoiser::infer>(&shapes.z,
                    shapes.conditioning ? &*shapes.conditioning : nullptr, &shapes.prediction);
  });
  shapes.logits ? check_logits(loaded) : check_prediction(loaded);
}

void Model::check_logits(const config::Loaded& loaded) const {
  uint64_t classes = 0;
  for (const perrin_field& field : shapes.fields) classes = std::max(classes, field.n_classes);
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

void Model::check_trainable(const config::Loaded& loaded) const {
  for (size_t s = 0; s < losses.size(); ++s) {
    const config::Stage& stage = experiment.stages[s];
    for (size_t i = 0; i < losses[s].size(); ++i)
      check_inputs(*this, loaded, stage.losses[i], losses[s][i].component);
    const auto takes_it = [](const LossTerm& term) { return takes(term.component, "variance"); };
    const bool trained = stage.train.empty() || std::ranges::count(stage.train, "denoiser") > 0;
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
  if (conditioner) list.emplace_back("conditioner", &*conditioner);
  list.emplace_back("denoiser", &denoiser);
  list.emplace_back("weighting", &weighting);
  return list;
}

void Model::build_parameters(at::ScalarType dtype) { parameters.build(trainable(), experiment.seed, dtype); }

double Model::condition_drop(const config::Stage& stage) const {
  if (!conditioner || stage.condition_drop) return stage.condition_drop.value_or(0);
  double p = 0;
  conditioner->invoke<&perrin_conditioner::drop_probability>(&p);
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
