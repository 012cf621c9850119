// C++ layer of kind/guidance.h. A guidance has
//   uint32_t branches(const perrin_time& at) const;                              mask of PERRIN_BRANCH_*
//   perrin::Handle combine(const perrin_time& at, const perrin::Handle& conditional,
//                          const perrin::Handle& unconditional) const;
#pragma once

#include "../kind/guidance.h"
#include "handle.hpp"

namespace perrin {

// a x + b y in one pass.
inline Handle combination(Term x, Term y) {
  const double a[2] = {x.a, y.a};
  perrin_tensor* const tensors[2] = {x.x.get(), y.x.get()};
  perrin_tensor* result = nullptr;
  check(service<perrin_host_lincomb>(PERRIN_HOST_LINCOMB)->lincomb(2, a, tensors, 0, {}, nullptr, &result));
  return Handle::adopt(result);
}

template <class T>
struct GuidanceAdapter {
  static perrin_status* branches(void* instance, const perrin_time* at, uint32_t* mask) {
    return detail::call<T>(instance, [&](T& self) { *mask = self.branches(*at); });
  }
  static perrin_status* combine(void* instance, const perrin_time* at, perrin_tensor* conditional,
                                perrin_tensor* unconditional, perrin_tensor** guided) {
    return detail::call<T>(instance, [&](T& self) {
      *guided = self.combine(*at, Handle::borrow(conditional), Handle::borrow(unconditional)).release();
    });
  }
  static constexpr const void* (*get_extension)(perrin_text) = nullptr;
  static constexpr perrin_guidance table = {sizeof(perrin_guidance), 0, branches, combine};
};

}  // namespace perrin

#define PERRIN_GUIDANCE(T) PERRIN_COMPONENT(PERRIN_KIND_GUIDANCE, ::perrin::GuidanceAdapter, T)
