#include "host/train/objective/diffusion.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <perrin/kind/weighting.h>

#include <algorithm>
#include <cmath>

#include "host/base/error.hpp"
#include "host/model/denoise.hpp"
#include "host/model/latent.hpp"
#include "host/services/tensor.hpp"

namespace perrin::train {
namespace {

using model::Model;

using Pass = DiffusionPass;

// [B]
template <class F>
at::Tensor per_sample(const Pass& pass, F&& value) {
  std::vector<float> values;
  for (const perrin_time& t : pass.draw.times) values.push_back(static_cast<float>(value(t)));
  return at::tensor(values).to(pass.network.device());
}

at::Tensor prediction(const Pass& pass) {
  return pass.model.shapes.learnt_variance ? pass.network.narrow(1, 0, pass.network.size(1) / 2) : pass.network;
}

at::Tensor variance(const Pass& pass) {
  return pass.network.narrow(1, pass.network.size(1) / 2, pass.network.size(1) / 2);
}

// D = c_skip x_t + c_out F, of what the network was shown, c_in x_t.
at::Tensor denoised(const Pass& pass) {
  std::vector<float> skip, out;
  for (const perrin_coefficients& c : pass.draw.coefficients) {
    skip.push_back(static_cast<float>(c.c_skip / c.c_in));
    out.push_back(static_cast<float>(c.c_out));
  }
  std::vector<int64_t> rows(static_cast<size_t>(pass.draw.input.dim()), 1);
  rows[0] = -1;
  const auto column = [&](const std::vector<float>& values) {
    return at::tensor(values).to(pass.network.device()).view(rows);
  };
  return column(skip) * pass.draw.input + column(out) * prediction(pass);
}

// q(x_s | x_t, x_0) of the step from t to s = t - 1, with beta = sigma_t^2 - (alpha_t / alpha_s)^2 sigma_s^2 the
// variance of q(x_t | x_s) (2006.11239 Eq. 7, for any alpha and sigma as 2107.00630 Eq. 25 f.). The first step ends at
// the data.
struct Posterior {
  double x0 = 1;                        // its mean's coefficient of x_0
  double log_small = 0, log_large = 0;  // log of its variance, and of beta
};

Posterior step_before(const model::TimeTable& times, const perrin_time& t) {
  const double t_min = times.domain().t_min;
  const perrin_time s = t.t - 1 >= t_min ? times.at(t.t - 1) : perrin_time{t.t - 1, 1, 0};
  const auto log_of = [](double variance) { return std::log(std::max(variance, 1e-20)); };
  const double ratio = t.alpha / s.alpha, beta = t.sigma * t.sigma - ratio * ratio * s.sigma * s.sigma;
  Posterior p;
  p.log_small = p.log_large = log_of(beta);
  if (t.sigma > 0) p.x0 = s.alpha * beta / (t.sigma * t.sigma);
  if (s.sigma > 0) p.log_small = log_of(beta * std::pow(s.sigma / t.sigma, 2));
  // The first step's posterior is a point: the second's stands in, as in 2102.09672's own code.
  if (s.sigma == 0 && times.domain().steps > 1) p.log_small = step_before(times, times.at(t_min + 1)).log_small;
  return p;
}

template <double Posterior::*value>
at::Tensor posterior(const Pass& pass) {
  return per_sample(pass, [&](const perrin_time& t) { return step_before(pass.model.times, t).*value; });
}

at::Tensor first_step(const Pass& pass) {
  const double t_min = pass.model.times.domain().t_min;
  return per_sample(pass, [&](const perrin_time& t) { return t.t - 1 < t_min ? 1.0 : 0.0; });
}

at::Tensor steps(const Pass& pass) {
  return per_sample(pass, [&](const perrin_time&) { return static_cast<double>(pass.model.times.domain().steps); });
}

std::string denoiser(const Model& model) { return "the denoiser \"" + model.denoiser.id() + "\" "; }

std::optional<Missing> no_logits(const Model& model) {
  if (model.shapes.logits) return std::nullopt;
  return Missing{denoiser(model) + "predicts no logits",
                 "use a classifier such as unet-classifier, and losses of logits alone"};
}

std::optional<Missing> only_logits(const Model& model) {
  if (!model.shapes.logits) return std::nullopt;
  return Missing{denoiser(model) + "predicts logits",
                 "give the stage losses of logits alone, such as cross-entropy, or choose a denoiser that denoises"};
}

std::optional<Missing> no_variance(const Model& model) {
  if (model.shapes.logits || model.shapes.learnt_variance) return only_logits(model);
  return Missing{denoiser(model) + "predicts no variance beside its target",
                 "set learnt_variance = true in [denoiser], or take the term out"};
}

std::optional<Missing> no_step(const Model& model) {
  if (model.shapes.logits || model.times.discrete()) return only_logits(model);
  return Missing{"the schedule \"" + model.schedule.id() + "\" is continuous and has no step t - 1 before t",
                 "choose a schedule of discrete steps, such as cosine or linear"};
}

const perrin_spec* z(const Model& model) { return &model.shapes.z; }
const perrin_spec* logits(const Model& model) { return &model.shapes.prediction; }

constexpr Given<Pass> kGiven[] = {
    {"prediction", prediction, only_logits, z},
    {"target", [](const Pass& p) { return p.draw.target; }, only_logits, z},
    {"x_0", [](const Pass& p) { return p.x0; }, only_logits, z},
    {"D", denoised, only_logits, z},
    {"variance", variance, no_variance, z},
    {"logits", [](const Pass& p) { return p.network; }, no_logits, logits},
    {"label", [](const Pass& p) { return data::label_of(p.model, p.batch); }, missing_label},
    {"terms", [](const Pass& p) { return p.total; }, only_logits},
    {"posterior_x0", posterior<&Posterior::x0>, no_step},
    {"log_variance_small", posterior<&Posterior::log_small>, no_step},
    {"log_variance_large", posterior<&Posterior::log_large>, no_step},
    {"first_step", first_step, no_step},
    {"steps", steps, no_step},
};

// ln(sigma / alpha) / 4, the c_noise of 2206.00364 Table 1, whatever the parameterization: what a learnt weighting is a
// function of. Finite at zero SNR and without noise.
at::Tensor noise_level(const std::vector<perrin_time>& times, at::Device device) {
  std::vector<float> c_noise;
  for (const perrin_time& at : times)
    c_noise.push_back(static_cast<float>(std::clamp(-model::log_snr(at) / 8, -5.0, 5.0)));
  return at::tensor(c_noise).to(device);
}

// values: [B], the weighted first loss -> what is trained on, [B].
at::Tensor learnt(model::Model& model, const perrin_call& call, const Draw& d, const at::Tensor& values) {
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

Known known_in_diffusion(const Model& model, std::string_view name) {
  if (const auto* row = find_row(kGiven, name)) return known_of(*row, model);
  return {Missing{"there is no such input where diffusion is trained",
                  "of a first stage? then say train = [\"encoder\"] in its stage; else take the term out"}};
}

at::Tensor DiffusionPass::operator[](std::string_view name) const {
  const auto* row = find_row(kGiven, name);
  return row && !known_of(*row, model).missing ? row->value(*this) : at::Tensor();
}

// A learnt weighting is applied to the first term, if that takes the weighting at all.
Objective diffusion_objective(Model& model, const data::Batch& batch, std::vector<LossTerm>& terms, const StageStep& at,
                              Draw& d) {
  const perrin_call call = training_call(model, at, batch.positions);
  const at::Tensor x0 = at.latents ? to_latent(model, at.latents->rows(batch.indices))
                                   : encode_latent(model, call, data::images(model, batch));
  d = draw(model, x0, batch.positions, at);
  const model::ConditioningHandles conditioning(model, call, {batch.fields, {}}, d.drops);
  const at::Tensor network = predict(model, call, d.input, d.coefficients, conditioning.get()).to(at::kFloat);
  Objective result;
  const Pass pass{model, batch, d, x0, network, result.total};
  const Inputs inputs = [&](std::string_view name) { return pass[name]; };
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

}  // namespace perrin::train
