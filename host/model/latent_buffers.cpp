#include "host/model/latent_buffers.hpp"

#include <ATen/ops/full.h>

#include <limits>

namespace perrin::model {
namespace {

constexpr const char* kGroup = "latent";

}  // namespace

void add_latent_buffers(ParameterSet& parameters, double scale_factor, int64_t channels) {
  const ParameterGroup* encoder = parameters.group("encoder");
  if (!encoder || encoder->count() == 0) return;
  const auto options = at::TensorOptions(at::kDouble);
  parameters.add_buffer(kGroup, "scale", at::full({1}, scale_factor, options));
  const at::Tensor unknown = at::full({channels}, std::numeric_limits<double>::quiet_NaN(), options);
  parameters.add_buffer(kGroup, "mean", unknown);
  parameters.add_buffer(kGroup, "deviation", unknown);
}

at::Tensor latent_buffer(const ParameterSet& parameters, std::string_view name) {
  const ParameterGroup* group = parameters.group(kGroup);
  if (!group) return {};
  for (const Parameter& p : group->parameters)
    if (p.name == std::string(kGroup) + "." + std::string(name)) return p.tensor;
  return {};
}

}  // namespace perrin::model
