// C++ layer of kind/schedule.h. A schedule has
//   perrin_time_domain domain() const;
//   perrin_time marginal(double t) const;          {t, alpha(t), sigma(t)}
//   double t_of_log_snr(double log_snr) const;     continuous schedules, optional
//   void infer(const perrin_spec& z);              schedules that depend on the resolution, optional
#pragma once

#include "../kind/schedule.h"
#include "plugin.hpp"

namespace perrin {

template <class T, class = void>
struct TimeOfLogSnr {
  static constexpr decltype(perrin_schedule::t_of_log_snr) function = nullptr;
};
template <class T>
struct TimeOfLogSnr<T, std::void_t<decltype(&T::t_of_log_snr)>> {
  static perrin_status* function(void* instance, uint64_t n, const double* log_snr, double* t) {
    return detail::call<T>(instance, [&](T& self) {
      for (uint64_t i = 0; i < n; ++i) t[i] = self.t_of_log_snr(log_snr[i]);
    });
  }
};

template <class T, class = void>
struct InferResolution {
  static constexpr decltype(perrin_schedule::infer) function = nullptr;
};
template <class T>
struct InferResolution<T, std::void_t<decltype(&T::infer)>> {
  static perrin_status* function(void* instance, const perrin_spec* z) {
    return detail::call<T>(instance, [&](T& self) { self.infer(*z); });
  }
};

template <class T>
struct ScheduleAdapter {
  static perrin_status* domain(void* instance, perrin_time_domain* domain) {
    return detail::call<T>(instance, [&](T& self) { *domain = self.domain(); });
  }
  static perrin_status* marginal(void* instance, uint64_t n, const double* t, double* alpha, double* sigma) {
    return detail::call<T>(instance, [&](T& self) {
      for (uint64_t i = 0; i < n; ++i) {
        const perrin_time time = self.marginal(t[i]);
        alpha[i] = time.alpha;
        sigma[i] = time.sigma;
      }
    });
  }
  static constexpr const void* (*get_extension)(perrin_text) = nullptr;
  static constexpr perrin_schedule table = {sizeof(perrin_schedule), 0, domain, marginal, TimeOfLogSnr<T>::function,
                                            InferResolution<T>::function};
};

}  // namespace perrin

#define PERRIN_SCHEDULE(T) PERRIN_COMPONENT(PERRIN_KIND_SCHEDULE, ::perrin::ScheduleAdapter, T)
