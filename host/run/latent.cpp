#include "host/run/latent.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "host/base/error.hpp"
#include "host/run/first_stage.hpp"
#include "host/run/objective.hpp"

namespace perrin::run {
namespace {

constexpr const char* kGroup = "latent";
constexpr const char* kStatistics[] = {"scale", "mean", "deviation"};

at::Tensor buffer(const Model& model, const std::string& name) {
  const ParameterGroup* group = model.parameters.group(kGroup);
  if (!group) return {};
  for (const Parameter& p : group->parameters)
    if (p.name == kGroup + ("." + name)) return p.tensor;
  return {};
}

bool has_parameters(const Model& model) {
  const ParameterGroup* group = model.parameters.group("encoder");
  return group && group->count() > 0;
}

// Sums of z, over batch and space, in float64.
struct Moments {
  at::Tensor sum, squares;  // [C]
  int64_t n = 0;            // elements of a channel
  void add(const at::Tensor& z) {
    const at::Tensor rows = z.to(at::kCPU, at::kDouble).transpose(0, 1).flatten(1);  // [C, B H W]
    const at::Tensor s = rows.sum(1), q = rows.square().sum(1);
    sum = sum.defined() ? sum + s : s;
    squares = squares.defined() ? squares + q : q;
    n += rows.size(1);
  }
};

}  // namespace

void add_latent_buffers(Model& model) {
  if (!has_parameters(model)) return;
  const auto options = at::TensorOptions(at::kDouble);
  model.parameters.add_buffer(kGroup, "scale", at::full({1}, model.experiment.latent.scale_factor, options));
  const at::Tensor unknown = at::full({model.shapes.z.sizes[0]}, std::numeric_limits<double>::quiet_NaN(), options);
  model.parameters.add_buffer(kGroup, "mean", unknown);
  model.parameters.add_buffer(kGroup, "deviation", unknown);
}

double latent_scale(const Model& model) {
  const at::Tensor held = buffer(model, "scale");
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
  const at::Tensor scale = buffer(model, "scale");
  if (!scale.defined() || !(scale.item<double>() > 0)) return "";
  nlohmann::json all;
  for (const char* name : kStatistics) {
    const at::Tensor held = buffer(model, name);
    all[name] = std::vector<double>(held.const_data_ptr<double>(), held.const_data_ptr<double>() + held.numel());
  }
  return all.dump();
}

void set_latent_statistics(Model& model, const std::string& text) {
  if (model.experiment.latent.scale_factor > 0) return;
  const nlohmann::json all = nlohmann::json::parse(text, nullptr, false);
  for (const char* name : kStatistics) {
    const at::Tensor held = buffer(model, name);
    const auto size = static_cast<size_t>(held.numel());
    if (!all.is_object() || !all.contains(name) || !all[name].is_array() || all[name].size() != size)
      throw Error("the statistics of its latent are damaged: " + text, "encoder " + model.encoder.id(),
                  "write the file again with `perrin weights export`, or give [encoder] scale_factor");
    for (size_t i = 0; i < size; ++i)  // what was not measured is null
      held.data_ptr<double>()[i] = all[name][i].is_number() ? all[name][i].get<double>() : std::nan("");
  }
}

void measure_latent(Model& model, int64_t batch_size, uint64_t most) {
  const at::Tensor scale = buffer(model, "scale");
  if (!scale.defined() || std::isfinite(buffer(model, "mean")[0].item<double>())) return;
  const bool given = model.experiment.latent.scale_factor > 0;
  const uint64_t count = std::min(most, dataset_count(model.dataset));
  Moments moments;
  for_each_samples(model, count, batch_size, [&](const Batch& batch, const perrin_call& call) {
    moments.add(encode(model, call, images(model, batch)));
  });
  const at::Tensor mean = moments.sum / moments.n;
  buffer(model, "mean").copy_(mean);
  buffer(model, "deviation").copy_((moments.squares / moments.n - mean.square()).clamp_min(0).sqrt());
  const double all = mean.mean().item<double>();
  const double variance = (moments.squares / moments.n).mean().item<double>() - all * all;
  if (!given && !(variance > 0))
    throw Error("the encoder gives the same z for all data: it has collapsed", "encoder " + model.encoder.id(),
                "train the first stage longer, with less regularisation");
  scale.fill_(given ? model.experiment.latent.scale_factor : 1 / std::sqrt(variance));
}

}  // namespace perrin::run
