#include "tests/unit/encoders_ae/held.hpp"

#include <ATen/ops/arange.h>

#include <numeric>

#include "host/services/tensor.hpp"
#include "tests/unit/plugins_a/components.hpp"

namespace perrin::testing {
namespace {

struct Call {
  Call(int64_t n, const When& when) : samples(static_cast<size_t>(n)) {
    std::iota(samples.begin(), samples.end(), when.first);
    call.struct_size = sizeof call;
    call.training = when.training;
    call.seed = when.seed;
    call.n = static_cast<uint32_t>(n);
    call.samples = samples.data();
  }
  std::vector<uint64_t> samples;
  perrin_call call{};
};

at::Tensor taken(perrin_tensor* handle) { return services::unwrap(services::TensorHandle(handle).get()); }

services::Component inferred(const std::string& id, const Values& values, const std::vector<int64_t>& x,
                             perrin_spec* z) {
  services::Component component = builtin("encoder", id, values);
  const perrin_spec in = spec(x);
  component.invoke<&perrin_encoder::infer>(&in, z);
  return component;
}

}  // namespace

Values small_first_stage() {
  return {{"channels", std::vector<int64_t>{8, 16}},
          {"blocks", int64_t{1}},
          {"groups", int64_t{4}},
          {"latent_channels", int64_t{2}}};
}

Values with(Values values, const Values& more) {
  for (const auto& [key, value] : more) values[key] = value;
  return values;
}

Bound encoder(const std::string& id, const Values& values, const std::vector<int64_t>& x, at::ScalarType dtype,
              std::vector<int64_t>* z) {
  perrin_spec latent{};
  services::Component component = inferred(id, values, x, &latent);
  if (z) z->assign(latent.sizes, latent.sizes + latent.rank);
  return Bound(std::move(component), dtype);
}

int64_t encoder_parameter_count(const std::string& id, const Values& values, const std::vector<int64_t>& x) {
  perrin_spec latent{};
  const services::Component component = inferred(id, values, x, &latent);
  int64_t count = 0;
  const auto add = [](void* total, const perrin_param* p) -> perrin_status* {
    if (p->role == PERRIN_PARAMETER)
      *static_cast<int64_t*>(total) += c10::multiply_integers(p->sizes, p->sizes + p->rank);
    return nullptr;
  };
  const perrin_param_sink sink = {sizeof sink, 0, &count, add};
  component.invoke<&perrin_params::declare>(&sink);
  return count;
}

at::Tensor encode(const Bound& net, const at::Tensor& x, const When& when) {
  const Call c(x.size(0), when);
  const auto in = services::wrap(x);
  perrin_tensor* z = nullptr;
  net.component.invoke<&perrin_encoder::encode>(&c.call, in.get(), &z);
  return taken(z);
}

at::Tensor decode(const Bound& net, const at::Tensor& z, const When& when) {
  const Call c(z.size(0), when);
  const auto in = services::wrap(z);
  perrin_tensor* x = nullptr;
  net.component.invoke<&perrin_encoder::decode>(&c.call, in.get(), &x);
  return taken(x);
}

std::vector<at::Tensor> encode_training(const Bound& net, const at::Tensor& x, const When& when) {
  uint32_t n = 0;
  const perrin_encoder_output* described = nullptr;
  net.component.invoke<&perrin_encoder_training::outputs>(&n, &described);
  const Call c(x.size(0), when);
  const auto in = services::wrap(x);
  perrin_tensor* z = nullptr;
  std::vector<perrin_tensor*> outputs(n);
  net.component.invoke<&perrin_encoder_training::encode>(&c.call, in.get(), &z, outputs.data());
  std::vector<at::Tensor> result{taken(z)};
  for (perrin_tensor* output : outputs) result.push_back(taken(output));
  return result;
}

at::Tensor reconstruction(const Bound& net, const at::Tensor& x, const When& when) {
  const bool posterior = net.component.has<&perrin_encoder_training::encode>();
  return decode(net, posterior ? encode_training(net, x, when)[0] : encode(net, x, when), when);
}

at::Tensor waves(int64_t count, int64_t channels, int64_t side) {
  const auto pixel = at::arange(side, at::kFloat).add(0.5).mul(2 * 3.14159265358979323846 / static_cast<double>(side));
  const auto number = at::arange(count * channels, at::kFloat).view({count, channels, 1, 1});
  const auto wave = pixel.view({side, 1}).add(number.mul(0.7)).sin().mul(pixel.mul(2).add(number.mul(1.3)).cos());
  return wave.contiguous(at::MemoryFormat::ChannelsLast);
}

double apart(const at::Tensor& a, const at::Tensor& b) {
  return a.sub(b).abs().max().item<double>() / b.abs().max().item<double>();
}

}  // namespace perrin::testing
