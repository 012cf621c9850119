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
#include "host/run/loss_inputs.hpp"
#include "host/services/tensor.hpp"

namespace perrin::run {
namespace {

// The tensor of a new reference, which is given up.
at::Tensor take(perrin_tensor* reference) {
  const services::TensorHandle handle(reference);
  return services::unwrap(handle.get());
}

perrin_call call_for(const Model& model, int64_t step, const std::vector<uint64_t>& positions) {
  return {sizeof(perrin_call),
          1,
          model.experiment.seed,
          static_cast<uint32_t>(step),
          static_cast<uint32_t>(positions.size()),
          positions.data()};
}

at::Tensor encode(Model& model, const perrin_call& call, const at::Tensor& x) {
  const services::TensorHandle input = services::wrap(x);
  perrin_tensor* z = nullptr;
  model.encoder.invoke<&perrin_encoder::encode>(&call, input.get(), &z);
  return take(z);
}

std::vector<uint8_t> draw_drops(const Model& model, const std::vector<uint64_t>& positions, double probability) {
  std::vector<uint8_t> drop(positions.size());
  const random::Stream stream{model.experiment.seed, PERRIN_PURPOSE_DROP, 0};
  for (size_t b = 0; b < positions.size(); ++b) {
    double u = 1;
    random::uniform(stream, positions[b], 0, std::span<double>(&u, 1));
    drop[b] = u <= probability;
  }
  return drop;
}

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

// [B] of the weighting, at step stage_step + 1 of the stage.
std::vector<double> weigh(Model& model, const Draw& d, int64_t stage_step, int64_t stage_steps) {
  std::vector<double> weight = model.weights(d.times, d.coefficients, stage_step + 1, stage_steps);
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
  const at::Tensor result = take(trained);
  if (result.sizes() != values.sizes())
    throw Error("the weighting did not give one value per sample", model.weighting.id(),
                "report it to the plugin's author");
  return result;
}

at::Tensor row(const std::vector<double>& values, at::Device device) {
  return at::tensor(std::vector<float>(values.begin(), values.end())).to(device);
}

// [B], unweighted.
at::Tensor evaluate(const LossTerm& term, const perrin_call& call, const LossInputs& inputs) {
  std::vector<services::TensorHandle> handles;
  std::vector<perrin_named_tensor> named;
  for (const std::string_view name : inputs_of(term.component))
    named.push_back({{name.data(), name.size()}, handles.emplace_back(services::wrap(inputs[name])).get()});
  perrin_tensor* values = nullptr;
  term.component.invoke<&perrin_loss::compute>(&call, static_cast<uint32_t>(named.size()), named.data(), &values);
  const at::Tensor per_sample = take(values);
  if (per_sample.dim() != 1 || per_sample.size(0) != static_cast<int64_t>(call.n))
    throw Error("the loss did not give one value per sample", term.component.id(), "report it to the plugin's author");
  return per_sample;
}

}  // namespace

at::Tensor images(const Model& model, const Batch& batch) {
  const perrin_field& field = model.shapes.fields[model.shapes.image];
  return batch.fields[model.shapes.image].to(services::run_device(), at::kFloat).mul_(field.scale).add_(field.offset);
}

ConditioningHandles::ConditioningHandles(Model& model, const perrin_call& call, const std::vector<at::Tensor>& fields,
                                         const uint8_t* drop) {
  if (!model.conditioner) return;
  std::vector<services::TensorHandle> handles;
  std::vector<perrin_named_tensor> named;
  for (size_t f = 0; f < fields.size(); ++f)
    named.push_back({model.shapes.fields[f].spec.name, handles.emplace_back(services::wrap(fields[f])).get()});
  model.conditioner->invoke<&perrin_conditioner::encode>(&call, static_cast<uint32_t>(named.size()), named.data(), drop,
                                                         &conditioning_);
  present_ = true;
  for (perrin_tensor* t : {conditioning_.vector, conditioning_.sequence, conditioning_.concat})
    if (t) services::unwrap(t) = services::unwrap(t).to(services::run_device());
}

ConditioningHandles::~ConditioningHandles() {
  for (perrin_tensor* t : {conditioning_.vector, conditioning_.sequence, conditioning_.concat})
    services::TensorHandle(t).reset();
}

Draw draw(Model& model, const at::Tensor& x0, const std::vector<uint64_t>& positions, double condition_drop,
          int64_t stage_step, int64_t stage_steps) {
  Draw result;
  result.importance.resize(positions.size());
  result.times = draw_times(model, positions, result.importance);
  result.coefficients = model.coefficients(result.times);
  result.weight = weigh(model, result, stage_step, stage_steps);
  for (size_t b = 0; b < positions.size(); ++b) result.weight[b] *= result.importance[b];
  if (model.conditioner) result.drop = draw_drops(model, positions, condition_drop);

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
  if (x0.dim() == 4) result.input = result.input.contiguous(at::MemoryFormat::ChannelsLast);
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
  return take(prediction);
}

Objective objective(Model& model, const Batch& batch, std::vector<LossTerm>& terms, int64_t step, int64_t stage_step,
                    int64_t stage_steps, double condition_drop, Draw* drawn) {
  const perrin_call call = call_for(model, step, batch.positions);
  Draw local;
  Draw& d = drawn ? *drawn : local;
  const at::Tensor x0 = encode(model, call, images(model, batch));
  d = draw(model, x0, batch.positions, condition_drop, stage_step, stage_steps);
  const ConditioningHandles conditioning(model, call, batch.fields, d.drop.empty() ? nullptr : d.drop.data());
  const at::Tensor prediction = predict(model, call, d.input, d.coefficients, conditioning.get()).to(at::kFloat);
  const LossInputs inputs(model, batch, d, x0, prediction);
  Objective result;
  for (LossTerm& term : terms) {
    if (stage_step < term.start) continue;
    const at::Tensor per_sample = evaluate(term, call, inputs);
    const bool plain_weight = unweighted(term.component);
    at::Tensor values = per_sample * row(plain_weight ? d.importance : d.weight, per_sample.device());  // [B]
    if (result.terms.empty() && !plain_weight) values = learnt(model, call, d, values);
    const at::Tensor value = values.mean() * term.weight;
    result.total = result.total.defined() ? result.total + value : value;
    const at::Tensor plain = per_sample.detach().to(at::kCPU, at::kFloat).contiguous();
    result.terms.push_back({term.name,
                            value.item<double>(),
                            {plain.const_data_ptr<float>(), plain.const_data_ptr<float>() + plain.numel()}});
  }
  if (!result.total.defined())
    throw Error("no loss term has started at step " + std::to_string(stage_step) + " of the stage", "",
                "give one term start = 0");
  return result;
}

void observe(Model& model, const Draw& draw, const Objective& objective) {
  if (!model.timesteps.has<&perrin_timesteps::observe>()) return;
  std::vector<double> t;
  for (const perrin_time& at : draw.times) t.push_back(at.t);
  const std::vector<float>& values = objective.terms.front().per_sample;
  const std::vector<double> losses(values.begin(), values.end());
  model.timesteps.invoke<&perrin_timesteps::observe>(&model.times.domain(), uint64_t{t.size()}, t.data(),
                                                     losses.data());
}

}  // namespace perrin::run
