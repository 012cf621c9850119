// Contracts of the functions that fill arrays of numbers.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "host/services/contract.hpp"
#include "host/services/output.hpp"
#include "host/services/unchanged.hpp"

namespace perrin::services {
namespace {

constexpr uint64_t kMostTimes = 10'000'000;

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", value);
  return text;
}

// A struct or whole number that the plugin fills; `value` starts as zeros.
template <class T>
class Filled : public Output {
 public:
  Filled(const Call& call, const char* name, T* to) : Output(call, name, to, sizeof(T)) {
    std::memset(room_, 0, sizeof(T));
  }
  T* data() const { return static_cast<T*>(Output::data()); }
  const T& value() const { return check_borders(), *reinterpret_cast<const T*>(room_); }
};

// c_noise may be infinite: ln(sigma) where there is no noise.
void check_coefficients(const Call& call, uint64_t n, const perrin_time* times, const perrin_coefficients* given) {
  for (uint64_t i = 0; i < n; ++i) {
    const perrin_coefficients& c = given[i];
    const bool finite = std::isfinite(c.c_in) && std::isfinite(c.c_skip) && std::isfinite(c.c_out) &&
                        std::isfinite(c.target_x0) && std::isfinite(c.target_noise) && !std::isnan(c.c_noise);
    if (!finite)
      call.wrong("gave coefficients that are not finite at t = " + number(times[i].t) + ": c_in " + number(c.c_in) +
                 ", c_noise " + number(c.c_noise) + ", c_skip " + number(c.c_skip) + ", c_out " + number(c.c_out) +
                 ", target_x0 " + number(c.target_x0) + ", target_noise " + number(c.target_noise));
  }
}

void check_times(const Call& call, const perrin_time_domain& domain, uint64_t n, const double* t, double tolerance) {
  const double beyond = tolerance * (domain.t_max - domain.t_min);
  for (uint64_t i = 0; i < n; ++i) {
    if (t[i] >= domain.t_min - beyond && t[i] <= domain.t_max + beyond &&
        (domain.steps == 0 || tolerance > 0 || t[i] == std::floor(t[i])))
      continue;
    call.wrong("gave t[" + std::to_string(i) + "] = " + number(t[i]) + ", which is no time of the schedule's: " +
               number(domain.t_min) + " to " + number(domain.t_max) + (domain.steps > 0 ? ", whole" : ""));
  }
}

// Negative ones are refused; one that is not finite may be the composition's fault, and host/train says so with the
// level.
template <auto member, class... Before>
void hold_weights(const Raw<member>& call, uint64_t n, const perrin_time* times, const perrin_coefficients* coefficients,
                  double* weight, Before... before) {
  const Numbers out(call, "weight", weight, n);
  Unchanged inputs(call);
  inputs.add("times", times, n * sizeof *times);
  inputs.add("coefficients", coefficients, n * sizeof *coefficients);
  call(before..., n, times, coefficients, out.data());
  inputs.check();
  out.take_any(0, true);
}

}  // namespace

void Contract<&perrin_schedule::domain>::hold(const Raw<&perrin_schedule::domain>& call, perrin_time_domain* domain) {
  const Filled<perrin_time_domain> out(call, "domain", domain);
  call(out.data());
  const perrin_time_domain& d = out.value();
  if (!std::isfinite(d.t_min) || !std::isfinite(d.t_max) || d.t_min > d.t_max)
    call.wrong("has the time domain " + number(d.t_min) + " to " + number(d.t_max));
  if (d.steps > kMostTimes)
    call.wrong("has " + std::to_string(d.steps) + " times; at most " + std::to_string(kMostTimes) + " are possible");
  out.take();
  std::lock_guard lock(call.said.mutex);
  call.said.domain = *domain;
}

void Contract<&perrin_schedule::marginal>::hold(const Raw<&perrin_schedule::marginal>& call, uint64_t n, const double* t,
                                                double* alpha, double* sigma) {
  const Numbers a(call, "alpha", alpha, n), s(call, "sigma", sigma, n);
  Unchanged inputs(call);
  inputs.add("t", t, n * sizeof *t);
  call(n, t, a.data(), s.data());
  inputs.check();
  a.take_finite(0);
  s.take_finite(0);
  for (uint64_t i = 0; i < n; ++i)
    if (alpha[i] == 0 && sigma[i] == 0) call.wrong("gave neither signal nor noise (alpha = sigma = 0) at t = " + number(t[i]));
}

void Contract<&perrin_schedule::t_of_log_snr>::hold(const Raw<&perrin_schedule::t_of_log_snr>& call, uint64_t n,
                                                    const double* log_snr, double* t) {
  const Numbers out(call, "t", t, n);
  call(n, log_snr, out.data());
  out.take_finite();
  std::optional<perrin_time_domain> domain;
  {
    std::lock_guard lock(call.said.mutex);
    domain = call.said.domain;
  }
  if (domain) check_times(call, *domain, n, t, 1e-6);
}

void Contract<&perrin_parameterization::coefficients>::hold(const Raw<&perrin_parameterization::coefficients>& call,
                                                            uint64_t n, const perrin_time* times,
                                                            perrin_coefficients* coefficients) {
  const Numbers out(call, "coefficients", reinterpret_cast<double*>(coefficients), n * sizeof(perrin_coefficients) / sizeof(double));
  Unchanged inputs(call);
  inputs.add("times", times, n * sizeof *times);
  call(n, times, reinterpret_cast<perrin_coefficients*>(out.data()));
  inputs.check();
  out.take_any(-std::numeric_limits<double>::infinity(), true);
  check_coefficients(call, n, times, coefficients);
}

