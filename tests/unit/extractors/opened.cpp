#include "tests/unit/extractors/opened.hpp"

#include <unistd.h>

#include <numeric>

#include "host/services/host.hpp"
#include "host/services/session.hpp"
#include "host/services/tensor.hpp"
#include "host/store/safetensors.hpp"

namespace perrin::testing {
namespace {

const perrin_host_extractor& service() {
  static const auto* table = [] {
    static auto* registry = new loader::Registry(services::loader_host());
    services::Hooks hooks;
    hooks.component = services::offers_of(*registry, {{PERRIN_PLUGINS}, PERRIN_PROBE, PERRIN_INDEX});
    services::Session::set_of_process(std::make_shared<services::Session>(std::move(hooks)));
    const perrin_host* host = services::native_host();
    return static_cast<const perrin_host_extractor*>(host->get_extension(host, services::text(PERRIN_HOST_EXTRACTOR)));
  }();
  return *table;
}

perrin_call call_of(const at::Tensor& x, const std::vector<uint64_t>& samples) {
  perrin_call call{};
  call.struct_size = sizeof call;
  call.n = static_cast<uint32_t>(x.size(0));
  call.samples = samples.data();
  return call;
}

std::vector<uint64_t> positions(const at::Tensor& x) {
  std::vector<uint64_t> samples(static_cast<size_t>(x.size(0)));
  std::iota(samples.begin(), samples.end(), 0);
  return samples;
}

std::vector<at::Tensor> taken(const std::vector<perrin_tensor*>& outputs) {
  std::vector<at::Tensor> tensors;
  for (perrin_tensor* output : outputs) tensors.push_back(services::unwrap(services::TensorHandle(output).get()));
  return tensors;
}

}  // namespace

Values Vgg::values() const {
  return {{"channels", channels}, {"convolutions", convolutions}, {"classes", classes},
          {"hidden", hidden},     {"dropout", dropout},           {"normalise", normalise}};
}

Values Trunk::values() const {
  Values values = {{"channels", channels}, {"blocks", blocks}, {"groups", groups}};
  if (width > 0) values["width"] = width;
  return values;
}

Inferred infer(const services::Component& extractor, const perrin_spec& x, uint64_t n_classes) {
  uint32_t n = 0;
  const perrin_text* names = nullptr;
  extractor.invoke<&perrin_extractor::layers>(&n, &names);
  Inferred inferred;
  for (uint32_t i = 0; i < n; ++i) inferred.names.emplace_back(services::view(names[i]));
  inferred.specs.resize(n);
  extractor.invoke<&perrin_extractor::infer>(&x, n_classes, inferred.specs.data());
  return inferred;
}

Bound extractor(const std::string& id, Values values, const perrin_spec& x, uint64_t n_classes, at::ScalarType dtype) {
  auto component = load("extractor", id, std::move(values));
  infer(component, x, n_classes);
  Bound bound(std::move(component), dtype);
  for (Declared& d : bound.declared)
    if (d.init == PERRIN_INIT_CONSTANT && d.init_a == 0) d.value.detach().normal_(0, 0.3);
  return bound;
}

std::vector<at::Tensor> extract(const services::Component& extractor, const at::Tensor& x,
                                const std::vector<uint32_t>& wanted) {
  const auto hx = services::wrap(x);
  const auto samples = positions(x);
  const perrin_call call = call_of(x, samples);
  std::vector<perrin_tensor*> outputs(wanted.size());
  extractor.invoke<&perrin_extractor::forward>(&call, hx.get(), static_cast<uint32_t>(wanted.size()), wanted.data(),
                                               outputs.data());
  return taken(outputs);
}

std::vector<uint32_t> up_to(size_t n) {
  std::vector<uint32_t> numbers(n);
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

Opened::Opened(const std::string& use, const std::string& weights, const perrin_spec& x) {
  services::check(service().open(services::text(use), services::text(weights), &x, &extractor_), {});
  uint32_t n = 0;
  const perrin_text* names = nullptr;
  const perrin_spec* specs = nullptr;
  services::check(service().layers(extractor_, &n, &names, &specs), {});
  for (uint32_t i = 0; i < n; ++i) names_.emplace_back(services::view(names[i]));
  specs_.assign(specs, specs + n);
}

Opened::~Opened() { service().close(extractor_); }

std::vector<at::Tensor> Opened::operator()(const at::Tensor& x, const std::vector<uint32_t>& wanted) const {
  const auto hx = services::wrap(x);
  const auto samples = positions(x);
  const perrin_call call = call_of(x, samples);
  std::vector<perrin_tensor*> outputs(wanted.size());
  services::check(service().forward(extractor_, &call, hx.get(), static_cast<uint32_t>(wanted.size()), wanted.data(),
                                    outputs.data()),
                  {});
  return taken(outputs);
}

void write_weights(const std::filesystem::path& file, const Bound& extractor,
                   const std::map<std::string, std::string>& metadata) {
  std::vector<store::TensorView> views;
  for (const Declared& d : extractor.declared)
    if (d.role != PERRIN_SCRATCH)
      views.push_back({d.name,
                       store::Dtype::f32,
                       d.sizes,
                       {static_cast<const std::byte*>(d.value.const_data_ptr()), d.value.nbytes()}});
  store::write_safetensors(file, views, metadata);
}

Folder::Folder() {
  std::string name = (std::filesystem::temp_directory_path() / "perrin-extractors-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path = name;
}

Folder::~Folder() {
  std::error_code none;
  std::filesystem::remove_all(path, none);
}

}  // namespace perrin::testing
