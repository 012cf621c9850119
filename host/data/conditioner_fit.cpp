#include "host/data/conditioner_fit.hpp"

#include <ATen/core/Tensor.h>

#include <algorithm>

#include "host/data/samples.hpp"
#include "host/model/fields.hpp"
#include "host/model/given_weights.hpp"
#include "host/services/named_tensors.hpp"

namespace perrin::data {
namespace {

void show(const services::Component& conditioner, const model::Model& model, const Batch& batch) {
  services::NamedTensors fields;
  for (size_t f = 0; f < batch.fields.size(); ++f)
    fields.add(services::view(model.shapes.fields[f].spec.name), batch.fields[f]);
  conditioner.invoke<&perrin_conditioner_fit::observe>(fields.size(), fields.data());
}

}  // namespace

void fit_conditioners(model::Model& model, int64_t batch_size) {
  const uint64_t available = model::dataset_count(model.dataset);
  for (const auto& [name, component] : model.fitted()) {
    const services::Component& conditioner = *component;
    if (model.given.contains(model::state_key(name)) || !conditioner.has<&perrin_conditioner_fit::fit>()) continue;
    uint64_t wanted = 0;
    conditioner.invoke<&perrin_conditioner_fit::samples>(&wanted);
    const uint64_t count = std::min(wanted, available);
    for_each_samples(model, count, batch_size,
                     [&](const Batch& batch, const perrin_call&) { show(conditioner, model, batch); });
    conditioner.invoke<&perrin_conditioner_fit::fit>();
  }
}

}  // namespace perrin::data
