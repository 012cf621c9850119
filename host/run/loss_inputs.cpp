#include "host/run/loss_inputs.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <perrin/kind/loss.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "host/base/error.hpp"
#include "host/run/first_stage.hpp"
#include "host/services/status.hpp"
#include "host/services/tensor.hpp"

namespace perrin::run {
namespace {

using services::view;

constexpr std::string_view kImages[] = {"prediction", "target", "x_0", "D"};
constexpr std::string_view kOfFirstStage[] = {"prediction", "target", "x", "reconstruction", "z", "terms"};
constexpr std::string_view kOfAStep[] = {"posterior_x0", "log_variance_small", "log_variance_large", "first_step",
                                         "steps"};

template <class List>
bool among(const List& list, std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

// Why the composition does not have `name`, and what to do; nothing if it has.
struct Missing {
  std::string why, fix;
};

std::optional<Missing> missing_of_label(const Shapes& shapes) {
  if (class_count(shapes.fields) > 0) return std::nullopt;
  return Missing{"the dataset has no classes", "choose a dataset with a label"};
}

std::optional<Missing> missing_in_first_stage(const Model& model, std::string_view name) {
  if (among(kOfFirstStage, name)) return std::nullopt;
  if (name == "label") return missing_of_label(model.shapes);
  const std::string encoder = "the encoder \"" + model.encoder.id() + "\" ";
  if (name == "last_layer") {
    if (!last_layer_of(model).empty()) return std::nullopt;
    return Missing{encoder + "names no last layer", "turn the term's adaptive weight off"};
  }
  for (const perrin_encoder_output& output : encoder_outputs(model))
    if (view(output.name) == name) return std::nullopt;
  return Missing{encoder + "does not give it in a stage that trains a first stage", "take the term out"};
}

std::optional<Missing> missing_in_extraction(const Model& model, std::string_view name) {
  if (name == "x" || (name == "terms")) return std::nullopt;
  if (name == "label") return missing_of_label(model.shapes);
  if (name == "condition") {
    if (model.shapes.conditioning && model.shapes.conditioning->slots & PERRIN_SLOT_VECTOR) return std::nullopt;
    return Missing{"no conditioner gives a vector", "add a [conditioner] that does, such as clip-text with output = \"vector\""};
  }
  std::string layers;
  for (const std::string& layer : model.shapes.layers) {
    if (layer == name) return std::nullopt;
    layers += (layers.empty() ? "" : ", ") + layer;
  }
  return Missing{"the extractor \"" + model.extractor.id() + "\" has no such layer", "it has: " + layers};
}

std::optional<Missing> missing_in_diffusion(const Model& model, std::string_view name) {
  const Shapes& shapes = model.shapes;
  const std::string denoiser = "the denoiser \"" + model.denoiser.id() + "\" ";
  if (name == "logits")
    return shapes.logits
               ? std::nullopt
               : std::optional(Missing{denoiser + "predicts no logits",
                                       "use a classifier such as unet-classifier, and losses of logits alone"});
  if (name == "label") return missing_of_label(shapes);
  const bool image = among(kImages, name), step = among(kOfAStep, name);
  if (!image && !step && name != "variance" && name != "terms")
    return Missing{"there is no such input where diffusion is trained", "of a first stage? then say train = [\"encoder\"] in its stage; else take the term out"};
  if (shapes.logits) return Missing{denoiser + "predicts logits", "take the term out"};
  if (name == "variance" && !shapes.learnt_variance)
    return Missing{denoiser + "predicts no variance beside its target",
                   "set learnt_variance = true in [denoiser], or take the term out"};
  if (step && !model.times.discrete())
    return Missing{"the schedule \"" + model.schedule.id() + "\" is continuous and has no step t - 1 before t",
                   "choose a schedule of discrete steps, such as cosine or linear"};
  return std::nullopt;
}

std::optional<Missing> missing(const Model& model, Task task, std::string_view name) {
  if (task == Task::first_stage) return missing_in_first_stage(model, name);
  return task == Task::extraction ? missing_in_extraction(model, name) : missing_in_diffusion(model, name);
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

void check_inputs(const Model& model, const config::Loaded& loaded, const config::Stage& stage, const config::Loss& loss,
                  const services::Component& component) {
  for (const InputName& input : inputs_of(component)) {
    const auto m = missing(model, model.task(stage), input.name);
    if (m && !input.optional)
      throw loaded.error(loss.component.location,
                         "the loss \"" + loss.component.use + "\" needs \"" + std::string(input.name) + "\", and " + m->why,
                         m->fix);
  }
}

std::vector<perrin_spec> input_shapes(const Model& model, const config::Stage& stage,
                                      const services::Component& component) {
  const Shapes& shapes = model.shapes;
  const Task task = model.task(stage);
  std::vector<perrin_spec> specs;
  const auto add = [&](std::string_view name, const perrin_spec& of) {
    perrin_spec& spec = specs.emplace_back(of);
    spec.name = {name.data(), name.size()};
    spec.dtype = PERRIN_FLOAT32;
  };
  for (const InputName& input : inputs_of(component)) {
    const std::string_view name = input.name;
    if (missing(model, task, name)) continue;
    const auto layer = std::ranges::find(shapes.layers, name);
    if (name == "condition") add(name, shapes.conditioning->vector);
    if (layer != shapes.layers.end()) add(name, shapes.layer_specs[static_cast<size_t>(layer - shapes.layers.begin())]);
    if (name == "logits" && shapes.logits) add(name, shapes.prediction);
    if (task == Task::diffusion && (among(kImages, name) || name == "variance")) add(name, shapes.z);
    if (task != Task::diffusion && name == "z") add(name, shapes.z);
    if (task != Task::diffusion && (name == "x" || name == "reconstruction" || name == "prediction" || name == "target"))
      add(name, shapes.x);
  }
  return specs;
}

at::Tensor DiffusionInputs::operator[](std::string_view name) const {
  if (missing_in_diffusion(model_, name)) return {};
  const auto posterior = [&](const perrin_time& t) { return step_before(model_.times, t); };
  if (name == "prediction") return prediction();
  if (name == "target") return draw_.target;
  if (name == "x_0") return x0_;
  if (name == "D") return denoised();
  if (name == "variance") return network_.narrow(1, network_.size(1) / 2, network_.size(1) / 2);
  if (name == "logits") return network_;
  if (name == "label") return label_of(model_, batch_);
  if (name == "posterior_x0") return per_sample([&](const perrin_time& t) { return posterior(t).x0; });
  if (name == "log_variance_small") return per_sample([&](const perrin_time& t) { return posterior(t).log_small; });
  if (name == "log_variance_large") return per_sample([&](const perrin_time& t) { return posterior(t).log_large; });
  if (name == "first_step")
    return per_sample([&](const perrin_time& t) { return t.t - 1 < model_.times.domain().t_min ? 1.0 : 0.0; });
  return per_sample([&](const perrin_time&) { return static_cast<double>(model_.times.domain().steps); });
}

at::Tensor DiffusionInputs::prediction() const {
  return model_.shapes.learnt_variance ? network_.narrow(1, 0, network_.size(1) / 2) : network_;
}

// D = c_skip x_t + c_out F, of what the network was shown, c_in x_t.
at::Tensor DiffusionInputs::denoised() const {
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
at::Tensor DiffusionInputs::per_sample(F&& value) const {
  std::vector<float> values;
  for (const perrin_time& t : draw_.times) values.push_back(static_cast<float>(value(t)));
  return at::tensor(values).to(network_.device());
}

}  // namespace perrin::run
