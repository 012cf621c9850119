#include "host/train/objective/terms.hpp"

#include <ATen/TensorOperators.h>
#include <perrin/kind/loss.h>

#include <algorithm>

#include "host/base/error.hpp"
#include "host/services/named_tensors.hpp"

namespace perrin::train {
namespace {

// Which must be [B].
at::Tensor per_sample(const at::Tensor& values, const LossTerm& term, const perrin_call& call) {
  if (values.dim() != 1 || values.size(0) != static_cast<int64_t>(call.n))
    throw Error("the loss did not give one value per sample", term.component.id(), "report it to the plugin's author");
  return values;
}

}  // namespace

std::vector<InputName> inputs_of(const services::Component& loss) {
  if (!loss.has<&perrin_loss_inputs::names>()) return {{"prediction"}, {"target"}};
  uint32_t n = 0;
  const perrin_text* names = nullptr;
  loss.invoke<&perrin_loss_inputs::names>(&n, &names);
  std::vector<InputName> result;
  for (uint32_t i = 0; i < n; ++i) {
    std::string_view name(names[i].data, names[i].size);
    const bool optional = name.ends_with('?');
    if (optional) name.remove_suffix(1);
    result.push_back({name, optional});
  }
  return result;
}

bool takes(const services::Component& loss, std::string_view name) {
  return std::ranges::any_of(inputs_of(loss), [&](const InputName& input) { return input.name == name; });
}

namespace {

bool flagged(const services::Component& loss, uint32_t flag) {
  const auto* extension = loss.extension<perrin_loss_inputs>();
  return extension && (extension->flags & flag) != 0;
}

}  // namespace

bool unweighted(const services::Component& loss) { return flagged(loss, PERRIN_LOSS_UNWEIGHTED); }

bool variance_only(const services::Component& loss) { return flagged(loss, PERRIN_LOSS_VARIANCE_ONLY); }

bool is_adversary(const services::Component& loss) { return loss.has<&perrin_adversary::oppose>(); }

std::string term_kind(const config::Stage& stage, const LossTerm& term) {
  return "loss." + stage.name + "." + term.name;
}

void Objective::add(const std::string& name, double weight, const at::Tensor& values, const at::Tensor& plain) {
  const at::Tensor value = values.mean() * weight;
  total = total.defined() ? total + value : value;
  const at::Tensor own = plain.detach().to(at::kCPU, at::kFloat).contiguous();
  terms.push_back(
      {name, value.item<double>(), {own.const_data_ptr<float>(), own.const_data_ptr<float>() + own.numel()}});
}

at::Tensor evaluate(LossTerm& term, const perrin_call& call, const Inputs& inputs, Objective* objective) {
  services::NamedTensors named;
  Opposition seen{&term, {}};
  for (const InputName& input : inputs_of(term.component)) {
    const at::Tensor tensor = inputs(input.name);
    if (!tensor.defined() && input.optional) continue;
    if (!tensor.defined())
      throw Error("the loss needs \"" + std::string(input.name) + "\", which this stage does not have",
                  term.component.id(), "take the term out");
    named.add(input.name, tensor);
    seen.inputs.emplace_back(input.name, tensor);
  }
  perrin_tensor* values = nullptr;
  term.component.invoke<&perrin_loss::compute>(&call, named.size(), named.data(), &values);
  const at::Tensor given = services::take(values);
  if (objective && is_adversary(term.component)) {
    for (auto& [name, tensor] : seen.inputs) tensor = tensor.detach();
    objective->oppositions.push_back(std::move(seen));
  }
  return per_sample(given, term, call);
}

void add_terms(Objective& objective, std::vector<LossTerm>& terms, const perrin_call& call, const Inputs& inputs) {
  for (LossTerm& term : terms) {
    if (call.stage_step < term.start) continue;
    const at::Tensor values = evaluate(term, call, inputs, &objective);
    objective.add(term.name, term.weight, values, values);
  }
}

at::Tensor oppose(const Opposition& opposition, const perrin_call& call) {
  services::NamedTensors named;
  for (const auto& [name, tensor] : opposition.inputs) named.add(name, tensor);
  perrin_tensor* values = nullptr;
  opposition.term->component.invoke<&perrin_adversary::oppose>(&call, named.size(), named.data(), &values);
  return per_sample(services::take(values), *opposition.term, call).to(at::kFloat).mean();
}

}  // namespace perrin::train
