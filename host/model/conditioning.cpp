#include "host/model/conditioning.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>

#include "host/services/named_tensors.hpp"

namespace perrin::model {
namespace {

// What one conditioner gave.
struct Slots {
  services::TensorHandle vector, sequence, concat;
};

Slots encode(const services::Component& conditioner, const perrin_call& call, const services::NamedTensors& fields,
             const uint8_t* drop) {
  perrin_conditioning made{};
  conditioner.invoke<&perrin_conditioner::encode>(&call, fields.size(), fields.data(), drop, &made);
  return {services::TensorHandle(made.vector), services::TensorHandle(made.sequence),
          services::TensorHandle(made.concat)};
}

// `slot` with what another conditioner gave behind it, on the run's device, in a box of the host's own: the plugin may
// keep the one that it gave.
void join(services::TensorHandle& slot, const services::TensorHandle& given, c10::Device device) {
  if (!given) return;
  services::TensorHandle part = services::wrap(services::unwrap(given.get()).to(device));
  if (slot)
    slot = services::wrap(at::cat(at::TensorList{services::unwrap(slot.get()), services::unwrap(part.get())}, 1));
  else
    slot = std::move(part);
}

}  // namespace

ConditioningHandles::ConditioningHandles(Model& model, const perrin_call& call, const FieldsOf& given,
                                         const Drops& drops) {
  if (model.conditioners.empty()) return;
  services::NamedTensors named;
  for (size_t f = 0; f < given.fields.size(); ++f)
    named.add(services::view(model.shapes.fields[f].spec.name), given.fields[f]);
  for (const auto& [name, tensor] : given.extra) named.add(name, tensor);
  for (size_t i = 0; i < model.conditioners.size(); ++i) {
    const Slots part = encode(model.conditioners[i], call, named, drops.empty() ? nullptr : drops[i].data());
    join(vector_, part.vector, model.session->device());
    join(sequence_, part.sequence, model.session->device());
    join(concat_, part.concat, model.session->device());
  }
  present_ = true;
  conditioning_ = {sizeof conditioning_, 0, vector_.get(), sequence_.get(), concat_.get()};
}

ConditioningHandles::ConditioningHandles(const Model& model, const at::Tensor& vector, const at::Tensor& sequence,
                                         const at::Tensor& concat)
    : present_(true) {
  const auto boxed = [&](const at::Tensor& t) {
    return t.defined() ? services::wrap(t.to(model.session->device())) : services::TensorHandle();
  };
  vector_ = boxed(vector);
  sequence_ = boxed(sequence);
  concat_ = boxed(concat);
  conditioning_ = {sizeof conditioning_, 0, vector_.get(), sequence_.get(), concat_.get()};
}

void ConditioningHandles::mix(const ConditioningHandles& other, const std::vector<double>& way) {
  const auto toward = [&](perrin_tensor* mine, perrin_tensor* theirs) {
    if (!mine || !theirs) return;
    at::Tensor& a = services::unwrap(mine);
    std::vector<int64_t> rows(static_cast<size_t>(a.dim()), 1);
    rows[0] = -1;
    a = a.lerp(services::unwrap(theirs), at::tensor(way).to(a.options()).view(rows));
  };
  toward(conditioning_.vector, other.conditioning_.vector);
  toward(conditioning_.sequence, other.conditioning_.sequence);
  toward(conditioning_.concat, other.conditioning_.concat);
}

}  // namespace perrin::model
