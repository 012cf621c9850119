#include "tests/hostile/faults/faulty_host.hpp"

#include <mutex>

#include "host/services/host.hpp"
#include "host/services/plugin_error.hpp"
#include "host/services/tables.hpp"

namespace perrin::test {
namespace {

std::mutex mutex;
Injected fault;
std::map<std::string, int64_t> counted;
std::vector<std::string> wrapped;

bool due(const char* service) {
  const std::lock_guard held(mutex);
  return ++counted[service] == fault.call && fault.service == service;
}

// A service's table, and each of its functions that can fail with a wrapper in its place.
template <auto Member>
struct Wrapped;
template <class Table, class... Arguments, perrin_status* (*Table::*Member)(Arguments...)>
struct Wrapped<Member> {
  static inline const Table* real = nullptr;
  static inline const char* name = nullptr;
  static perrin_status* call(Arguments... arguments) {
    if (due(name))
      return services::host()->status_new(PERRIN_IO, services::text("injected fault"), services::text("nothing"));
    return (real->*Member)(arguments...);
  }
};

template <auto Member, class Table>
void wrap(Table& table, const Table& real, const char* name) {
  Wrapped<Member>::real = &real;
  Wrapped<Member>::name = name;
  table.*Member = &Wrapped<Member>::call;
  wrapped.emplace_back(name);
}

const void* faulty(std::string_view id) {
  static const auto tables = [] {
    static perrin_host_artifact artifact = services::artifact_table;
    wrap<&perrin_host_artifact::find>(artifact, services::artifact_table, "artifact.find");
    static perrin_host_autograd autograd = services::autograd_table;
    wrap<&perrin_host_autograd::grad>(autograd, services::autograd_table, "autograd.grad");
    wrap<&perrin_host_autograd::custom_grad>(autograd, services::autograd_table, "autograd.custom_grad");
    static perrin_host_config config = services::config_table;
    wrap<&perrin_host_config::get_boolean>(config, services::config_table, "config.get_boolean");
    wrap<&perrin_host_config::get_integer>(config, services::config_table, "config.get_integer");
    wrap<&perrin_host_config::get_number>(config, services::config_table, "config.get_number");
    wrap<&perrin_host_config::get_string>(config, services::config_table, "config.get_string");
    wrap<&perrin_host_config::get_integers>(config, services::config_table, "config.get_integers");
    wrap<&perrin_host_config::get_numbers>(config, services::config_table, "config.get_numbers");
    wrap<&perrin_host_config::get_strings>(config, services::config_table, "config.get_strings");
    static perrin_host_extractor extractor = services::extractor_table;
    wrap<&perrin_host_extractor::open>(extractor, services::extractor_table, "extractor.open");
    wrap<&perrin_host_extractor::layers>(extractor, services::extractor_table, "extractor.layers");
    wrap<&perrin_host_extractor::forward>(extractor, services::extractor_table, "extractor.forward");
    static perrin_host_image image = services::image_table;
    wrap<&perrin_host_image::info>(image, services::image_table, "image.info");
    wrap<&perrin_host_image::decode>(image, services::image_table, "image.decode");
    wrap<&perrin_host_image::resample>(image, services::image_table, "image.resample");
    static perrin_host_lincomb lincomb = services::lincomb_table;
    wrap<&perrin_host_lincomb::lincomb>(lincomb, services::lincomb_table, "lincomb.lincomb");
    static perrin_host_op op = services::op_table;
    wrap<&perrin_host_op::find>(op, services::op_table, "op.find");
    wrap<&perrin_host_op::call>(op, services::op_table, "op.call");
    static perrin_host_tensor tensor = services::tensor_table;
    wrap<&perrin_host_tensor::create>(tensor, services::tensor_table, "tensor.create");
    wrap<&perrin_host_tensor::to_dlpack>(tensor, services::tensor_table, "tensor.to_dlpack");
    wrap<&perrin_host_tensor::from_dlpack>(tensor, services::tensor_table, "tensor.from_dlpack");
    static perrin_host_weights weights = services::weights_table;
    wrap<&perrin_host_weights::open>(weights, services::weights_table, "weights.open");
    wrap<&perrin_host_weights::names>(weights, services::weights_table, "weights.names");
    wrap<&perrin_host_weights::metadata>(weights, services::weights_table, "weights.metadata");
    wrap<&perrin_host_weights::get>(weights, services::weights_table, "weights.get");
    return std::map<std::string, const void*, std::less<>>{{PERRIN_HOST_ARTIFACT, &artifact},
                                                           {PERRIN_HOST_AUTOGRAD, &autograd},
                                                           {PERRIN_HOST_CONFIG, &config},
                                                           {PERRIN_HOST_EXTRACTOR, &extractor},
                                                           {PERRIN_HOST_IMAGE, &image},
                                                           {PERRIN_HOST_LINCOMB, &lincomb},
                                                           {PERRIN_HOST_OP, &op},
                                                           {PERRIN_HOST_TENSOR, &tensor},
                                                           {PERRIN_HOST_WEIGHTS, &weights}};
  }();
  const auto found = tables.find(id);
  return found == tables.end() ? nullptr : found->second;
}

template <const perrin_host* (*real)()>
const perrin_host* host_before() {
  static const perrin_host table = [] {
    perrin_host copy = *real();
    copy.get_extension = [](const perrin_host*, perrin_text id) {
      const void* wrapped = faulty(services::view(id));
      return wrapped ? wrapped : real()->get_extension(real(), id);
    };
    return copy;
  }();
  return &table;
}

}  // namespace

void inject(const Injected& wanted) {
  const std::lock_guard held(mutex);
  fault = wanted;
  counted.clear();
}

const std::map<std::string, int64_t>& calls() { return counted; }

std::vector<std::string> wrapped_services() {
  faulty("");
  return wrapped;
}

loader::Registry& faulty_registry() {
  static auto* registry = [] {
    loader::Host host = services::loader_host();
    host.portable = host_before<services::host>();
    host.native = host_before<services::native_host>();
    return new loader::Registry(host);  // plugins outlive everything
  }();
  return *registry;
}

}  // namespace perrin::test
