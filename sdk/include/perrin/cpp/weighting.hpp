// C++ layer of kind/weighting.h. A weighting has
//   double weight(const perrin_time& at, const perrin_coefficients& c) const;
#pragma once

#include "../kind/weighting.h"
#include "plugin.hpp"

namespace perrin {

template <class T>
struct WeightingAdapter {
  static perrin_status* weight(void* instance, uint64_t n, const perrin_time* times, const perrin_coefficients* c,
                               double* weight) {
    return detail::call<T>(instance, [&](T& self) {
      for (uint64_t i = 0; i < n; ++i) weight[i] = self.weight(times[i], c[i]);
    });
  }
  static constexpr const void* (*get_extension)(perrin_text) = nullptr;
  static constexpr perrin_weighting table = {sizeof(perrin_weighting), 0, weight};
};

}  // namespace perrin

#define PERRIN_WEIGHTING(T) PERRIN_COMPONENT(PERRIN_KIND_WEIGHTING, ::perrin::WeightingAdapter, T)
