// C++ layer of kind/timesteps.h. A timestep law has
//   double draw(double u, uint64_t sample, const perrin_time_domain& domain, double& importance) const;
// where u is this sample's uniform number in (0, 1] and importance arrives as 1; or, for a law of the noise level,
//   double draw_log_snr(double u, uint64_t sample, const perrin_time& cleanest, const perrin_time& noisiest,
//                       double& importance) const;
// and optionally
//   void observe(const perrin_time_domain& domain, uint64_t n, const double* t, const double* losses);
//   perrin::State (state.hpp)                                what it has observed, saved and restored
#pragma once

#include "../kind/timesteps.h"
#include "state.hpp"

namespace perrin {

// u in (0, 1] -> a time of the domain, uniformly.
inline double time_at_quantile(const perrin_time_domain& domain, double u) {
  if (domain.steps == 0) return domain.t_min + (domain.t_max - domain.t_min) * u;
  const auto index = static_cast<uint64_t>((1.0 - u) * static_cast<double>(domain.steps));
  return domain.t_min + static_cast<double>(index < domain.steps ? index : domain.steps - 1);
}

namespace detail {
// value[i] = f(u, sample, importance) for each sample.
template <class T, class F>
perrin_status* draw_each(void* instance, perrin_stream stream, uint64_t n, const uint64_t* samples, double* value,
                         double* importance, F&& f) {
  return call<T>(instance, [&](T& self) {
    const auto* rng = service<perrin_host_rng>(PERRIN_HOST_RNG);
    for (uint64_t i = 0; i < n; ++i) {
      double u = 0;
      rng->uniform_double(stream, samples[i], 0, 1, &u);
      importance[i] = 1;
      value[i] = f(self, u, samples[i], importance[i]);
    }
  });
}

template <class T, class = void>
struct DrawTime {
  static constexpr decltype(perrin_timesteps::draw) function = nullptr;
};
template <class T>
struct DrawTime<T, std::void_t<decltype(&T::draw)>> {
  static perrin_status* function(void* instance, const perrin_time_domain* domain, perrin_stream stream, uint64_t n,
                                 const uint64_t* samples, double* t, double* importance) {
    return draw_each<T>(instance, stream, n, samples, t, importance,
                        [&](T& self, double u, uint64_t sample, double& w) { return self.draw(u, sample, *domain, w); });
  }
};
template <class T, class = void>
struct DrawLogSnr {
  static constexpr decltype(perrin_timesteps::draw_log_snr) function = nullptr;
};
template <class T>
struct DrawLogSnr<T, std::void_t<decltype(&T::draw_log_snr)>> {
  static perrin_status* function(void* instance, const perrin_time* cleanest, const perrin_time* noisiest,
                                 perrin_stream stream, uint64_t n, const uint64_t* samples, double* log_snr,
                                 double* importance) {
    return draw_each<T>(instance, stream, n, samples, log_snr, importance,
                        [&](T& self, double u, uint64_t sample, double& w) {
                          return self.draw_log_snr(u, sample, *cleanest, *noisiest, w);
                        });
  }
};
template <class T, class = void>
struct Observe {
  static constexpr decltype(perrin_timesteps::observe) function = nullptr;
};
template <class T>
struct Observe<T, std::void_t<decltype(&T::observe)>> {
  static perrin_status* function(void* instance, const perrin_time_domain* domain, uint64_t n, const double* t,
                                 const double* losses) {
    return call<T>(instance, [&](T& self) { self.observe(*domain, n, t, losses); });
  }
};
}  // namespace detail

template <class T>
struct TimestepsAdapter {
  static const void* get_extension(perrin_text id) { return detail::StateOf<T>::find(id); }
  static constexpr perrin_timesteps table = {sizeof(perrin_timesteps), 0, detail::DrawTime<T>::function,
                                             detail::DrawLogSnr<T>::function, detail::Observe<T>::function};
};

}  // namespace perrin

#define PERRIN_TIMESTEPS(T) PERRIN_COMPONENT(PERRIN_KIND_TIMESTEPS, ::perrin::TimestepsAdapter, T)
