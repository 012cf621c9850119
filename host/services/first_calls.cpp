#include "host/services/first_calls.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>

#include "host/services/tables.hpp"
#include "host/services/tensor.hpp"
#include "perrin/host/rng.h"

namespace perrin::services {
namespace {

constexpr perrin_time noisy = {1, 0.6, 0.8}, clean = {0, 1, 0};
constexpr perrin_stream stream = {0, PERRIN_PURPOSE_PLUGIN, 0};
constexpr uint64_t samples[] = {0, 1};
constexpr perrin_call call = {sizeof(perrin_call), 0, 0, 0, 2, samples};

template <auto member, class... Args>
void attempt(const Component& component, Args... args) {
  if (!component.has<member>()) return;
  try {
    component.invoke<member>(args...);
  } catch (const Misbehaviour&) {
    throw;
  } catch (const PluginError&) {
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

void sample(const Component& sampler) {
  const perrin_time times[] = {noisy, clean};
  const perrin_sampling sampling = {sizeof(perrin_sampling), 1, times, nullptr, halve, combine, same_time};
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
  perrin_time_domain domain = {};
  attempt<&perrin_schedule::domain>(schedule, &domain);
  const double t[] = {domain.t_min, domain.t_max};
  double alpha[2], sigma[2];
  attempt<&perrin_schedule::marginal>(schedule, uint64_t{2}, &t[0], &alpha[0], &sigma[0]);
}

void ask_guidance(const Component& guidance) {
  uint32_t mask = 0;
  attempt<&perrin_guidance::branches>(guidance, &noisy, &mask);
  TensorHandle conditional = filled(1), unconditional = filled(0.5);
  perrin_tensor* guided = nullptr;
  attempt<&perrin_guidance::combine>(guidance, &noisy, (mask & PERRIN_BRANCH_CONDITIONAL) ? conditional.get() : nullptr,
                                     (mask & PERRIN_BRANCH_UNCONDITIONAL) ? unconditional.get() : nullptr, &guided);
  TensorHandle(guided).reset();
}

void draw(const Component& timesteps) {
  const perrin_time_domain domain = {0, 999, 1000};
  double t[2], importance[2];
  attempt<&perrin_timesteps::draw>(timesteps, &domain, stream, uint64_t{2}, &samples[0], &t[0], &importance[0]);
}

void ask_dataset(const Component& dataset) {
  uint32_t n_fields = 0;
  const perrin_field* fields = nullptr;
  attempt<&perrin_dataset::fields>(dataset, &n_fields, &fields);
  uint64_t count = 0;
  attempt<&perrin_dataset::count>(dataset, &count);
}

}  // namespace

void try_first_calls(const Component& component) {
  const std::string& kind = component.kind();
  perrin_coefficients coefficients = {1, 1, 0, 1, 0, 1};
  double number = 0;
  if (kind == "schedule") ask_schedule(component);
  if (kind == "parameterization")
    attempt<&perrin_parameterization::coefficients>(component, uint64_t{1}, &noisy, &coefficients);
  if (kind == "weighting") attempt<&perrin_weighting::weight>(component, uint64_t{1}, &noisy, &coefficients, &number);
  if (kind == "conditioner") attempt<&perrin_conditioner::drop_probability>(component, &number);
  if (kind == "timesteps") draw(component);
  if (kind == "guidance") ask_guidance(component);
  if (kind == "dataset") ask_dataset(component);
  if (kind == "sampler") sample(component);
  if (kind == "loss") compute(component);
}

}  // namespace perrin::services
