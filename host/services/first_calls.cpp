#include "host/services/first_calls.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>

#include <vector>

#include "host/services/status.hpp"
#include "host/services/tables.hpp"
#include "host/services/tensor.hpp"
#include "perrin/host/rng.h"

namespace perrin::services {
namespace {

constexpr perrin_time noisy = {1, 0.6, 0.8}, clean = {0, 1, 0};
constexpr perrin_stream stream = {0, PERRIN_PURPOSE_PLUGIN, 0};
constexpr uint64_t samples[] = {0, 1};
constexpr perrin_call call = {sizeof(perrin_call), 0, 0, 0, 2, samples, 0, 0};

// False if it is not there or gave a status.
template <auto member, class... Args>
bool attempt(const Component& component, Args... args) {
  if (!component.has<member>()) return false;
  try {
    component.invoke<member>(args...);
    return true;
  } catch (const Misbehaviour&) {
    throw;
  } catch (const PluginError&) {
    return false;
  }
}

TensorHandle filled(double value) { return wrap(at::full({2, 1, 2, 2}, value, at::TensorOptions(at::kFloat))); }

// The host's side of a sampler: D(x) = x / 2.
perrin_status* halve(void*, perrin_tensor* x, const perrin_time*, perrin_tensor** denoised) {
  const double half = 0.5;
  return lincomb_table.lincomb(1, &half, &x, 0, stream, samples, denoised);
}
perrin_status* combine(void*, uint32_t n, const double* a, perrin_tensor* const* x, double s, uint32_t draw,
                       perrin_tensor** y) {
  return lincomb_table.lincomb(n, a, x, s, {0, PERRIN_PURPOSE_SAMPLER, draw}, samples, y);
}
perrin_status* same_time(void*, double, perrin_time* at) {
  *at = noisy;
  return nullptr;
}

perrin_status* increment(void*, const perrin_time*, const perrin_time*, perrin_tensor** noise) {
  *noise = lend(filled(0.5));
  return nullptr;
}
perrin_status* apart(void*, perrin_tensor*, perrin_tensor*, perrin_tensor*, double, double, double* value) {
  *value = 0.5;  // within any tolerance: an adaptive sampler goes on
  return nullptr;
}
perrin_status* between(void*, perrin_tensor** v) {
  *v = lend(filled(0));
  return nullptr;
}

void sample(const Component& sampler) {
  const bool inverts = sampler.table<perrin_sampler>().flags & PERRIN_SAMPLER_INVERTS;
  const perrin_time times[] = {inverts ? clean : noisy, inverts ? noisy : clean};
  const perrin_sampling sampling = {
      sizeof(perrin_sampling), 1, times, nullptr, halve, combine, same_time, increment, apart, between};
  TensorHandle x = filled(1);
  perrin_tensor* result = nullptr;
  attempt<&perrin_sampler::sample>(sampler, &sampling, x.get(), &result);
  TensorHandle(result).reset();
}

void compute(const Component& loss) {
  TensorHandle prediction = filled(1), target = filled(0.5);
  const perrin_named_tensor inputs[] = {{text("prediction"), prediction.get()}, {text("target"), target.get()}};
  perrin_tensor* values = nullptr;
  attempt<&perrin_loss::compute>(loss, &call, 2u, &inputs[0], &values);
  TensorHandle(values).reset();
}

void ask_schedule(const Component& schedule) {
  const perrin_spec z = {text("image"), PERRIN_FLOAT32, 3, {1, 2, 2}};
  attempt<&perrin_schedule::infer>(schedule, &z);
  perrin_time_domain domain = {};
  attempt<&perrin_schedule::domain>(schedule, &domain);
  const double t[] = {domain.t_min, domain.t_max};
  double alpha[2], sigma[2];
  attempt<&perrin_schedule::marginal>(schedule, uint64_t{2}, &t[0], &alpha[0], &sigma[0]);
}

void ask_guidance(const Component& guidance) {
  perrin_text path = {};
  int64_t label = 0;
  attempt<&perrin_guide_model::checkpoint>(guidance, &path);
  attempt<&perrin_negative_condition::label>(guidance, &label);
  uint32_t mask = 0;
  attempt<&perrin_guidance::branches>(guidance, &noisy, &mask);
  TensorHandle conditional = filled(1), unconditional = filled(0.5);
  perrin_tensor* guided = nullptr;
  attempt<&perrin_guidance::combine>(guidance, &noisy, (mask & PERRIN_BRANCH_CONDITIONAL) ? conditional.get() : nullptr,
                                     (mask & PERRIN_BRANCH_UNCONDITIONAL) ? unconditional.get() : nullptr, &guided);
  TensorHandle(guided).reset();
  guided = nullptr;
  TensorHandle x = filled(2), negative = filled(0.25), guide = filled(0.75);
  for (uint32_t first : {1u, 0u}) {  // twice: what is kept of the first call is used in the second
    const auto asked = [&](uint32_t branch, const TensorHandle& D) { return mask & branch ? D.get() : nullptr; };
    const perrin_guidance_step step = {sizeof(perrin_guidance_step),
                                       first,
                                       noisy,
                                       clean,
                                       noisy,
                                       x.get(),
                                       asked(PERRIN_BRANCH_CONDITIONAL, conditional),
                                       asked(PERRIN_BRANCH_UNCONDITIONAL, unconditional),
                                       asked(PERRIN_BRANCH_NEGATIVE, negative),
                                       asked(PERRIN_BRANCH_GUIDE, guide),
                                       /*gradient=*/nullptr,
                                       /*c_skip=*/0,
                                       /*c_out=*/0};
    attempt<&perrin_guidance::guide>(guidance, &step, &guided);
    TensorHandle(guided).reset();
    guided = nullptr;
  }
}

// A state takes up what it gave.
void keep(const Component& component) {
  uint64_t n = 0;
  const uint8_t* bytes = nullptr;
  attempt<&perrin_state::save>(component, &n, &bytes);
  const std::vector<uint8_t> saved(bytes, bytes + n);
  attempt<&perrin_state::load>(component, n, saved.data());
}

void draw(const Component& timesteps) {
  const perrin_time_domain domain = {0, 999, 1000};
  double t[2], importance[2];
  attempt<&perrin_timesteps::draw>(timesteps, &domain, stream, uint64_t{2}, &samples[0], &t[0], &importance[0]);
  attempt<&perrin_timesteps::draw_log_snr>(timesteps, &clean, &noisy, stream, uint64_t{2}, &samples[0], &t[0],
                                           &importance[0]);
  const double seen[] = {0, 999}, losses[] = {1, 0.5};
  attempt<&perrin_timesteps::observe>(timesteps, &domain, uint64_t{2}, &seen[0], &losses[0]);
  keep(timesteps);
}

// Parameters of zeros in the declared shapes.
bool bind_zeros(const Component& component) {
  std::vector<TensorHandle> zeros;
  const auto declare = [](void* list, const perrin_param* p) {
    return as_status([&] {
      if (p->rank > PERRIN_MAX_RANK) throw Fault(PERRIN_INVALID_DATA, "a parameter has more than 8 dimensions");
      static_cast<std::vector<TensorHandle>*>(list)->push_back(
          wrap(at::full(at::IntArrayRef(p->sizes, p->rank), 0, at::kFloat)));
    });
  };
  const perrin_param_sink sink = {sizeof sink, 0, &zeros, declare};
  if (!attempt<&perrin_params::declare>(component, &sink)) return false;
  std::vector<perrin_tensor*> tensors;
  for (const TensorHandle& zero : zeros) tensors.push_back(zero.get());
  return attempt<&perrin_params::bind>(component, static_cast<uint32_t>(tensors.size()), tensors.data());
}

void learn(const Component& weighting) {
  if (!weighting.has<&perrin_weighting::learnt>() || !bind_zeros(weighting)) return;
  const TensorHandle level = wrap(at::full({2}, 0.25, at::kFloat)), values = wrap(at::full({2}, 0.5, at::kFloat));
  perrin_tensor* trained = nullptr;
  attempt<&perrin_weighting::learnt>(weighting, &call, level.get(), values.get(), &trained);
  TensorHandle(trained).reset();
}

void ask_weighting(const Component& weighting) {
  const perrin_coefficients coefficients = {1, 1, 0, 1, 0, 1};
  double weight = 0;
  attempt<&perrin_weighting::weight>(weighting, uint64_t{1}, &noisy, &coefficients, &weight);
  attempt<&perrin_weighting::weight_at_step>(weighting, int64_t{1}, int64_t{2}, uint64_t{1}, &noisy, &coefficients,
                                             &weight);
  learn(weighting);
}

void ask_dataset(const Component& dataset) {
  uint32_t n_fields = 0;
  const perrin_field* fields = nullptr;
  attempt<&perrin_dataset::fields>(dataset, &n_fields, &fields);
  uint64_t count = 0;
  attempt<&perrin_dataset::count>(dataset, &count);
}

void ask_extractor(const Component& extractor) {
  uint32_t n_layers = 0;
  const perrin_text* layers = nullptr;
  attempt<&perrin_extractor::layers>(extractor, &n_layers, &layers);
}

}  // namespace

void try_first_calls(const Component& component) {
  const std::string& kind = component.kind();
  perrin_coefficients coefficients = {1, 1, 0, 1, 0, 1};
  double number = 0;
  if (kind == "schedule") ask_schedule(component);
  if (kind == "parameterization")
    attempt<&perrin_parameterization::coefficients>(component, uint64_t{1}, &noisy, &coefficients);
  if (kind == "weighting") ask_weighting(component);
  if (kind == "conditioner") attempt<&perrin_conditioner::drop_probability>(component, &number);
  if (kind == "timesteps") draw(component);
  if (kind == "guidance") ask_guidance(component);
  if (kind == "dataset") ask_dataset(component);
  if (kind == "extractor") ask_extractor(component);
  if (kind == "sampler") sample(component);
  if (kind == "loss") compute(component);
}

}  // namespace perrin::services
