// What each function of a plugin's tables has to give, said once and held at every call: Component::invoke goes through
// Contract<&perrin_schedule::marginal> where there is one. A contract calls the plugin with rooms of its own for the
// outputs (host/services/output.hpp) and gives them to the caller once they are what the header says; a plugin that gives
// something else is named. contract_numbers.cpp: arrays of numbers; contract_tensors.cpp: handles; contract_data.cpp: a
// dataset's buffers; contract_specs.cpp: what a component says of itself.
#pragma once

#include <optional>

#include "host/services/call.hpp"
#include "perrin/host/params.h"
#include "perrin/host/state.h"
#include "perrin/kind/dataset.h"
#include "perrin/kind/denoiser.h"
#include "perrin/kind/extractor.h"
#include "perrin/kind/guidance.h"
#include "perrin/kind/loss.h"
#include "perrin/kind/parameterization.h"
#include "perrin/kind/sampler.h"
#include "perrin/kind/timesteps.h"
#include "perrin/kind/weighting.h"

namespace perrin::services {

namespace detail {
template <class Member>
struct MemberOf;
template <class Table_, class Function_>
struct MemberOf<Function_ Table_::*> {
  using Table = Table_;
  using Function = Function_;
};
}  // namespace detail

// The guarded call of one function of an instance, nothing checked. `seed`: of a call that may draw initial values.
template <auto member>
class Raw : public Call {
 public:
  using Function = typename detail::MemberOf<decltype(member)>::Function;
  Raw(const loader::Breadcrumb& crumb, void* instance, Said& said, Function function, std::optional<uint64_t> seed)
      : Call(crumb, instance, said), function_(function), seed_(seed) {}

  template <class... Args>
  void operator()(Args... args) const {
    const Counting counting(said.account);
    const auto call = [&] { return function_(instance_, args...); };
    if (seed_)
      invoke_seeded(crumb_, *seed_, call);
    else
      invoke(crumb_, call);
  }

