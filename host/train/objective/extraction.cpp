#include "host/train/objective/extraction.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "host/model/denoise.hpp"
#include "host/model/extract.hpp"
#include "host/services/tensor.hpp"

namespace perrin::train {
namespace {

using model::Model;

struct Pass {
  const Model& model;
  const data::Batch& batch;
  const at::Tensor& x;  // [B, C, H, W]
  const model::ConditioningHandles& conditioning;
  const at::Tensor& total;  // of the terms so far; undefined before the first
};

at::Tensor condition(const Pass& pass) {
  return pass.conditioning.get() ? services::unwrap(pass.conditioning.get()->vector) : at::Tensor();
}

std::optional<Missing> no_vector(const Model& model) {
  if (model.shapes.conditioning && model.shapes.conditioning->slots & PERRIN_SLOT_VECTOR) return std::nullopt;
  return Missing{"no conditioner gives a vector",
                 "add a [conditioner] that does, such as clip-text with output = \"vector\""};
}

const perrin_spec* image(const Model& model) { return &model.shapes.x; }
const perrin_spec* vector(const Model& model) { return &model.shapes.conditioning->vector; }

// Beside these, the extractor's layers by their names.
constexpr Given<Pass> kGiven[] = {
    {"x", [](const Pass& p) { return p.x; }, nullptr, image},
    {"label", [](const Pass& p) { return data::label_of(p.model, p.batch); }, missing_label},
    {"condition", condition, no_vector, vector},
    {"terms", [](const Pass& p) { return p.total; }},
};

// The extractor's layers that the started terms ask for, by number, ascending.
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

}  // namespace

Known known_in_extraction(const Model& model, std::string_view name) {
  if (const auto* row = find_row(kGiven, name)) return known_of(*row, model);
  std::string layers;
  for (size_t i = 0; i < model.shapes.layers.size(); ++i) {
    if (model.shapes.layers[i] == name) return {std::nullopt, &model.shapes.layer_specs[i]};
    layers += (layers.empty() ? "" : ", ") + model.shapes.layers[i];
  }
  return {Missing{"the extractor \"" + model.extractor.id() + "\" has no such layer", "it has: " + layers}};
}

Objective extraction_objective(Model& model, const data::Batch& batch, std::vector<LossTerm>& terms,
                               const StageStep& at) {
  const perrin_call call = training_call(model, at, batch.positions);
  const at::Tensor x = model::channels_last(data::images(model, batch));
  const std::set<uint32_t> wanted = wanted_of(model, terms, at);
  const std::vector<at::Tensor> given = model::forward_layers(model, call, x, {wanted.begin(), wanted.end()});
  std::map<std::string, at::Tensor, std::less<>> layers;
  size_t i = 0;
  for (const uint32_t layer : wanted) layers[model.shapes.layers[layer]] = given[i++];
  const model::ConditioningHandles conditioning(model, call, {batch.fields, {}},
                                                draw_drops(model, batch.positions, at.stage));
  Objective result;
  const Pass pass{model, batch, x, conditioning, result.total};
  const Inputs inputs = [&](std::string_view name) -> at::Tensor {
    if (const auto* row = find_row(kGiven, name)) return row->value(pass);
    const auto found = layers.find(name);
    return found == layers.end() ? at::Tensor() : found->second;
  };
  add_terms(result, terms, call, inputs);
  return result;
}

}  // namespace perrin::train
