#include "host/run/loss_inputs.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <perrin/kind/loss.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "host/base/error.hpp"
#include "host/services/tensor.hpp"

namespace perrin::run {
namespace {

constexpr std::string_view kImages[] = {"prediction", "target", "x_0", "D"};
constexpr std::string_view kOfAStep[] = {"posterior_x0", "log_variance_small", "log_variance_large", "first_step",
                                         "steps"};

template <class List>
bool among(const List& list, std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

// Which field is the class; none if the dataset has no classes.
std::optional<size_t> label_field(const Shapes& shapes) {
  for (size_t f = 0; f < shapes.fields.size(); ++f)
    if (shapes.fields[f].n_classes > 0) return f;
  return std::nullopt;
}

// Why the composition does not have `name`, and what to do; nothing if it has.
struct Missing {
  std::string why, fix;
};
std::optional<Missing> missing(const Model& model, std::string_view name) {
  const Shapes& shapes = model.shapes;
  const std::string denoiser = "the denoiser \"" + model.denoiser.id() + "\" ";
  if (name == "logits")
    return shapes.logits
               ? std::nullopt
               : std::optional(Missing{denoiser + "predicts no logits",
                                       "use a classifier such as unet-classifier, and losses of logits alone"});
  if (name == "label")
    return label_field(shapes) ? std::nullopt
                               : std::optional(Missing{"the dataset has no classes", "choose a dataset with a label"});
  const bool image = among(kImages, name), step = among(kOfAStep, name);
  if (!image && !step && name != "variance")
    return Missing{"there is no such input", "report it to the plugin's author"};
  if (shapes.logits) return Missing{denoiser + "predicts logits", "take the term out"};
  if (name == "variance" && !shapes.learnt_variance)
    return Missing{denoiser + "predicts no variance beside its target",
                   "set learnt_variance = true in [denoiser], or take the term out"};
  if (step && !model.times.discrete())
    return Missing{"the schedule \"" + model.schedule.id() + "\" is continuous and has no step t - 1 before t",
                   "choose a schedule of discrete steps, such as cosine or linear"};
  return std::nullopt;
}

// q(x_s | x_t, x_0) of the step from t to s = t - 1, with beta = sigma_t^2 - (alpha_t / alpha_s)^2 sigma_s^2 the
// variance of q(x_t | x_s) (2006.11239 Eq. 7, for any alpha and sigma as 2107.00630 Eq. 25 f.). The first step ends at
// the data.
struct Posterior {
  double x0 = 1;                        // its mean's coefficient of x_0
  double log_small = 0, log_large = 0;  // log of its variance, and of beta
};

Posterior step_before(const TimeTable& times, const perrin_time& t) {
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

}  // namespace

std::vector<std::string_view> inputs_of(const services::Component& loss) {
  if (!loss.has<&perrin_loss_inputs::names>()) return {"prediction", "target"};
  uint32_t n = 0;
  const perrin_text* names = nullptr;
  loss.invoke<&perrin_loss_inputs::names>(&n, &names);
  std::vector<std::string_view> result;
  for (uint32_t i = 0; i < n; ++i) result.emplace_back(names[i].data, names[i].size);
  return result;
}

bool takes(const services::Component& loss, std::string_view name) { return among(inputs_of(loss), name); }

bool unweighted(const services::Component& loss) {
  const auto* extension = loss.extension<perrin_loss_inputs>();
  return extension && (extension->flags & PERRIN_LOSS_UNWEIGHTED) != 0;
}

void check_inputs(const Model& model, const config::Loaded& loaded, const config::Loss& loss,
                  const services::Component& component) {
  for (const std::string_view name : inputs_of(component))
    if (const auto m = missing(model, name))
      throw loaded.error(loss.component.location,
                         "the loss \"" + loss.component.use + "\" needs \"" + std::string(name) + "\", and " + m->why,
                         m->fix);
}

at::Tensor LossInputs::operator[](std::string_view name) const {
  if (const auto m = missing(model_, name))
    throw Error("a loss needs \"" + std::string(name) + "\", and " + m->why, "", m->fix);
  const auto posterior = [&](const perrin_time& t) { return step_before(model_.times, t); };
  if (name == "prediction") return prediction();
  if (name == "target") return draw_.target;
  if (name == "x_0") return x0_;
  if (name == "D") return denoised();
  if (name == "variance") return network_.narrow(1, network_.size(1) / 2, network_.size(1) / 2);
  if (name == "logits") return network_;
  if (name == "label") return batch_.fields[*label_field(model_.shapes)].to(network_.device(), at::kLong);
  if (name == "posterior_x0") return per_sample([&](const perrin_time& t) { return posterior(t).x0; });
  if (name == "log_variance_small") return per_sample([&](const perrin_time& t) { return posterior(t).log_small; });
  if (name == "log_variance_large") return per_sample([&](const perrin_time& t) { return posterior(t).log_large; });
  if (name == "first_step")
    return per_sample([&](const perrin_time& t) { return t.t - 1 < model_.times.domain().t_min ? 1.0 : 0.0; });
  return per_sample([&](const perrin_time&) { return static_cast<double>(model_.times.domain().steps); });
}

at::Tensor LossInputs::prediction() const {
  return model_.shapes.learnt_variance ? network_.narrow(1, 0, network_.size(1) / 2) : network_;
}

// D = c_skip x_t + c_out F, of what the network was shown, c_in x_t.
at::Tensor LossInputs::denoised() const {
  std::vector<float> skip, out;
  for (const perrin_coefficients& c : draw_.coefficients) {
    skip.push_back(static_cast<float>(c.c_skip / c.c_in));
    out.push_back(static_cast<float>(c.c_out));
  }
  std::vector<int64_t> rows(static_cast<size_t>(draw_.input.dim()), 1);
  rows[0] = -1;
  const auto column = [&](const std::vector<float>& values) {
    return at::tensor(values).to(network_.device()).view(rows);
  };
  return column(skip) * draw_.input + column(out) * prediction();
}

// [B]
template <class F>
at::Tensor LossInputs::per_sample(F&& value) const {
  std::vector<float> values;
  for (const perrin_time& t : draw_.times) values.push_back(static_cast<float>(value(t)));
  return at::tensor(values).to(network_.device());
}

}  // namespace perrin::run
