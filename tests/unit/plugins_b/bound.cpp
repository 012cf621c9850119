#include "tests/unit/plugins_b/bound.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Generator.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <numeric>

#include "host/kernels/ops.hpp"
#include "host/services/host.hpp"
#include "host/services/tensor.hpp"

namespace perrin::testing {
namespace {

loader::Registry& registry() {
  static loader::Registry* registry = [] {
    kernels::register_operators();
    return new loader::Registry(services::loader_host());
  }();
  return *registry;
}

perrin_status* collect(void* context, const perrin_param* p) {
  static_cast<std::vector<Declared>*>(context)->push_back(
      {std::string(p->name.data, p->name.size),
       {p->sizes, p->sizes + p->rank},
       p->init,
       p->init_a,
       p->role,
       p->given ? services::unwrap(p->given).clone() : at::Tensor()});
  return nullptr;
}

void fill(const Declared& d, at::Generator& generator) {
  if (d.init == PERRIN_INIT_CONSTANT) d.value.fill_(d.init_a);
  if (d.init == PERRIN_INIT_NORMAL) d.value.normal_(0, d.init_a, generator);
  if (d.init == PERRIN_INIT_UNIFORM) d.value.uniform_(-d.init_a, d.init_a, generator);
}

services::Component made(const loader::Library& from, const std::string& kind, const std::string& id, Values values) {
  return services::Component(from, *from.find(kind, id), kind, std::move(values), 0);
}

}  // namespace

const loader::Library& library(const std::string& kind) {
  const std::string plural = kind + (kind == "loss" ? "es" : "s");
  return registry().load(std::string(PERRIN_PLUGINS) + "/perrin-" + plural + ".so");
}

services::Component load(const std::string& kind, const std::string& id, Values values) {
  return made(library(kind), kind, id, std::move(values));
}

services::Component load_file(const std::string& file, const std::string& kind, const std::string& id, Values values) {
  return made(registry().load(file), kind, id, std::move(values));
}

Values UNet::values() const {
  return {{"channels", channels},
          {"groups", groups},
          {"head_channels", head_channels},
          {"layers_per_block", layers_per_block},
          {"attention", attention},
          {"heads", heads},
          {"transformer_depth", transformer_depth},
          {"linear_projection", linear_projection},
          {"scale_shift_norm", scale_shift_norm},
          {"learnt_variance", learnt_variance},
          {"gradient_checkpointing", gradient_checkpointing},
          {"dropout", dropout},
          {"norm_eps", norm_eps},
          {"freq_shift", freq_shift},
          {"flip_sin_to_cos", flip_sin_to_cos},
          {"add_attention", add_attention},
          {"downsample_padding", downsample_padding}};
}

perrin_spec spec(std::vector<int64_t> sizes, uint32_t dtype) {
  perrin_spec s{};
  s.dtype = dtype;
  s.rank = static_cast<uint32_t>(sizes.size());
  std::copy(sizes.begin(), sizes.end(), s.sizes);
  return s;
}

Bound::Bound(services::Component c, at::ScalarType dtype, uint64_t seed) : component(std::move(c)) {
  const perrin_param_sink sink = {sizeof sink, 0, &declared, collect};
  component.invoke<&perrin_params::declare>(&sink);
  int64_t n = 0;
  for (const Declared& d : declared) n += c10::multiply_integers(d.sizes);
  values = at::zeros({n}, dtype);
  gradients = at::zeros({n}, dtype);
  auto generator = at::detail::createCPUGenerator(seed);
  int64_t offset = 0;
  for (Declared& d : declared) {
    const int64_t count = c10::multiply_integers(d.sizes);
    const at::Tensor given = d.value;
    d.value = values.narrow(0, offset, count).view(d.sizes).detach();
    if (given.defined()) d.value.copy_(given);
    fill(d, generator);
    offset += count;
  }
  bind(true);
}

void Bound::bind(bool requires_grad) {
  std::vector<services::TensorHandle> handles;
  std::vector<perrin_tensor*> tensors;
  int64_t offset = 0;
  for (Declared& d : declared) {
    const int64_t count = c10::multiply_integers(d.sizes);
    d.value = values.narrow(0, offset, count).view(d.sizes).detach();
    const bool learns = requires_grad && d.role == PERRIN_PARAMETER;
    d.value.set_requires_grad(learns);
    if (learns) d.value.mutable_grad() = gradients.narrow(0, offset, count).view(d.sizes);
    offset += count;
    tensors.push_back(handles.emplace_back(services::wrap(d.value)).get());
  }
  component.invoke<&perrin_params::bind>(static_cast<uint32_t>(tensors.size()), tensors.data());
}

Declared& Bound::at(const std::string& name) {
  for (Declared& d : declared)
    if (d.name == name) return d;
  throw std::out_of_range(name);
}

Bound denoiser(const std::string& id, Values values, perrin_spec x, const perrin_conditioning_spec* conditioning,
               at::ScalarType dtype) {
  auto component = load("denoiser", id, std::move(values));
  perrin_spec prediction{};
  component.invoke<&perrin_denoiser::infer>(&x, conditioning, &prediction);
  return Bound(std::move(component), dtype);
}

int64_t parameter_count(const std::string& id, Values values, perrin_spec x,
                        const perrin_conditioning_spec* conditioning) {
  const auto component = load("denoiser", id, std::move(values));
  perrin_spec prediction{};
  component.invoke<&perrin_denoiser::infer>(&x, conditioning, &prediction);
  int64_t count = 0;
  const auto add = [](void* total, const perrin_param* p) -> perrin_status* {
    if (p->role == PERRIN_PARAMETER && p->tie_to.size == 0)
      *static_cast<int64_t*>(total) += c10::multiply_integers(p->sizes, p->sizes + p->rank);
    return nullptr;
  };
  const perrin_param_sink sink = {sizeof sink, 0, &count, add};
  component.invoke<&perrin_params::declare>(&sink);
  return count;
}

at::Tensor forward(const services::Component& denoiser, const at::Tensor& x, const at::Tensor& c_noise,
                   const Condition& condition, const When& when) {
  const auto hx = services::wrap(x), ht = services::wrap(c_noise);
  const auto vector = services::wrap(condition.vector), sequence = services::wrap(condition.sequence),
             concat = services::wrap(condition.concat);
  const perrin_conditioning c = {sizeof c, 0, vector.get(), sequence.get(), concat.get()};
  perrin_call call{};
  std::vector<uint64_t> samples(static_cast<size_t>(x.size(0)));
  std::iota(samples.begin(), samples.end(), when.first);
  call.struct_size = sizeof call;
  call.training = when.training;
  call.seed = when.seed;
  call.n = static_cast<uint32_t>(x.size(0));
  call.samples = samples.data();
  perrin_tensor* out = nullptr;
  denoiser.invoke<&perrin_denoiser::forward>(&call, hx.get(), ht.get(), &c, &out);
  return services::unwrap(services::TensorHandle(out).get());
}

at::Tensor loss(const services::Component& loss, const at::Tensor& prediction, const at::Tensor& target) {
  const auto hp = services::wrap(prediction), ht = services::wrap(target);
  const perrin_named_tensor inputs[] = {{PERRIN_TEXT("prediction"), hp.get()}, {PERRIN_TEXT("target"), ht.get()}};
  perrin_call call{};
  call.struct_size = sizeof call;
  call.n = static_cast<uint32_t>(prediction.size(0));
  perrin_tensor* out = nullptr;
  loss.invoke<&perrin_loss::compute>(&call, 2u, inputs, &out);
  return services::unwrap(services::TensorHandle(out).get());
}

}  // namespace perrin::testing
