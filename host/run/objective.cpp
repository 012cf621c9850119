#include "host/run/objective.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <perrin/kind/denoiser.h>
#include <perrin/kind/encoder.h>
#include <perrin/kind/loss.h>
#include <perrin/kind/timesteps.h>
#include <perrin/kind/weighting.h>

#include "host/base/error.hpp"
#include "host/kernels/tensors.hpp"
#include "host/services/tensor.hpp"

namespace perrin::run {
namespace {

// The tensor of a new reference, which is given up.
at::Tensor take(perrin_tensor* reference) {
  const services::TensorHandle handle(reference);
  return services::unwrap(handle.get());
}

perrin_call call_for(const Model& model, int64_t step, const std::vector<uint64_t>& positions) {
  return {sizeof(perrin_call), 1,    model.experiment.seed, static_cast<uint32_t>(step), static_cast<uint32_t>(positions.size()),
          positions.data()};
}

at::Tensor encode(Model& model, const perrin_call& call, const at::Tensor& x) {
  const services::TensorHandle input = services::wrap(x);
  perrin_tensor* z = nullptr;
  model.encoder.invoke<&perrin_encoder::encode>(&call,
                       input.get(), &z);
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
  model.conditioner->invoke<&perrin_conditioner::encode>(&call, static_cast<uint32_t>(named.size()), named.data(),
                            drop, &conditioning_);
  present_ = true;
  for (perrin_tensor* t : {conditioning_.vector, conditioning_.sequence, conditioning_.concat})
    if (t) services::unwrap(t) = services::unwrap(t).to(services::run_device());
}

ConditioningHandles::~ConditioningHandles() {
  for (perrin_tensor* t : {conditioning_.vector, conditioning_.sequence, conditioning_.concat})
    services::TensorHandle(t).reset();
}

Draw draw(Model& model, const at::Tensor& x0, const std::vector<uint64_t>& positions, double condition_drop) {
  const size_t n = positions.size();
  const uint64_t seed = model.experiment.seed;
  Draw result;
  std::vector<double> t(n), importance(n);
  model.timesteps.invoke<&perrin_timesteps::draw>(&model.times.domain(), perrin_stream{seed, PERRIN_PURPOSE_TIMESTEP, 0}, uint64_t{n},
                         positions.data(), t.data(), importance.data());
  for (double time : t) result.times.push_back(model.times.at(time));
  result.coefficients = model.coefficients(result.times);
  result.weight.resize(n);
  model.weighting.invoke<&perrin_weighting::weight>(uint64_t{n}, result.times.data(), result.coefficients.data(), result.weight.data());
  for (size_t b = 0; b < n; ++b) result.weight[b] *= importance[b];
  if (model.conditioner) result.drop = draw_drops(model, positions, condition_drop);

  // c_in x_t and the target in one pass over x_0, eps regenerated in registers.
  kernels::RowCoefficients rows;
  for (size_t b = 0; b < n; ++b) {
    const perrin_coefficients& c = result.coefficients[b];
    rows.alpha.push_back(static_cast<float>(c.c_in * result.times[b].alpha));
    rows.sigma.push_back(static_cast<float>(c.c_in * result.times[b].sigma));
    rows.target_x0.push_back(static_cast<float>(c.target_x0));
    rows.target_noise.push_back(static_cast<float>(c.target_noise));
  }
  kernels::Noised noised = kernels::q_sample(x0, rows, {random::Stream{seed, PERRIN_PURPOSE_NOISE, 0}, positions});
  result.input = std::move(noised.x_t);
  result.target = std::move(noised.target);
  if (x0.dim() == 4) result.input = result.input.contiguous(at::MemoryFormat::ChannelsLast);
  return result;
}

at::Tensor predict(Model& model, const perrin_call& call, const at::Tensor& input,
                   const std::vector<perrin_coefficients>& coefficients, const perrin_conditioning* conditioning) {
  std::vector<float> noise;
  for (const perrin_coefficients& c : coefficients) noise.push_back(static_cast<float>(c.c_noise));
  const services::TensorHandle x = services::wrap(input), c_noise = services::wrap(at::tensor(noise).to(input.device()));
  perrin_tensor* prediction = nullptr;
  model.denoiser.invoke<&perrin_denoiser::forward>(&call,
                        x.get(), c_noise.get(), conditioning, &prediction);
  return take(prediction);
}

Objective objective(Model& model, const Batch& batch, std::vector<LossTerm>& terms, int64_t step, int64_t stage_step,
                    double condition_drop, Draw* drawn) {
  const perrin_call call = call_for(model, step, batch.positions);
  Draw local;
  Draw& d = drawn ? *drawn : local;
  d = draw(model, encode(model, call, images(model, batch)), batch.positions, condition_drop);
  const ConditioningHandles conditioning(model, call, batch.fields, d.drop.empty() ? nullptr : d.drop.data());
  const at::Tensor prediction = predict(model, call, d.input, d.coefficients, conditioning.get()).to(at::kFloat);

  const std::vector<float> weights(d.weight.begin(), d.weight.end());
  const at::Tensor weight = at::tensor(weights).to(prediction.device());
  const services::TensorHandle f = services::wrap(prediction), target = services::wrap(d.target);
  const perrin_named_tensor inputs[] = {{{"prediction", 10}, f.get()}, {{"target", 6}, target.get()}};
  Objective result;
  for (LossTerm& term : terms) {
    if (stage_step < term.start) continue;
    perrin_tensor* values = nullptr;
    term.component.invoke<&perrin_loss::compute>(&call, 2u,
                          inputs, &values);
    const at::Tensor per_sample = take(values);
    if (per_sample.dim() != 1 || per_sample.size(0) != static_cast<int64_t>(batch.positions.size()))
      throw Error("the loss did not give one value per sample", term.component.id(), "report it to the plugin's author");
    const at::Tensor value = (per_sample * weight).mean() * term.weight;
    result.total = result.total.defined() ? result.total + value : value;
    const at::Tensor plain = per_sample.detach().to(at::kCPU, at::kFloat).contiguous();
    result.terms.push_back({term.name, value.item<double>(),
                            {plain.const_data_ptr<float>(), plain.const_data_ptr<float>() + plain.numel()}});
  }
  if (!result.total.defined())
    throw Error("no loss term has started at step " + std::to_string(stage_step) + " of the stage", "",
                "give one term start = 0");
  return result;
}

}  // namespace perrin::run
