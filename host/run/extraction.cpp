#include "host/run/extraction.hpp"

#include <ATen/core/Tensor.h>
#include <perrin/kind/extractor.h>

#include <algorithm>
#include <map>
#include <set>

#include "host/services/tensor.hpp"

namespace perrin::run {
namespace {

// Numbers of the extractor's layers that the started terms ask for, ascending.
std::set<uint32_t> wanted_of(const Model& model, const std::vector<LossTerm>& terms, const StageStep& at) {
  std::set<uint32_t> wanted;
  for (const LossTerm& term : terms)
    for (const InputName& input : inputs_of(term.component)) {
      const auto found = std::ranges::find(model.shapes.layers, input.name);
      if (at.stage_step >= term.start && found != model.shapes.layers.end())
        wanted.insert(static_cast<uint32_t>(found - model.shapes.layers.begin()));
    }
  return wanted;
}

std::vector<at::Tensor> forward(Model& model, const perrin_call& call, const at::Tensor& x,
                                const std::vector<uint32_t>& wanted) {
  const services::TensorHandle input = services::wrap(x);
  std::vector<perrin_tensor*> outputs(wanted.size());
  model.extractor.invoke<&perrin_extractor::forward>(&call, input.get(), static_cast<uint32_t>(wanted.size()),
                                                     wanted.data(), outputs.data());
  std::vector<at::Tensor> layers;
  for (perrin_tensor* output : outputs) layers.push_back(services::take(output).to(at::kFloat));
  return layers;
}

}  // namespace

std::vector<at::Tensor> extract(Model& model, const perrin_call& call, const at::Tensor& x,
                                const std::vector<std::string>& names) {
  std::vector<uint32_t> wanted;
  for (const std::string& name : names)
    wanted.push_back(static_cast<uint32_t>(std::ranges::find(model.shapes.layers, name) - model.shapes.layers.begin()));
  return forward(model, call, channels_last(x), wanted);
}

Objective extraction_objective(Model& model, const Batch& batch, std::vector<LossTerm>& terms, const StageStep& at) {
  const perrin_call call = training_call(model, at.step, at.stage_step, at.stage.steps, batch.positions);
  const at::Tensor x = channels_last(images(model, batch));
  const std::set<uint32_t> wanted = wanted_of(model, terms, at);
  const std::vector<at::Tensor> given = forward(model, call, x, {wanted.begin(), wanted.end()});
  std::map<std::string, at::Tensor, std::less<>> layers;
  size_t i = 0;
  for (const uint32_t layer : wanted) layers[model.shapes.layers[layer]] = given[i++];
  const ConditioningHandles conditioning(model, call, {batch.fields, {}}, draw_drops(model, batch.positions, at.stage));
  Objective result;
  const Inputs inputs = [&](std::string_view name) -> at::Tensor {
    if (name == "x") return x;
    if (name == "terms") return result.total;
    if (name == "label") return label_of(model, batch);
    if (name == "condition") return conditioning.get() ? services::unwrap(conditioning.get()->vector) : at::Tensor();
    const auto found = layers.find(name);
    return found == layers.end() ? at::Tensor() : found->second;
  };
  add_terms(result, terms, call, inputs);
  return result;
}

}  // namespace perrin::run
