#include "host/run/model.hpp"

#include "host/base/error.hpp"
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
      guidance(make(loaded, registry, experiment.guidance)),
      times(schedule) {
  if (experiment.conditioner) conditioner.emplace(make(loaded, registry, *experiment.conditioner));
  infer(loaded);
  check_ends(loaded);
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
  if (shape_text(shapes.prediction) != shape_text(shapes.z)) {
    throw loaded.error(experiment.denoiser.location,
                       "the denoiser predicts " + shape_text(shapes.prediction) + " where diffusion runs in " +
                           shape_text(shapes.z),
                       "choose a denoiser whose output has its input's shape");
  }
}

// A parameterization that is not defined at an end of the schedule fails here, before training.
void Model::check_ends(const config::Loaded& loaded) {
  placed(loaded, experiment.parameterization,
         [&] { coefficients({times.at(times.domain().t_min), times.at(times.domain().t_max)}); },
         experiment.schedule.location);
}

std::vector<std::pair<std::string, services::Component*>> Model::trainable() {
  std::vector<std::pair<std::string, services::Component*>> list;
  list.emplace_back("encoder", &encoder);
  if (conditioner) list.emplace_back("conditioner", &*conditioner);
  list.emplace_back("denoiser", &denoiser);
  return list;
}

void Model::build_parameters(at::ScalarType dtype) { parameters.build(trainable(), experiment.seed, dtype); }

double Model::condition_drop(const config::Stage& stage) const {
  if (!conditioner || stage.condition_drop) return stage.condition_drop.value_or(0);
  double p = 0;
  conditioner->invoke<&perrin_conditioner::drop_probability>(&p);
  return p;
}

std::vector<perrin_coefficients> Model::coefficients(const std::vector<perrin_time>& at) {
  std::vector<perrin_coefficients> result(at.size());
  parameterization.invoke<&perrin_parameterization::coefficients>(uint64_t{at.size()}, at.data(), result.data());
  return result;
}

}  // namespace perrin::run
