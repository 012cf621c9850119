#include "tests/unit/encoders_vq/stepped.hpp"

#include <ATen/ops/rand.h>

#include <numeric>

#include "host/services/host.hpp"
#include "host/services/tensor.hpp"
#include "perrin/host/trace.h"

namespace perrin::testing {
namespace {

at::Tensor taken(perrin_tensor* handle) { return services::unwrap(services::TensorHandle(handle).get()); }

}  // namespace

At::At(int64_t n, uint32_t step, uint64_t first) : samples(static_cast<size_t>(n)) {
  std::iota(samples.begin(), samples.end(), first);
  call.struct_size = sizeof call;
  call.training = step > 0;
  call.seed = 3;
  call.step = step;
  call.n = static_cast<uint32_t>(n);
  call.samples = samples.data();
}

at::Tensor encode_at(const Bound& net, const at::Tensor& x, uint32_t step) {
  const At at(x.size(0), step);
  const auto in = services::wrap(x);
  perrin_tensor* z = nullptr;
  net.component.invoke<&perrin_encoder::encode>(&at.call, in.get(), &z);
  return taken(z);
}

at::Tensor decode_at(const Bound& net, const at::Tensor& z, uint32_t step) {
  const At at(z.size(0), step);
  const auto in = services::wrap(z);
  perrin_tensor* x = nullptr;
  net.component.invoke<&perrin_encoder::decode>(&at.call, in.get(), &x);
  return taken(x);
}

std::vector<at::Tensor> encode_training_at(const Bound& net, const at::Tensor& x, uint32_t step) {
  uint32_t n = 0;
  const perrin_encoder_output* described = nullptr;
  net.component.invoke<&perrin_encoder_training::outputs>(&n, &described);
  const At at(x.size(0), step);
  const auto in = services::wrap(x);
  perrin_tensor* z = nullptr;
  std::vector<perrin_tensor*> outputs(n);
  net.component.invoke<&perrin_encoder_training::encode>(&at.call, in.get(), &z, outputs.data());
  std::vector<at::Tensor> result{taken(z)};
  for (perrin_tensor* output : outputs) result.push_back(taken(output));
  return result;
}

std::vector<double> traced(const Bound& net) {
  uint32_t n = 0;
  const perrin_trace_value* names = nullptr;
  net.component.invoke<&perrin_trace::names>(&n, &names);
  std::vector<double> values(n);
  net.component.invoke<&perrin_trace::values>(values.data());
  return values;
}

void separate_buffers(Bound& net) {
  std::vector<services::TensorHandle> handles;
  std::vector<perrin_tensor*> tensors;
  for (Declared& d : net.declared) {
    if (d.role != PERRIN_PARAMETER) d.value = d.value.detach().clone();
    tensors.push_back(handles.emplace_back(services::wrap(d.value)).get());
  }
  net.component.invoke<&perrin_params::bind>(static_cast<uint32_t>(tensors.size()), tensors.data());
}

HeldQuantizer::HeldQuantizer(const first_stage::Quantizer::Settings& settings, int64_t width, bool drawn) {
  perrin::detail::host_slot() = services::native_host();
  at::manual_seed(0);
  quantizer.emplace(settings, width);
  quantizer->declare_codebook(p_);
  quantizer->declare_counts(p_, drawn);
  const auto fill = [](void* context, const perrin_param* d) -> perrin_status* {
    auto& self = *static_cast<HeldQuantizer*>(context);
    self.names_.emplace_back(d->name.data, d->name.size);
    const at::IntArrayRef sizes(d->sizes, d->rank);
    auto value = at::rand(sizes, at::kDouble).mul(2).sub(1).mul(d->init_a);
    if (d->init == PERRIN_INIT_CONSTANT) value.fill_(d->init_a);
    self.values_.push_back(value.set_requires_grad(d->role == PERRIN_PARAMETER));
    return nullptr;
  };
  p_.declare({sizeof(perrin_param_sink), 0, this, fill});
  std::vector<services::TensorHandle> handles;
  std::vector<perrin_tensor*> bound;
  for (const auto& value : values_) bound.push_back(handles.emplace_back(services::wrap(value)).get());
  p_.bind(static_cast<uint32_t>(bound.size()), bound.data());
}

at::Tensor& HeldQuantizer::operator[](const std::string& name) {
  for (size_t i = 0; i < names_.size(); ++i)
    if (names_[i] == "quantize." + name) return values_[i];
  throw std::out_of_range(name);
}

void HeldQuantizer::copy(HeldQuantizer& from) {
  for (size_t i = 0; i < values_.size(); ++i) values_[i].detach().copy_(from.values_[i]);
}

}  // namespace perrin::testing
