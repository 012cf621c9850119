#include "tests/unit/losses_first_stage/held.hpp"

#include "host/kernels/ops.hpp"
#include "host/model/autocast.hpp"
#include "host/services/host.hpp"
#include "host/services/session.hpp"
#include "host/services/status.hpp"
#include "host/services/tensor.hpp"
#include "perrin/host/extractor.h"

namespace perrin::testing {
namespace {

Double* extractor = nullptr;
std::vector<perrin_text> names;
std::vector<perrin_spec> specs;

perrin_status* open(perrin_text use, perrin_text weights, const perrin_spec* x, perrin_open_extractor** opened) {
  extractor->use = services::view(use);
  extractor->weights = services::view(weights);
  extractor->x.assign(x->sizes, x->sizes + x->rank);
  ++extractor->opened;
  names.clear(), specs.clear();
  for (size_t i = 0; i < extractor->names.size(); ++i) {
    names.push_back({extractor->names[i].data(), extractor->names[i].size()});
    specs.push_back(spec(extractor->sizes[i]));
  }
  *opened = reinterpret_cast<perrin_open_extractor*>(extractor);
  return nullptr;
}
void close(perrin_open_extractor* opened) {
  if (opened) ++reinterpret_cast<Double*>(opened)->closed;
}
perrin_status* layers(perrin_open_extractor*, uint32_t* n, const perrin_text** layer_names,
                      const perrin_spec** layer_specs) {
  *n = static_cast<uint32_t>(names.size()), *layer_names = names.data(), *layer_specs = specs.data();
  return nullptr;
}
perrin_status* forward(perrin_open_extractor*, const perrin_call* call, perrin_tensor* x, uint32_t n,
                       const uint32_t* wanted, perrin_tensor** outputs) {
  const auto all = extractor->layers(services::unwrap(x));
  extractor->wanted.assign(wanted, wanted + n);
  extractor->training |= call->training != 0;
  for (uint32_t i = 0; i < n; ++i) outputs[i] = services::lend(services::wrap(all[wanted[i]]));
  return nullptr;
}
constexpr perrin_host_extractor service = {sizeof(perrin_host_extractor), 0, open, close, layers, forward};

const void* find_service(const perrin_host*, perrin_text id) {
  if (extractor && services::view(id) == PERRIN_HOST_EXTRACTOR) return &service;
  return services::native_host()->get_extension(services::native_host(), id);
}

loader::Registry& registry() {
  static auto* registry = [] {
    kernels::register_operators();
    static perrin_host host = *services::native_host();
    host.get_extension = find_service;
    return new loader::Registry({&host, &host, services::fingerprint()});
  }();
  return *registry;
}

const loader::Library& library() { return registry().load(PERRIN_PLUGINS "/perrin-losses.so"); }

// The default of a key: the part of TOML that the losses' schemas use.
config::Value default_of(const perrin_key& key) {
  const std::string text(services::view(key.default_value));
  if (key.type == PERRIN_BOOLEAN) return text == "true";
  if (key.type == PERRIN_INTEGER) return int64_t{std::stoll(text)};
  if (key.type == PERRIN_NUMBER) return std::stod(text);
  if (key.type == PERRIN_NUMBERS) return std::vector<double>{};
  if (key.type == PERRIN_STRINGS) return std::vector<std::string>{};
  return text.size() < 2 ? std::string() : text.substr(1, text.size() - 2);
}

}  // namespace

void stand_in(Double& now) { extractor = &now; }

void stand_back() {
  extractor = nullptr;
  services::Hooks hooks;
  hooks.component = services::offers_of(registry(), {{PERRIN_PLUGINS}, PERRIN_PROBE, PERRIN_INDEX});
  services::Session::set_of_process(std::make_shared<services::Session>(std::move(hooks)));
}

services::Component held(const std::string& id, Values values) {
  const perrin_component& component = *library().find("loss", id);
  for (uint32_t i = 0; i < component.n_keys; ++i)
    values.try_emplace(std::string(services::view(component.keys[i].name)), default_of(component.keys[i]));
  return services::Component(library(), component, "loss", std::move(values), 0);
}

at::Tensor values_of(const services::Component& loss, const Tensors& inputs, Moment moment) {
  std::vector<services::TensorHandle> handles;
  std::vector<perrin_named_tensor> named;
  for (const auto& [name, tensor] : inputs)
    named.push_back({{name.data(), name.size()}, handles.emplace_back(services::wrap(tensor)).get()});
  perrin_call call{};
  call.struct_size = sizeof call;
  call.n = static_cast<uint32_t>(inputs[0].second.size(0));
  call.training = moment.training;
  call.stage_step = moment.stage_step;
  perrin_tensor* out = nullptr;
  const model::Autocast autocast(at::kCPU, moment.bf16);
  loss.invoke<&perrin_loss::compute>(&call, static_cast<uint32_t>(named.size()), named.data(), &out);
  return services::unwrap(services::TensorHandle(out).get());
}

void infer(const services::Component& loss, const std::vector<std::pair<std::string, std::vector<int64_t>>>& shapes) {
  std::vector<perrin_spec> list;
  for (const auto& [name, sizes] : shapes) list.emplace_back(spec(sizes)).name = {name.data(), name.size()};
  loss.invoke<&perrin_loss::infer>(static_cast<uint32_t>(list.size()), list.data());
}

std::vector<double> traced(const services::Component& loss) {
  uint32_t n = 0;
  const perrin_trace_value* unused = nullptr;
  loss.invoke<&perrin_trace::names>(&n, &unused);
  std::vector<double> values(n);
  loss.invoke<&perrin_trace::values>(values.data());
  return values;
}

std::string message(const std::function<void()>& f) {
  try {
    f();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "";
}

}  // namespace perrin::testing
