#include "host/run/first_stage.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <perrin/kind/encoder.h>

#include <map>

#include "host/base/error.hpp"
#include "host/services/tensor.hpp"

namespace perrin::run {
namespace {

struct Encoded {
  at::Tensor z;
  std::map<std::string, at::Tensor, std::less<>> inputs, terms;  // the encoder's outputs by name
};

Encoded encode_training(Model& model, const perrin_call& call, const at::Tensor& x) {
  const services::TensorHandle input = services::wrap(x);
  perrin_tensor* z = nullptr;
  Encoded encoded;
  const auto outputs = encoder_outputs(model);
  std::vector<perrin_tensor*> given(outputs.size());
  if (model.encoder.has<&perrin_encoder_training::encode>())
    model.encoder.invoke<&perrin_encoder_training::encode>(&call, input.get(), &z, given.data());
  else
    model.encoder.invoke<&perrin_encoder::encode>(&call, input.get(), &z);
  encoded.z = services::take(z);
  for (size_t i = 0; i < outputs.size(); ++i) {
    auto& of_role = outputs[i].role == PERRIN_OUTPUT_TERM ? encoded.terms : encoded.inputs;
    of_role.emplace(std::string(outputs[i].name.data, outputs[i].name.size), services::take(given[i]));
  }
  return encoded;
}

at::Tensor decode_training(Model& model, const perrin_call& call, const at::Tensor& z) {
  const services::TensorHandle input = services::wrap(z);
  perrin_tensor* x = nullptr;
  model.encoder.invoke<&perrin_encoder::decode>(&call, input.get(), &x);
  return services::take(x).to(at::kFloat);
}

at::Tensor last_layer(const Model& model) {
  const std::string name = "encoder." + last_layer_of(model);
  for (const Parameter& p : model.parameters.group("encoder")->parameters)
    if (p.name == name) return p.tensor;
  return {};
}

}  // namespace

std::span<const perrin_encoder_output> encoder_outputs(const Model& model) {
  if (!model.encoder.has<&perrin_encoder_training::outputs>()) return {};
  uint32_t n = 0;
  const perrin_encoder_output* outputs = nullptr;
  model.encoder.invoke<&perrin_encoder_training::outputs>(&n, &outputs);
  return {outputs, n};
}

std::string last_layer_of(const Model& model) {
  if (!model.encoder.has<&perrin_encoder_training::last_layer>()) return "";
  perrin_text name{};
  model.encoder.invoke<&perrin_encoder_training::last_layer>(&name);
  return {name.data, name.size};
}

at::Tensor encode(Model& model, perrin_call call, const at::Tensor& x) {
  const at::NoGradGuard no_grad;
  call.training = 0;
  const services::TensorHandle input = services::wrap(x);
  perrin_tensor* z = nullptr;
  model.encoder.invoke<&perrin_encoder::encode>(&call, input.get(), &z);
  return services::take(z).to(at::kFloat);
}

at::Tensor decode(Model& model, perrin_call call, const at::Tensor& z) {
  const at::NoGradGuard no_grad;
  call.training = 0;
  return decode_training(model, call, z);
}

Objective first_stage_objective(Model& model, const Batch& batch, std::vector<LossTerm>& terms, const StageStep& at) {
  const perrin_call call = training_call(model, at.step, at.stage_step, at.stage.steps, batch.positions);
  const at::Tensor x = channels_last(images(model, batch));
  const Encoded encoded = encode_training(model, call, x);
  const at::Tensor reconstruction = decode_training(model, call, encoded.z);
  Objective result;
  const Inputs inputs = [&](std::string_view name) -> at::Tensor {
    if (name == "x" || name == "target") return x;
    if (name == "reconstruction" || name == "prediction") return reconstruction;
    if (name == "z") return encoded.z;
    if (name == "terms") return result.total;
    if (name == "last_layer") return last_layer(model);
    if (name == "label") return label_of(model, batch);
    const auto found = encoded.inputs.find(name);
    return found == encoded.inputs.end() ? at::Tensor() : found->second;
  };
  add_terms(result, terms, call, inputs);
  for (const auto& [name, values] : encoded.terms) result.add("encoder_" + name, 1, values.to(at::kFloat), values);
  return result;
}

}  // namespace perrin::run
