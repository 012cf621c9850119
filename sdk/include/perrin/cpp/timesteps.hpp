// C++ layer of kind/timesteps.h. A timestep law has
//   double draw(double u, uint64_t sample, const perrin_time_domain& domain, double& importance) const;
// where u is this sample's uniform number in (0, 1] and importance arrives as 1.
#pragma once

#include "../kind/timesteps.h"
#include "plugin.hpp"

namespace perrin {

// u in (0, 1] -> a time of the domain, uniformly.
inline double time_at_quantile(const perrin_time_domain& domain, double u) {
  if (domain.steps == 0) return domain.t_min + (domain.t_max - domain.t_min) * u;
  const auto index = static_cast<uint64_t>((1.0 - u) * static_cast<double>(domain.steps));
  return domain.t_min + static_cast<double>(index < domain.steps ? index : domain.steps - 1);
}

template <class T>
struct TimestepsAdapter {
  static perrin_status* draw(void* instance, const perrin_time_domain* domain, perrin_stream stream, uint64_t n,
                             const uint64_t* samples, double* t, double* importance) {
    return detail::call<T>(instance, [&](T& self) {
      const auto* rng = service<perrin_host_rng>(PERRIN_HOST_RNG);
      for (uint64_t i = 0; i < n; ++i) {
        double u = 0;
        rng->uniform_double(stream, samples[i], 0, 1, &u);
        importance[i] = 1;
        t[i] = self.draw(u, samples[i], *domain, importance[i]);
      }
    });
  }
  static constexpr const void* (*get_extension)(perrin_text) = nullptr;
  static constexpr perrin_timesteps table = {sizeof(perrin_timesteps), 0, draw};
};

}  // namespace perrin

#define PERRIN_TIMESTEPS(T) PERRIN_COMPONENT(PERRIN_KIND_TIMESTEPS, ::perrin::TimestepsAdapter, T)
