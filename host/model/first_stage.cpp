#include "host/model/first_stage.hpp"

#include <ATen/core/grad_mode.h>
#include <perrin/kind/encoder.h>

#include "host/services/tensor.hpp"

namespace perrin::model {

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

namespace {

// encode or decode in evaluation, without a graph.
template <auto function>
at::Tensor evaluated(const Model& model, perrin_call call, const at::Tensor& tensor) {
  const at::NoGradGuard no_grad;
  call.training = 0;
  const services::TensorHandle input = services::wrap(tensor);
  perrin_tensor* output = nullptr;
  model.encoder.template invoke<function>(&call, input.get(), &output);
  return services::take(output).to(at::kFloat);
}

}  // namespace

at::Tensor encode(Model& model, perrin_call call, const at::Tensor& x) {
  return evaluated<&perrin_encoder::encode>(model, call, x);
}

at::Tensor decode(Model& model, perrin_call call, const at::Tensor& z) {
  return evaluated<&perrin_encoder::decode>(model, call, z);
}

}  // namespace perrin::model
