#include "host/kernels/ops.hpp"
#include "host/services/host.hpp"

#include "host/services/status.hpp"
#include "host/services/tables.hpp"

namespace perrin::services {
namespace {

struct Service {
  std::string_view id;
  const void* table;
};

constexpr Service portable_services[] = {
    {PERRIN_HOST_ARTIFACT, &artifact_table}, {PERRIN_HOST_AUTOGRAD, &autograd_table},
    {PERRIN_HOST_CONFIG, &config_table},     {PERRIN_HOST_LINCOMB, &lincomb_table},
    {PERRIN_HOST_LOG, &log_table},           {PERRIN_HOST_OP, &op_table},
    {PERRIN_HOST_PROGRESS, &progress_table}, {PERRIN_HOST_RNG, &rng_table},
    {PERRIN_HOST_TENSOR, &tensor_table},     {PERRIN_HOST_WEIGHTS, &weights_table},
    {PERRIN_HOST_EXTRACTOR, &extractor_table}, {PERRIN_HOST_IMAGE, &image_table},
};

const void* get_extension(const perrin_host* host, perrin_text id) {
  for (const auto& service : portable_services)
    if (service.id == view(id)) return service.table;
  return host == native_host() && view(id) == PERRIN_HOST_TORCH ? &torch_table : nullptr;
}

constexpr perrin_host make_host() {
  return {sizeof(perrin_host), PERRIN_ABI_MAJOR, PERRIN_ABI_MINOR, 0, get_extension, status_new,
          status_free,         status_code,      status_message};
}

}  // namespace

const perrin_host* host() {
  static constexpr perrin_host table = make_host();
  return &table;
}

const perrin_host* native_host() {
  static constexpr perrin_host table = make_host();
  return &table;
}

loader::Host loader_host() {
  kernels::register_operators();  // tier B plugins look perrin:: operators up while they are created
  return {host(), native_host(), fingerprint()};
}

}  // namespace perrin::services
