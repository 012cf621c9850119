#include "host/run/conditioning.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>

#include "host/base/error.hpp"
#include "host/kernels/random.hpp"
#include "host/services/tensor.hpp"

namespace perrin::run {
namespace {

perrin_conditioning encode(const services::Component& conditioner, const perrin_call& call,
                           const std::vector<perrin_named_tensor>& fields, const uint8_t* drop) {
  perrin_conditioning made{};
  conditioner.invoke<&perrin_conditioner::encode>(&call, static_cast<uint32_t>(fields.size()), fields.data(), drop,
                                                  &made);
  return made;
}

// On the run's device, in a box of the host's own: the plugin may keep the one that it gave.
services::TensorHandle own(perrin_tensor* given) {
  const at::Tensor tensor = services::take(given);
  return tensor.defined() ? services::wrap(tensor.to(services::run_device())) : nullptr;
}

// `slot` with what another conditioner gave behind it.
void join(services::TensorHandle& slot, perrin_tensor* given) {
  services::TensorHandle part = own(given);
  if (slot && part)
    slot = services::wrap(at::cat(at::TensorList{services::unwrap(slot.get()), services::unwrap(part.get())}, 1));
  else if (part)
    slot = std::move(part);
}

// Dimension `along` of `b` is added to that of `a`; the others must agree.
perrin_spec added(const perrin_spec& a, const perrin_spec& b, uint32_t along) {
  perrin_spec sum = a;
  bool fits = a.rank == b.rank;
  for (uint32_t i = 0; fits && i < a.rank; ++i) fits = i == along || a.sizes[i] == b.sizes[i];
  if (!fits)
    throw Error("two conditioners fill the slot \"" + std::string(a.name.data, a.name.size) + "\" with " + shape_text(a) +
                    " and " + shape_text(b) + ", which do not stand beside each other",
                {}, "give both the same width");
  sum.sizes[along] += b.sizes[along];
  return sum;
}

}  // namespace

ConditioningHandles::ConditioningHandles(Model& model, const perrin_call& call, const FieldsOf& given,
                                         const Drops& drops) {
  if (model.conditioners.empty()) return;
  std::vector<services::TensorHandle> handles;
  std::vector<perrin_named_tensor> named;
  for (size_t f = 0; f < given.fields.size(); ++f)
    named.push_back(
        {model.shapes.fields[f].spec.name, handles.emplace_back(services::wrap(given.fields[f])).get()});
  for (const auto& [name, tensor] : given.extra)
    named.push_back({{name.data(), name.size()}, handles.emplace_back(services::wrap(tensor)).get()});
  for (size_t i = 0; i < model.conditioners.size(); ++i) {
    const perrin_conditioning part =
        encode(model.conditioners[i], call, named, drops.empty() ? nullptr : drops[i].data());
    join(vector_, part.vector);
    join(sequence_, part.sequence);
    join(concat_, part.concat);
  }
  present_ = true;
  conditioning_ = {sizeof conditioning_, 0, vector_.get(), sequence_.get(), concat_.get()};
}

ConditioningHandles::ConditioningHandles(const at::Tensor& vector, const at::Tensor& sequence,
                                         const at::Tensor& concat)
    : present_(true) {
  const auto boxed = [](const at::Tensor& t) {
    return t.defined() ? services::wrap(t.to(services::run_device())) : services::TensorHandle();
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

Drops draw_drops(const Model& model, const std::vector<uint64_t>& positions, const config::Stage& stage) {
  Drops drops;
  const random::Stream stream{model.experiment.seed, PERRIN_PURPOSE_DROP, 0};
  for (size_t i = 0; i < model.conditioners.size(); ++i) {
    std::vector<uint8_t>& drop = drops.emplace_back(positions.size());
    const double probability = model.condition_drop(stage, i);
    for (size_t b = 0; b < positions.size(); ++b) {
      double u = 1;
      random::uniform(stream, positions[b], stage.condition_drop ? 0 : i, std::span<double>(&u, 1));
      drop[b] = u <= probability;
    }
  }
  return drops;
}

perrin_conditioning_spec combined(const std::vector<perrin_conditioning_spec>& specs) {
  perrin_conditioning_spec all = specs.front();
  for (size_t i = 1; i < specs.size(); ++i) {
    const uint32_t both = all.slots & specs[i].slots;
    const auto join = [&](uint32_t slot, perrin_spec& to, const perrin_spec& from) {
      if (both & slot)
        to = added(to, from, 0);
      else if (specs[i].slots & slot)
        to = from;
    };
    join(PERRIN_SLOT_VECTOR, all.vector, specs[i].vector);
    join(PERRIN_SLOT_SEQUENCE, all.sequence, specs[i].sequence);
    join(PERRIN_SLOT_CONCAT, all.concat, specs[i].concat);
    all.slots |= specs[i].slots;
  }
  return all;
}

}  // namespace perrin::run
