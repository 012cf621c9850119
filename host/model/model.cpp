#include "host/model/model.hpp"

#include <algorithm>
#include <cmath>

#include "host/base/error.hpp"
#include "host/model/fields.hpp"
#include "host/model/latent_buffers.hpp"
#include "host/services/status.hpp"

namespace perrin::model {
namespace {

void check_weights(const std::vector<double>& weight, const std::vector<perrin_time>& at) {
  for (size_t i = 0; i < at.size(); ++i)
    if (!std::isfinite(weight[i]))
      throw Error("it has no finite weight at t = " + std::to_string(at[i].t) + " (alpha " +
                      std::to_string(at[i].alpha) + ", sigma " + std::to_string(at[i].sigma) + ")",
                  {}, "choose another weighting or parameterization, or a schedule without that level");
}

}  // namespace

services::Component make(const config::Loaded& loaded, loader::Registry& registry, const config::Component& component,
                         std::shared_ptr<services::Session> session) {
  if (component.use.empty()) return {};
  return placed(loaded, component,
                [&] { return services::Component(registry, component, loaded.experiment.seed, session); });
}

Model::Model(const config::Loaded& loaded, loader::Registry& registry, std::shared_ptr<const DataRecord> kept,
             std::shared_ptr<services::Session> of)
    : experiment(loaded.experiment),
      session(std::move(of)),
      record(std::move(kept)),
      dataset(record ? services::Component() : make(loaded, registry, experiment.dataset, session)),
      extractor(make(loaded, registry, experiment.extractor, session)),
      encoder(make(loaded, registry, experiment.encoder, session)),
      denoiser(make(loaded, registry, experiment.denoiser, session)),
      schedule(make(loaded, registry, experiment.schedule, session)),
      parameterization(make(loaded, registry, experiment.parameterization, session)),
      weighting(make(loaded, registry, experiment.weighting, session)),
      timesteps(make(loaded, registry, experiment.timesteps, session)),
      sampler(make(loaded, registry, experiment.sampler, session)),
      guidance(make(loaded, registry, experiment.guidance, session)),
      make_dataset_([this, &loaded, &registry] { return make(loaded, registry, loaded.experiment.dataset, session); }) {
  for (const config::Component& chosen : experiment.conditioners)
    conditioners.push_back(make(loaded, registry, chosen, session));
  infer(loaded);
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

void Model::infer(const config::Loaded& loaded) {
  shapes.fields = record ? record->fields : placed(loaded, experiment.dataset, [&] { return dataset_fields(dataset); });
  const auto is_image = [](const perrin_field& f) {
    return std::string_view(f.spec.name.data, f.spec.name.size) == "image";
  };
  while (shapes.image < shapes.fields.size() && !is_image(shapes.fields[shapes.image])) ++shapes.image;
  if (shapes.image == shapes.fields.size())
    throw loaded.error(experiment.dataset.location, "the dataset has no field \"image\"", "choose another dataset");
  shapes.x = shapes.fields[shapes.image].spec;
  shapes.x.dtype = PERRIN_FLOAT32;
  infer_conditioning(loaded);
  if (extractor) return infer_extractor(loaded);
  placed(loaded, experiment.encoder, [&] { encoder.invoke<&perrin_encoder::infer>(&shapes.x, &shapes.z); });
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

void Model::infer_diffusion(const config::Loaded& loaded) {
  placed(loaded, experiment.schedule, [&] {
    if (schedule.has<&perrin_schedule::infer>()) schedule.invoke<&perrin_schedule::infer>(&shapes.z);
    times = TimeTable(schedule);
  });
  placed(loaded, experiment.denoiser, [&] {
    denoiser.invoke<&perrin_denoiser::infer>(&shapes.z, shapes.conditioning ? &*shapes.conditioning : nullptr,
                                             &shapes.prediction);
  });
  check_prediction(loaded);
}

// What has z's shape is a prediction of diffusion's, whatever the number of classes.
void Model::check_prediction(const config::Loaded& loaded) {
  const std::string predicted = shape_text(shapes.prediction), own = shape_text(shapes.z);
  perrin_spec doubled = shapes.z;
  if (doubled.rank > 0) doubled.sizes[0] *= 2;
  shapes.learnt_variance = doubled.rank > 0 && predicted == shape_text(doubled);
  if (predicted == own || shapes.learnt_variance) return;
  const uint64_t classes = class_count(shapes.fields);
  const bool vector = shapes.prediction.rank == 1;
  shapes.logits = vector && classes > 0 && static_cast<uint64_t>(shapes.prediction.sizes[0]) == classes;
  if (shapes.logits) return;
  throw loaded.error(experiment.denoiser.location,
                     "the denoiser predicts " + predicted + " where diffusion runs in " + own +
                         (vector ? " and the dataset has " + std::to_string(classes) + " classes" : ""),
                     vector
                         ? "a classifier predicts one value for each class: set classes = " + std::to_string(classes)
                         : "choose a denoiser whose output has its input's shape, or twice its channels for a learnt "
                           "variance");
}

// What is not defined at an end of the schedule fails here, before training.
void Model::check_ends(const config::Loaded& loaded) {
  const std::vector<perrin_time> ends = {times.at(times.domain().t_min), times.at(times.domain().t_max)};
  const config::Location& otherwise = experiment.schedule.location;
  const auto c = placed(
      loaded, experiment.parameterization, [&] { return coefficients(ends); }, otherwise);
  // Weights that change are asked for the last step's.
  placed(
      loaded, experiment.weighting, [&] { check_weights(weights(ends, c, 1, 1), ends); }, otherwise);
}

NamedComponents Model::trainable() {
  NamedComponents list;
  list.emplace_back("encoder", &encoder);
  for (size_t i = 0; i < conditioners.size(); ++i) list.emplace_back(experiment.conditioners[i].name, &conditioners[i]);
  list.emplace_back("extractor", &extractor);
  list.emplace_back("denoiser", &denoiser);
  list.emplace_back("weighting", &weighting);
  return list;
}

std::filesystem::path Model::find(const std::string& name, const std::string& reader) const {
  try {
    return session->find(name, reader);
  } catch (const services::Fault& fault) {
    throw Error(fault.what());
  }
}

void Model::build_parameters(const NamedComponents& more, at::ScalarType dtype) {
  NamedComponents all = trainable();
  all.insert(all.end(), more.begin(), more.end());
  parameters.build(all, experiment.seed, at::TensorOptions(dtype).device(session->device()));
  if (encoder) add_latent_buffers(parameters, experiment.latent.scale_factor, shapes.z.sizes[0]);
}

std::vector<std::pair<std::string, const services::Component*>> Model::fitted() const {
  std::vector<std::pair<std::string, const services::Component*>> list;
  for (size_t i = 0; i < conditioners.size(); ++i) list.emplace_back(experiment.conditioners[i].name, &conditioners[i]);
  return list;
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

}  // namespace perrin::model
