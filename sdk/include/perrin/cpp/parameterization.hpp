// C++ layer of kind/parameterization.h. A parameterization has
//   perrin_coefficients coefficients(const perrin_time& at) const;    throws Failure(PERRIN_UNSUPPORTED, reason)
#pragma once

#include "../kind/parameterization.h"
#include "plugin.hpp"

namespace perrin {

template <class T>
struct ParameterizationAdapter {
  static perrin_status* coefficients(void* instance, uint64_t n, const perrin_time* times, perrin_coefficients* result) {
    return detail::call<T>(instance, [&](T& self) {
      for (uint64_t i = 0; i < n; ++i) result[i] = self.coefficients(times[i]);
    });
  }
  static constexpr const void* (*get_extension)(perrin_text) = nullptr;
  static constexpr perrin_parameterization table = {sizeof(perrin_parameterization), 0, coefficients};
};

}  // namespace perrin

#define PERRIN_PARAMETERIZATION(T) PERRIN_COMPONENT(PERRIN_KIND_PARAMETERIZATION, ::perrin::ParameterizationAdapter, T)
