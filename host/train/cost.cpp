#include "host/train/cost.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>
#include <ATen/record_function.h>

#include <string_view>

#include "host/model/call.hpp"
#include "host/model/denoise.hpp"
#include "host/model/extract.hpp"
#include "host/model/first_stage.hpp"
#include "host/services/spec.hpp"

namespace perrin::train {
namespace {

thread_local Cost* counting = nullptr;
thread_local int depth = 0;  // operators call operators, and hand the same tensor up

int64_t product(at::IntArrayRef sizes, size_t from = 0) {
  int64_t n = 1;
  for (size_t i = from; i < sizes.size(); ++i) n *= sizes[i];
  return n;
}

thread_local int inside_ours = 0;  // a perrin:: operator counts for all that it calls

bool ours(const at::RecordFunction& function) { return std::string_view(function.name()).starts_with("perrin::"); }

// The shapes of an operator's first two inputs: inputs are gone when it ends.
struct InputShapes : at::ObserverContext {
  std::vector<int64_t> first, second;
};

std::unique_ptr<at::ObserverContext> on_start(const at::RecordFunction& function) {
  ++depth;
  inside_ours += ours(function);
  auto shapes = std::make_unique<InputShapes>();
  const auto inputs = function.inputs();
  if (inputs.size() > 0 && inputs[0].isTensor()) shapes->first = inputs[0].toTensor().sizes().vec();
  if (inputs.size() > 1 && inputs[1].isTensor()) shapes->second = inputs[1].toTensor().sizes().vec();
  return shapes;
}

// Multiply-adds times two.
int64_t flops(std::string_view name, const InputShapes& in, const at::Tensor& out) {
  if (name == "aten::convolution" || name == "perrin::conv2d") return 2 * out.numel() * product(in.second, 1);
  if (name == "aten::mm" || name == "aten::bmm") return 2 * out.numel() * in.first.back();
  if (name == "aten::addmm" || name == "aten::baddbmm") return 2 * out.numel() * in.second.back();
  // q, k, v: [B, heads, L, D]: two products of L x S x D.
  if (name == "aten::_scaled_dot_product_flash_attention_for_cpu" || name == "perrin::attention")
    return 4 * product(in.first) * in.second[in.second.size() - 2];
  return 0;
}

void on_end(const at::RecordFunction& function, at::ObserverContext* context) {
  --depth;
  inside_ours -= ours(function);
  if (!counting || function.outputs().empty() || !function.outputs()[0].isTensor()) return;
  const at::Tensor& out = function.outputs()[0].toTensor();
  if (!out.defined()) return;
  if (inside_ours == 0) counting->forward_flops += flops(function.name(), *static_cast<InputShapes*>(context), out);
  const bool own_memory = out.has_storage() && out.storage().use_count() <= 2;
  if (own_memory && depth == 0) counting->activation_bytes += static_cast<int64_t>(out.nbytes());
}

}  // namespace

namespace {

// What `forward` costs.
template <class F>
Cost counted(F&& forward) {
  const at::NoGradGuard no_grad;
  Cost cost;
  counting = &cost;
  depth = inside_ours = 0;
  const auto handle = at::addThreadLocalCallback(at::RecordFunctionCallback(on_start, on_end)
                                                     .needsInputs(true)
                                                     .needsOutputs(true)
                                                     .scopes({at::RecordScope::FUNCTION}));
  forward();
  at::removeCallback(handle);
  counting = nullptr;
  return cost;
}

// One sample of zeros.
at::Tensor blank(const perrin_spec& spec, at::ScalarType dtype = at::kFloat) {
  return model::channels_last(at::zeros(services::batch_sizes(spec, 1), dtype));
}

}  // namespace

Cost measure_cost(model::Model& model, const config::Stage& stage) {
  const std::vector<uint64_t> first = {0};
  const perrin_call call = model::evaluation_call(model.experiment.seed, first);
  const at::Tensor x = blank(model.shapes.x);
  if (task_of(model, stage) == Task::extraction)
    return counted([&] { extract(model, call, x, {model.shapes.layers.back()}); });
  if (task_of(model, stage) == Task::first_stage) return counted([&] { decode(model, call, encode(model, call, x)); });
  model::FieldsOf fields;
  for (const perrin_field& field : model.shapes.fields)
    fields.fields.push_back(blank(field.spec, static_cast<at::ScalarType>(field.spec.dtype)));
  const model::ConditioningHandles conditioning(model, call, fields, {});
  const auto coefficients = model.coefficients({model.times.at(model.times.domain().t_min)});
  const at::Tensor z = blank(model.shapes.z);
  return counted([&] { predict(model, call, z, coefficients, conditioning.get()); });
}

int64_t parameter_bytes(const model::Model& model, bool ema) {
  return model.parameters.values().numel() * static_cast<int64_t>(sizeof(float)) * (ema ? 5 : 4);
}

}  // namespace perrin::train
