#include "host/run/objective.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <perrin/kind/denoiser.h>
#include <perrin/kind/encoder.h>
#include <perrin/kind/loss.h>
#include <perrin/kind/timesteps.h>
#include <perrin/kind/weighting.h>

#include <algorithm>
#include <cmath>

#include "host/base/error.hpp"
#include "host/kernels/tensors.hpp"
#include "host/run/data_record.hpp"
#include "host/run/extraction.hpp"
#include "host/run/first_stage.hpp"
#include "host/run/latent.hpp"
#include "host/run/latent_cache.hpp"
#include "host/run/loss_inputs.hpp"
#include "host/services/tensor.hpp"

namespace perrin::run {
namespace {

// A law of the noise level comes before one of the time. importance: [B].
std::vector<perrin_time> draw_times(Model& model, const std::vector<uint64_t>& positions,
                                    std::vector<double>& importance) {
  const perrin_stream stream{model.experiment.seed, PERRIN_PURPOSE_TIMESTEP, 0};
  const perrin_time_domain& domain = model.times.domain();
  const uint64_t n = positions.size();
  std::vector<double> drawn(n);
  std::vector<perrin_time> times;
  if (model.timesteps.has<&perrin_timesteps::draw_log_snr>()) {
    const perrin_time cleanest = model.times.at(domain.t_min), noisiest = model.times.at(domain.t_max);
    model.timesteps.invoke<&perrin_timesteps::draw_log_snr>(&cleanest, &noisiest, stream, n, positions.data(),
                                                            drawn.data(), importance.data());
    for (double level : drawn) times.push_back(model.times.at_log_snr(level));
  } else {
    model.timesteps.invoke<&perrin_timesteps::draw>(&domain, stream, n, positions.data(), drawn.data(),
                                                    importance.data());
    for (double t : drawn) times.push_back(model.times.at(t));
  }
  return times;
}

// [B] of the weighting.
std::vector<double> weigh(Model& model, const Draw& d, const StageStep& at) {
  std::vector<double> weight = model.weights(d.times, d.coefficients, at.stage_step + 1, at.stage.steps);
  for (size_t b = 0; b < weight.size(); ++b)
    if (!std::isfinite(weight[b]))
      throw Error("the weighting has no finite weight at t = " + std::to_string(d.times[b].t) + " (alpha " +
                      std::to_string(d.times[b].alpha) + ", sigma " + std::to_string(d.times[b].sigma) + ")",
                  model.weighting.id(),
                  "choose another weighting or parameterization, or a schedule without that level");
  return weight;
}

// ln(sigma / alpha) / 4, the c_noise of 2206.00364 Table 1, whatever the parameterization: what a learnt weighting is a
// function of. Finite at zero SNR and without noise.
at::Tensor noise_level(const std::vector<perrin_time>& times, at::Device device) {
  std::vector<float> c_noise;
  for (const perrin_time& at : times) c_noise.push_back(static_cast<float>(std::clamp(-log_snr(at) / 8, -5.0, 5.0)));
  return at::tensor(c_noise).to(device);
}

// values: [B], the weighted first loss -> what is trained on, [B].
at::Tensor learnt(Model& model, const perrin_call& call, const Draw& d, const at::Tensor& values) {
  if (!model.weighting.has<&perrin_weighting::learnt>()) return values;
  const services::TensorHandle level = services::wrap(noise_level(d.times, values.device()));
  const services::TensorHandle weighted = services::wrap(values);
  perrin_tensor* trained = nullptr;
  model.weighting.invoke<&perrin_weighting::learnt>(&call, level.get(), weighted.get(), &trained);
  const at::Tensor result = services::take(trained);
  if (result.sizes() != values.sizes())
    throw Error("the weighting did not give one value per sample", model.weighting.id(),
                "report it to the plugin's author");
  return result;
}

at::Tensor row(const std::vector<double>& values, at::Device device) {
  return at::tensor(std::vector<float>(values.begin(), values.end())).to(device);
}

}  // namespace

at::Tensor images(const Model& model, const Batch& batch) {
  const perrin_field& field = model.shapes.fields[model.shapes.image];
  return batch.fields[model.shapes.image].to(services::run_device(), at::kFloat).mul_(field.scale).add_(field.offset);
}

at::Tensor channels_last(const at::Tensor& x) {
  return x.dim() == 4 ? x.contiguous(at::MemoryFormat::ChannelsLast) : x;
}

at::Tensor label_of(const Model& model, const Batch& batch) {
  const auto label = label_field(model.shapes.fields);
  return label ? batch.fields[*label].to(services::run_device(), at::kLong) : at::Tensor();
}

std::vector<int64_t> label_values(const Model& model, const Batch& batch) {
  const at::Tensor label = label_of(model, batch);
  if (!label.defined()) return {};
  const at::Tensor values = label.cpu().contiguous();
  return {values.const_data_ptr<int64_t>(), values.const_data_ptr<int64_t>() + values.numel()};
}

namespace {

// Fills the batch from the samples that a run keeps; false where it keeps too few.
bool kept_rows(const DataRecord& record, Batch& batch) {
  const int64_t kept = record.first.empty() ? 0 : record.first.front().size(0);
  std::vector<int64_t> rows;
  for (const uint64_t index : batch.indices) {
    if (index >= static_cast<uint64_t>(kept)) return false;
    rows.push_back(static_cast<int64_t>(index));
  }
  for (const at::Tensor& field : record.first) batch.fields.push_back(field.index_select(0, at::tensor(rows)));
  return true;
}

}  // namespace

Batch read_samples(Model& model, uint64_t first, int64_t n) {
  Batch batch;
  const uint64_t count = model.record ? model.record->count : dataset_count(model.data());
  for (uint64_t i = first; i < first + static_cast<uint64_t>(n); ++i) batch.indices.push_back(i % count);
  batch.positions = batch.indices;
  if (model.record && kept_rows(*model.record, batch)) return batch;
  const std::vector<void*> buffers = allocate_fields(batch, model.shapes.fields, n);
  model.data().invoke<&perrin_dataset::read>(uint64_t{batch.indices.size()}, batch.indices.data(), buffers.data());
  return batch;
}

Draw draw(Model& model, const at::Tensor& x0, const std::vector<uint64_t>& positions, const StageStep& at) {
  Draw result;
  result.importance.resize(positions.size());
  result.times = draw_times(model, positions, result.importance);
  result.coefficients = model.coefficients(result.times);
  result.weight = weigh(model, result, at);
  for (size_t b = 0; b < positions.size(); ++b) result.weight[b] *= result.importance[b];
  result.drops = draw_drops(model, positions, at.stage);

  // c_in x_t and the target in one pass over x_0, eps regenerated in registers.
  kernels::RowCoefficients rows;
  for (size_t b = 0; b < positions.size(); ++b) {
    const perrin_coefficients& c = result.coefficients[b];
    rows.alpha.push_back(static_cast<float>(c.c_in * result.times[b].alpha));
    rows.sigma.push_back(static_cast<float>(c.c_in * result.times[b].sigma));
    rows.target_x0.push_back(static_cast<float>(c.target_x0));
    rows.target_noise.push_back(static_cast<float>(c.target_noise));
  }
  const random::Stream noise{model.experiment.seed, PERRIN_PURPOSE_NOISE, 0};
  kernels::Noised noised = kernels::q_sample(x0, rows, {noise, positions});
  result.input = std::move(noised.x_t);
  result.target = std::move(noised.target);
  result.input = channels_last(result.input);
  return result;
}

at::Tensor predict(Model& model, const perrin_call& call, const at::Tensor& input,
                   const std::vector<perrin_coefficients>& coefficients, const perrin_conditioning* conditioning) {
  std::vector<float> noise;
  for (const perrin_coefficients& c : coefficients) noise.push_back(static_cast<float>(c.c_noise));
  const services::TensorHandle x = services::wrap(input),
                               c_noise = services::wrap(at::tensor(noise).to(input.device()));
  perrin_tensor* prediction = nullptr;
  model.denoiser.invoke<&perrin_denoiser::forward>(&call, x.get(), c_noise.get(), conditioning, &prediction);
  return services::take(prediction);
}

namespace {

// A learnt weighting is applied to the first term, if that takes the weighting at all.
Objective diffusion_objective(Model& model, const Batch& batch, std::vector<LossTerm>& terms, const StageStep& at,
                              Draw& d) {
  const perrin_call call = training_call(model, at.step, at.stage_step, at.stage.steps, batch.positions);
  const at::Tensor x0 = model.latents ? to_latent(model, model.latents->rows(batch.indices))
                                      : encode_latent(model, call, images(model, batch));
  d = draw(model, x0, batch.positions, at);
  const ConditioningHandles conditioning(model, call, {batch.fields, {}}, d.drops);
  const at::Tensor prediction = predict(model, call, d.input, d.coefficients, conditioning.get()).to(at::kFloat);
  const DiffusionInputs given(model, batch, d, x0, prediction);
  Objective result;
  const Inputs inputs = [&](std::string_view name) { return name == "terms" ? result.total : given[name]; };
  for (LossTerm& term : terms) {
    if (at.stage_step < term.start) continue;
    const at::Tensor per_sample = evaluate(term, call, inputs, &result);
    const bool plain_weight = unweighted(term.component);
    at::Tensor values = per_sample * row(plain_weight ? d.importance : d.weight, per_sample.device());  // [B]
    if (result.terms.empty() && !plain_weight) values = learnt(model, call, d, values);
    result.add(term.name, term.weight, values, per_sample);
  }
  return result;
}

}  // namespace

Objective objective(Model& model, const Batch& batch, std::vector<LossTerm>& terms, const StageStep& at, Draw* drawn) {
  Draw local;
  const Task task = model.task(at.stage);
  Objective result = task == Task::first_stage  ? first_stage_objective(model, batch, terms, at)
                     : task == Task::extraction ? extraction_objective(model, batch, terms, at)
                                                : diffusion_objective(model, batch, terms, at, drawn ? *drawn : local);
  if (!result.total.defined())
    throw Error("no loss term has started at step " + std::to_string(at.stage_step) + " of the stage", "",
                "give one term start = 0");
  return result;
}

void observe(Model& model, const Draw& draw, const Objective& objective) {
  if (draw.times.empty() || !model.timesteps.has<&perrin_timesteps::observe>()) return;
  std::vector<double> t;
  for (const perrin_time& at : draw.times) t.push_back(at.t);
  const std::vector<float>& values = objective.terms.front().per_sample;
  const std::vector<double> losses(values.begin(), values.end());
  model.timesteps.invoke<&perrin_timesteps::observe>(&model.times.domain(), uint64_t{t.size()}, t.data(),
                                                     losses.data());
}

}  // namespace perrin::run