void Contract<&perrin_weighting::weight>::hold(const Raw<&perrin_weighting::weight>& call, uint64_t n,
                                               const perrin_time* times, const perrin_coefficients* coefficients,
                                               double* weight) {
  hold_weights(call, n, times, coefficients, weight);
}

void Contract<&perrin_weighting::weight_at_step>::hold(const Raw<&perrin_weighting::weight_at_step>& call, int64_t step,
                                                       int64_t n_steps, uint64_t n, const perrin_time* times,
                                                       const perrin_coefficients* coefficients, double* weight) {
  hold_weights(call, n, times, coefficients, weight, step, n_steps);
}

void Contract<&perrin_timesteps::draw>::hold(const Raw<&perrin_timesteps::draw>& call, const perrin_time_domain* domain,
                                             perrin_stream stream, uint64_t n, const uint64_t* samples, double* t,
                                             double* importance) {
  const Numbers times(call, "t", t, n), weights(call, "importance", importance, n);
  Unchanged inputs(call);
  inputs.add("samples", samples, n * sizeof *samples);
  call(domain, stream, n, samples, times.data(), weights.data());
  inputs.check();
  times.take_finite();
  weights.take_finite(0);
  check_times(call, *domain, n, t, 0);
}

void Contract<&perrin_timesteps::draw_log_snr>::hold(const Raw<&perrin_timesteps::draw_log_snr>& call,
                                                     const perrin_time* cleanest, const perrin_time* noisiest,
                                                     perrin_stream stream, uint64_t n, const uint64_t* samples,
                                                     double* log_snr, double* importance) {
  const Numbers levels(call, "log_snr", log_snr, n), weights(call, "importance", importance, n);
  Unchanged inputs(call);
  inputs.add("samples", samples, n * sizeof *samples);
  call(cleanest, noisiest, stream, n, samples, levels.data(), weights.data());
  inputs.check();
  levels.take_any();
  weights.take_finite(0);
}

void Contract<&perrin_timesteps::observe>::hold(const Raw<&perrin_timesteps::observe>& call,
                                                const perrin_time_domain* domain, uint64_t n, const double* t,
                                                const double* losses) {
  Unchanged inputs(call);
  inputs.add("t", t, n * sizeof *t);
  inputs.add("losses", losses, n * sizeof *losses);
  call(domain, n, t, losses);
  inputs.check();
}

void Contract<&perrin_guidance::branches>::hold(const Raw<&perrin_guidance::branches>& call, const perrin_time* at,
                                                uint32_t* mask) {
  constexpr uint32_t kKnown = PERRIN_BRANCH_CONDITIONAL | PERRIN_BRANCH_UNCONDITIONAL | PERRIN_BRANCH_NEGATIVE |
                              PERRIN_BRANCH_GUIDE | PERRIN_BRANCH_CLASSIFIER;
  const Filled<uint32_t> out(call, "mask", mask);
  call(at, out.data());
  if (out.value() == 0 || (out.value() & ~kKnown) != 0) call.wrong("asked for no branch or an unknown one");
  out.take();
}

void Contract<&perrin_negative_condition::label>::hold(const Raw<&perrin_negative_condition::label>& call, int64_t* label) {
  const Filled<int64_t> out(call, "label", label);
  call(out.data());
  out.take();
}

void Contract<&perrin_dataset::count>::hold(const Raw<&perrin_dataset::count>& call, uint64_t* n) {
  const Filled<uint64_t> out(call, "n", n);
  call(out.data());
  if (out.value() > uint64_t{1} << 53) call.wrong("says that it has " + std::to_string(out.value()) + " samples");
  out.take();
}

void Contract<&perrin_conditioner_fit::samples>::hold(const Raw<&perrin_conditioner_fit::samples>& call, uint64_t* n) {
  const Filled<uint64_t> out(call, "n", n);
  call(out.data());
  out.take();
}

void Contract<&perrin_conditioner::drop_probability>::hold(const Raw<&perrin_conditioner::drop_probability>& call,
                                                           double* p) {
  const Numbers out(call, "p", p, 1);
  call(out.data());
  out.take_finite(0, 1);
}

void Contract<&perrin_exact_denoiser::posterior_mean>::hold(const Raw<&perrin_exact_denoiser::posterior_mean>& call,
                                                            double alpha, double sigma, uint64_t n, uint64_t size,
                                                            const double* x, const int64_t* labels, double* mean) {
  const Numbers out(call, "mean", mean, n * size);
  Unchanged inputs(call);
  inputs.add("x", x, n * size * sizeof *x);
  call(alpha, sigma, n, size, x, labels, out.data());
  inputs.check();
  out.take_finite();
}

void Contract<&perrin_exact_denoiser::moments>::hold(const Raw<&perrin_exact_denoiser::moments>& call, uint64_t size,
                                                     double* mean, double* covariance) {
  const Numbers m(call, "mean", mean, size), c(call, "covariance", covariance, covariance ? size * size : 0);
  call(size, m.data(), c.data());
  m.take_finite();
  c.take_finite();
}

void Contract<&perrin_trace::values>::hold(const Raw<&perrin_trace::values>& call, double* values) {
  if (!call.said.trace) call.wrong("was asked for its numbers before their names");
  const Numbers out(call, "values", values, call.said.trace->size());
  call(out.data());
  out.take_any(-std::numeric_limits<double>::infinity(), true);
}

}  // namespace perrin::services
