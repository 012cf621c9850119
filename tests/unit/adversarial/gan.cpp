#include "tests/unit/adversarial/gan.hpp"

#include <numeric>

#include "host/services/tensor.hpp"

namespace perrin::testing {
namespace {

services::Component inferred(Values values, const std::vector<int64_t>& x) {
  auto component = load("loss", "adversarial", std::move(values));
  perrin_spec shape = spec(x);
  shape.name = PERRIN_TEXT("x");
  component.invoke<&perrin_loss::infer>(1u, &shape);
  return component;
}

template <auto function>
at::Tensor call(const services::Component& loss, const Tensors& inputs, const Step& step) {
  std::vector<services::TensorHandle> handles;
  std::vector<perrin_named_tensor> named;
  for (const auto& [name, tensor] : inputs)
    named.push_back({{name.data(), name.size()}, handles.emplace_back(services::wrap(tensor)).get()});
  std::vector<uint64_t> samples(static_cast<size_t>(inputs[0].second.size(0)));
  std::iota(samples.begin(), samples.end(), step.first);
  perrin_call call{};
  call.struct_size = sizeof call;
  call.training = step.training;
  call.seed = step.seed;
  call.step = step.step;
  call.n = static_cast<uint32_t>(samples.size());
  call.samples = samples.data();
  perrin_tensor* out = nullptr;
  loss.invoke<function>(&call, static_cast<uint32_t>(named.size()), named.data(), &out);
  return services::unwrap(services::TensorHandle(out).get());
}

}  // namespace

Values adversarial(Values given) {
  given.insert({{"objective", std::string("hinge")},
                {"channels", int64_t{4}},
                {"layers", int64_t{2}},
                {"norm", std::string("batch")},
                {"adaptive", false},
                {"gradient_penalty", 10.0},
                {"r1", 0.0},
                {"augment", std::vector<std::string>{}}});
  return given;
}

Gan::Gan(Values given, std::vector<int64_t> x, at::ScalarType dtype)
    : net(inferred(adversarial(std::move(given)), x), dtype) {}

void Gan::bind(bool trained) {
  net.bind(trained);
  for (Declared& d : net.declared)
    if (d.role != PERRIN_PARAMETER) d.value.set_requires_grad(false);
}

at::Tensor Gan::values(const Tensors& inputs, const Step& step) {
  bind(false);
  return call<&perrin_loss::compute>(net.component, inputs, step);
}

at::Tensor Gan::oppose(const Tensors& inputs, const Step& step) {
  bind(true);
  return call<&perrin_adversary::oppose>(net.component, inputs, step);
}

std::vector<std::string> Gan::inputs() const {
  uint32_t n = 0;
  const perrin_text* names = nullptr;
  net.component.invoke<&perrin_loss_inputs::names>(&n, &names);
  std::vector<std::string> result;
  for (uint32_t i = 0; i < n; ++i) result.emplace_back(names[i].data, names[i].size);
  return result;
}

std::vector<double> Gan::trace() const {
  uint32_t n = 0;
  const perrin_trace_value* names = nullptr;
  net.component.invoke<&perrin_trace::names>(&n, &names);
  std::vector<double> values(n);
  net.component.invoke<&perrin_trace::values>(values.data());
  return values;
}

void Gan::fill(const std::string& ending, double value) {
  for (Declared& d : net.declared)
    if (d.name.ends_with(ending)) d.value.detach().fill_(value);
}

}  // namespace perrin::testing