 private:
  Function function_;
  std::optional<uint64_t> seed_;
};

template <auto member>
struct Contract {};

#define PERRIN_CONTRACT(member, ...)                               \
  template <>                                                      \
  struct Contract<&member> {                                       \
    static void hold(const Raw<&member>& call, __VA_ARGS__);       \
  }

PERRIN_CONTRACT(perrin_schedule::domain, perrin_time_domain* domain);
PERRIN_CONTRACT(perrin_schedule::marginal, uint64_t n, const double* t, double* alpha, double* sigma);
PERRIN_CONTRACT(perrin_schedule::t_of_log_snr, uint64_t n, const double* log_snr, double* t);
PERRIN_CONTRACT(perrin_parameterization::coefficients, uint64_t n, const perrin_time* times,
                perrin_coefficients* coefficients);
PERRIN_CONTRACT(perrin_weighting::weight, uint64_t n, const perrin_time* times, const perrin_coefficients* coefficients,
                double* weight);
PERRIN_CONTRACT(perrin_weighting::weight_at_step, int64_t step, int64_t n_steps, uint64_t n, const perrin_time* times,
                const perrin_coefficients* coefficients, double* weight);
PERRIN_CONTRACT(perrin_weighting::learnt, const perrin_call* told, perrin_tensor* c_noise, perrin_tensor* values,
                perrin_tensor** trained);
PERRIN_CONTRACT(perrin_timesteps::draw, const perrin_time_domain* domain, perrin_stream stream, uint64_t n,
                const uint64_t* samples, double* t, double* importance);
PERRIN_CONTRACT(perrin_timesteps::draw_log_snr, const perrin_time* cleanest, const perrin_time* noisiest,
                perrin_stream stream, uint64_t n, const uint64_t* samples, double* log_snr, double* importance);
PERRIN_CONTRACT(perrin_timesteps::observe, const perrin_time_domain* domain, uint64_t n, const double* t,
                const double* losses);
PERRIN_CONTRACT(perrin_guidance::branches, const perrin_time* at, uint32_t* mask);
PERRIN_CONTRACT(perrin_guidance::combine, const perrin_time* at, perrin_tensor* conditional, perrin_tensor* unconditional,
                perrin_tensor** guided);
PERRIN_CONTRACT(perrin_guidance::guide, const perrin_guidance_step* step, perrin_tensor** guided);
PERRIN_CONTRACT(perrin_guide_model::checkpoint, perrin_text* path);
PERRIN_CONTRACT(perrin_negative_condition::label, int64_t* label);
PERRIN_CONTRACT(perrin_dataset::fields, uint32_t* n, const perrin_field** fields);
PERRIN_CONTRACT(perrin_dataset::count, uint64_t* n);
PERRIN_CONTRACT(perrin_dataset::read, uint64_t n, const uint64_t* indices, void* const* buffers);
PERRIN_CONTRACT(perrin_dataset::read_augmented, perrin_stream stream, uint64_t n, const uint64_t* indices,
                const uint64_t* positions, void* const* buffers);
PERRIN_CONTRACT(perrin_exact_denoiser::posterior_mean, double alpha, double sigma, uint64_t n, uint64_t size,
                const double* x, const int64_t* labels, double* mean);
PERRIN_CONTRACT(perrin_exact_denoiser::moments, uint64_t size, double* mean, double* covariance);
PERRIN_CONTRACT(perrin_conditioner::infer, uint32_t n_fields, const perrin_field* fields, perrin_conditioning_spec* spec);
PERRIN_CONTRACT(perrin_conditioner::drop_probability, double* p);
PERRIN_CONTRACT(perrin_conditioner::encode, const perrin_call* told, uint32_t n_fields, const perrin_named_tensor* fields,
                const uint8_t* drop, perrin_conditioning* conditioning);
PERRIN_CONTRACT(perrin_conditioner_fit::samples, uint64_t* n);
PERRIN_CONTRACT(perrin_encoder::infer, const perrin_spec* x, perrin_spec* z);
PERRIN_CONTRACT(perrin_encoder::encode, const perrin_call* told, perrin_tensor* x, perrin_tensor** z);
PERRIN_CONTRACT(perrin_encoder::decode, const perrin_call* told, perrin_tensor* z, perrin_tensor** x);
PERRIN_CONTRACT(perrin_encoder_training::outputs, uint32_t* n, const perrin_encoder_output** outputs);
PERRIN_CONTRACT(perrin_encoder_training::encode, const perrin_call* told, perrin_tensor* x, perrin_tensor** z,
                perrin_tensor** outputs);
PERRIN_CONTRACT(perrin_encoder_training::last_layer, perrin_text* name);
PERRIN_CONTRACT(perrin_denoiser::infer, const perrin_spec* x, const perrin_conditioning_spec* conditioning,
                perrin_spec* prediction);
PERRIN_CONTRACT(perrin_denoiser::forward, const perrin_call* told, perrin_tensor* x, perrin_tensor* c_noise,
                const perrin_conditioning* conditioning, perrin_tensor** prediction);
PERRIN_CONTRACT(perrin_extractor::layers, uint32_t* n, const perrin_text** names);
PERRIN_CONTRACT(perrin_extractor::infer, const perrin_spec* x, uint64_t n_classes, perrin_spec* layers);
PERRIN_CONTRACT(perrin_extractor::forward, const perrin_call* told, perrin_tensor* x, uint32_t n, const uint32_t* wanted,
                perrin_tensor** outputs);
PERRIN_CONTRACT(perrin_loss::compute, const perrin_call* told, uint32_t n_inputs, const perrin_named_tensor* inputs,
                perrin_tensor** values);
PERRIN_CONTRACT(perrin_loss_inputs::names, uint32_t* n, const perrin_text** names);
PERRIN_CONTRACT(perrin_adversary::oppose, const perrin_call* told, uint32_t n_inputs, const perrin_named_tensor* inputs,
                perrin_tensor** values);
PERRIN_CONTRACT(perrin_params::declare, const perrin_param_sink* sink);
PERRIN_CONTRACT(perrin_sampler::sample, const perrin_sampling* sampling, perrin_tensor* x, perrin_tensor** result);
PERRIN_CONTRACT(perrin_state::save, uint64_t* n, const uint8_t** bytes);
PERRIN_CONTRACT(perrin_trace::names, uint32_t* n, const perrin_trace_value** names);
PERRIN_CONTRACT(perrin_trace::values, double* values);

#undef PERRIN_CONTRACT

// The number of arguments is the table's: what has no contract is called as it is.
template <auto member, class... Args>
void call_held(const Raw<member>& call, Args... args) {
  if constexpr (requires { &Contract<member>::hold; })
    Contract<member>::hold(call, args...);
  else
    call(args...);
}

}  // namespace perrin::services
