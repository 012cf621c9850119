// C++ layer of kind/weighting.h. A weighting has
//   double weight(const perrin_time& at, const perrin_coefficients& c) const;
// and optionally
//   double weight_at_step(double progress, const perrin_time& at, const perrin_coefficients& c) const;   in (0, 1]
//   perrin::Handle learnt(const perrin_call& call, const perrin::Handle& c_noise, const perrin::Handle& values);
//   perrin::LearntParameters& parameters();                  (learnt.hpp) with `learnt`
#pragma once

#include "../kind/weighting.h"
#include "learnt.hpp"

namespace perrin {

namespace detail {
template <class T, class = void>
struct WeightAtStep {
  static constexpr decltype(perrin_weighting::weight_at_step) function = nullptr;
};
template <class T>
struct WeightAtStep<T, std::void_t<decltype(&T::weight_at_step)>> {
  static perrin_status* function(void* instance, int64_t step, int64_t n_steps, uint64_t n, const perrin_time* times,
                                 const perrin_coefficients* c, double* weight) {
    return call<T>(instance, [&](T& self) {
      const double progress = static_cast<double>(step) / static_cast<double>(n_steps);
      for (uint64_t i = 0; i < n; ++i) weight[i] = self.weight_at_step(progress, times[i], c[i]);
    });
  }
};
template <class T, class = void>
struct Learnt {
  static constexpr decltype(perrin_weighting::learnt) function = nullptr;
};
template <class T>
struct Learnt<T, std::void_t<decltype(&T::learnt)>> {
  static perrin_status* function(void* instance, const perrin_call* what, perrin_tensor* c_noise, perrin_tensor* values,
                                 perrin_tensor** trained) {
    return call<T>(instance, [&](T& self) {
      *trained = self.learnt(*what, Handle::borrow(c_noise), Handle::borrow(values)).release();
    });
  }
};
}  // namespace detail

template <class T>
struct WeightingAdapter {
  static perrin_status* weight(void* instance, uint64_t n, const perrin_time* times, const perrin_coefficients* c,
                               double* weight) {
    return detail::call<T>(instance, [&](T& self) {
      for (uint64_t i = 0; i < n; ++i) weight[i] = self.weight(times[i], c[i]);
    });
  }
  static const void* get_extension(perrin_text id) { return detail::LearntParamsOf<T>::find(id); }
  static constexpr perrin_weighting table = {sizeof(perrin_weighting), 0, weight, detail::WeightAtStep<T>::function,
                                             detail::Learnt<T>::function};
};

}  // namespace perrin

#define PERRIN_WEIGHTING(T) PERRIN_COMPONENT(PERRIN_KIND_WEIGHTING, ::perrin::WeightingAdapter, T)
