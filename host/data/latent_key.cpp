#include "host/data/latent_key.hpp"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/version.h>

#include <algorithm>

#include "host/base/digest.hpp"
#include "host/loader/elf.hpp"
#include "host/model/device.hpp"
#include "host/model/fields.hpp"
#include "host/services/spec.hpp"

namespace perrin::data {
namespace {

// Does the value name a file or folder that the component found?
bool is_place(const config::Value& value, const services::Component& component) {
  const auto* text = std::get_if<std::string>(&value);
  const auto asked = [&](const services::Artifact& a) { return a.component == component.id() && a.name == *text; };
  return text != nullptr && std::ranges::any_of(component.session().artifacts(), asked);
}

std::string described(const config::Component& part, const services::Component& component, const InputFiles& inputs) {
  std::string text = part.kind + " " + part.use + " " + component.library().sha256 + " " + inputs.of(part.use) + "\n";
  for (const auto& [key, value] : part.values)
    text += key + " = " + (is_place(value, component) ? "a place" : config::to_toml(value)) + "\n";
  return text;
}

std::string bytes_of(const at::Tensor& tensor) {
  const at::Tensor held = tensor.detach().cpu().contiguous();
  return sha256_hex({static_cast<const char*>(held.const_data_ptr()), held.nbytes()});
}

// Whose arithmetic it is.
std::string arithmetic(c10::Device device, int64_t batch_size) {
  return std::string(TORCH_VERSION) + ", " + loader::build_id_of("/proc/self/exe") + ", " + at::get_cpu_capability() +
         ", " + model::device_name(device) + ", threads " + std::to_string(at::get_num_threads()) + ", batch " +
         std::to_string(batch_size) + "\n";
}

}  // namespace

store::LatentHeader latent_header(model::Model& model, const InputFiles& inputs, int64_t batch_size) {
  const uint64_t count = model::dataset_count(model.dataset);
  const config::Experiment& e = model.experiment;
  std::string text = described(e.encoder, model.encoder, inputs) + described(e.dataset, model.dataset, inputs);
  text += "samples " + std::to_string(count) + ", seed " + std::to_string(e.seed) + "\n" +
          arithmetic(model.session->device(), batch_size);
  if (const model::ParameterGroup* group = model.parameters.group("encoder"))
    for (const model::Parameter& p : group->parameters) text += p.name + " " + bytes_of(p.tensor) + "\n";
  return {sha256_hex(text), e.dataset.use + " by " + e.encoder.use,
          services::batch_sizes(model.shapes.z, static_cast<int64_t>(count)), 0};
}

}  // namespace perrin::data
