#include "host/train/objective/first_stage.hpp"

#include <ATen/TensorOperators.h>
#include <perrin/kind/encoder.h>

#include <map>

#include "host/model/denoise.hpp"
#include "host/model/first_stage.hpp"
#include "host/services/status.hpp"
#include "host/services/tensor.hpp"

namespace perrin::train {
namespace {

using model::Model;

struct Encoded {
  at::Tensor z;
  std::map<std::string, at::Tensor, std::less<>> inputs, terms;  // the encoder's outputs by name
};

Encoded encode_training(model::Model& model, const perrin_call& call, const at::Tensor& x) {
  const services::TensorHandle input = services::wrap(x);
  Encoded encoded;
  const auto outputs = encoder_outputs(model);
  services::Outputs z(1), given(outputs.size());
  if (model.encoder.has<&perrin_encoder_training::encode>())
    model.encoder.invoke<&perrin_encoder_training::encode>(&call, input.get(), z.data(), given.data());
  else
    model.encoder.invoke<&perrin_encoder::encode>(&call, input.get(), z.data());
  encoded.z = z.take(0);
  for (size_t i = 0; i < outputs.size(); ++i) {
    auto& of_role = outputs[i].role == PERRIN_OUTPUT_TERM ? encoded.terms : encoded.inputs;
    of_role.emplace(std::string(outputs[i].name.data, outputs[i].name.size), given.take(i));
  }
  return encoded;
}

at::Tensor decode_training(model::Model& model, const perrin_call& call, const at::Tensor& z) {
  const services::TensorHandle input = services::wrap(z);
  perrin_tensor* x = nullptr;
  model.encoder.invoke<&perrin_encoder::decode>(&call, input.get(), &x);
  return services::take(x).to(at::kFloat);
}

struct Pass {
  const Model& model;
  const data::Batch& batch;
  const at::Tensor& x;  // [B, C, H, W]
  const Encoded& encoded;
  const at::Tensor& reconstruction;  // as x
  const at::Tensor& total;           // of the terms so far; undefined before the first
};

at::Tensor last_layer(const Pass& pass) {
  const std::string name = "encoder." + last_layer_of(pass.model);
  for (const model::Parameter& p : pass.model.parameters.group("encoder")->parameters)
    if (p.name == name) return p.tensor;
  return {};
}

std::optional<Missing> no_last_layer(const Model& model) {
  if (!last_layer_of(model).empty()) return std::nullopt;
  return Missing{"the encoder \"" + model.encoder.id() + "\" names no last layer",
                 "turn the term's adaptive weight off"};
}

const perrin_spec* x(const Model& model) { return &model.shapes.x; }
const perrin_spec* z(const Model& model) { return &model.shapes.z; }
at::Tensor image(const Pass& pass) { return pass.x; }
at::Tensor reconstruction(const Pass& pass) { return pass.reconstruction; }

// Beside these, the encoder's own outputs by their names.
constexpr Given<Pass> kGiven[] = {
    {"x", image, nullptr, x},
    {"target", image, nullptr, x},
    {"reconstruction", reconstruction, nullptr, x},
    {"prediction", reconstruction, nullptr, x},
    {"z", [](const Pass& p) { return p.encoded.z; }, nullptr, z},
    {"terms", [](const Pass& p) { return p.total; }},
    {"last_layer", last_layer, no_last_layer},
    {"label", [](const Pass& p) { return data::label_of(p.model, p.batch); }, missing_label},
};

}  // namespace

Known known_in_first_stage(const Model& model, std::string_view name) {
  if (const auto* row = find_row(kGiven, name)) return known_of(*row, model);
  for (const perrin_encoder_output& output : encoder_outputs(model))
    if (services::view(output.name) == name) return {};
  return {Missing{"the encoder \"" + model.encoder.id() + "\" does not give it in a stage that trains a first stage",
                  "take the term out"}};
}

Objective first_stage_objective(Model& model, const data::Batch& batch, std::vector<LossTerm>& terms,
                                const StageStep& at) {
  const perrin_call call = training_call(model, at, batch.positions);
  const at::Tensor x = model::channels_last(data::images(model, batch));
  const Encoded encoded = encode_training(model, call, x);
  const at::Tensor reconstruction = decode_training(model, call, encoded.z);
  Objective result;
  const Pass pass{model, batch, x, encoded, reconstruction, result.total};
  const Inputs inputs = [&](std::string_view name) -> at::Tensor {
    if (const auto* row = find_row(kGiven, name)) return row->value(pass);
    const auto found = encoded.inputs.find(name);
    return found == encoded.inputs.end() ? at::Tensor() : found->second;
  };
  add_terms(result, terms, call, inputs);
  for (const auto& [name, values] : encoded.terms) result.add("encoder_" + name, 1, values.to(at::kFloat), values);
  return result;
}

}  // namespace perrin::train
