#include "host/model/latent.hpp"

#include <ATen/TensorOperators.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "host/base/error.hpp"
#include "host/model/first_stage.hpp"
#include "host/model/latent_buffers.hpp"

namespace perrin::model {

double latent_scale(const Model& model) {
  const at::Tensor held = latent_buffer(model.parameters, "scale");
  const double given = model.experiment.latent.scale_factor;
  const double scale = held.defined() ? held.item<double>() : given > 0 ? given : 1;
  if (scale > 0) return scale;
  throw Error("the latent's scale factor is not known yet", "encoder " + model.encoder.id(),
              "give [encoder] scale_factor, or train a stage with train = [\"denoiser\"], which measures it");
}

at::Tensor to_latent(const Model& model, const at::Tensor& z) {
  const double scale = latent_scale(model), shift = model.experiment.latent.shift_factor;
  const at::Tensor moved = shift == 0 ? z : z - shift;
  return scale == 1 ? moved : moved * scale;
}

at::Tensor encode_latent(Model& model, const perrin_call& call, const at::Tensor& x) {
  return to_latent(model, encode(model, call, x));
}

at::Tensor decode_latent(Model& model, const perrin_call& call, const at::Tensor& z) {
  const double scale = latent_scale(model), shift = model.experiment.latent.shift_factor;
  const at::Tensor wide = scale == 1 ? z : z / scale;
  return decode(model, call, shift == 0 ? wide : wide + shift);
}

std::string latent_statistics(const Model& model) {
  const at::Tensor scale = latent_buffer(model.parameters, "scale");
  if (!scale.defined() || !(scale.item<double>() > 0)) return "";
  nlohmann::json all;
  for (const char* name : kLatentStatistics) {
    const at::Tensor held = latent_buffer(model.parameters, name);
    all[name] = std::vector<double>(held.const_data_ptr<double>(), held.const_data_ptr<double>() + held.numel());
  }
  return all.dump();
}

void set_latent_statistics(Model& model, const std::string& text) {
  if (model.experiment.latent.scale_factor > 0) return;
  const nlohmann::json all = nlohmann::json::parse(text, nullptr, false);
  for (const char* name : kLatentStatistics) {
    const at::Tensor held = latent_buffer(model.parameters, name);
    const auto size = static_cast<size_t>(held.numel());
    if (!all.is_object() || !all.contains(name) || !all[name].is_array() || all[name].size() != size)
      throw Error("the statistics of its latent are damaged: " + text, "encoder " + model.encoder.id(),
                  "write the file again with `perrin weights export`, or give [encoder] scale_factor");
    for (size_t i = 0; i < size; ++i)  // what was not measured is null
      held.data_ptr<double>()[i] = all[name][i].is_number() ? all[name][i].get<double>() : std::nan("");
  }
}

}  // namespace perrin::model
