// C++ layer of kind/guidance.h. A guidance has
//   uint32_t branches(const perrin_time& at) const;                              mask of PERRIN_BRANCH_*
//   perrin::Handle combine(const perrin_time& at, const perrin::Handle& conditional,
//                          const perrin::Handle& unconditional) const;
// or, if it needs more than the two branches,
//   perrin::Handle guide(const perrin_guidance_step& step);
// and, for the branches that need to be told what they are,
//   std::string_view guide_checkpoint() const;    PERRIN_BRANCH_GUIDE, PERRIN_BRANCH_CLASSIFIER
//   int64_t negative_label() const;               PERRIN_BRANCH_NEGATIVE
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

namespace detail {
template <class T, class = void>
struct GuideStep {
  static constexpr decltype(perrin_guidance::guide) function = nullptr;
};
template <class T>
struct GuideStep<T, std::void_t<decltype(&T::guide)>> {
  static perrin_status* function(void* instance, const perrin_guidance_step* step, perrin_tensor** guided) {
    return call<T>(instance, [&](T& self) { *guided = self.guide(*step).release(); });
  }
};
template <class T, class = void>
struct Combine {  // a guidance with `guide` has no other way to be asked
  static constexpr decltype(perrin_guidance::combine) function = nullptr;
};
template <class T>
struct Combine<T, std::void_t<decltype(&T::combine)>> {
  static perrin_status* function(void* instance, const perrin_time* at, perrin_tensor* conditional,
                                 perrin_tensor* unconditional, perrin_tensor** guided) {
    return call<T>(instance, [&](T& self) {
      *guided = self.combine(*at, Handle::borrow(conditional), Handle::borrow(unconditional)).release();
    });
  }
};
template <class T, class = void>
struct GuideModel {
  static constexpr const void* table() { return nullptr; }
};
template <class T>
struct GuideModel<T, std::void_t<decltype(&T::guide_checkpoint)>> {
  static perrin_status* checkpoint(void* instance, perrin_text* path) {
    return call<T>(instance, [&](T& self) { *path = text(self.guide_checkpoint()); });
  }
  static const void* table() {
    static constexpr perrin_guide_model model = {sizeof(perrin_guide_model), 0, checkpoint};
    return &model;
  }
};
template <class T, class = void>
struct NegativeCondition {
  static constexpr const void* table() { return nullptr; }
};
template <class T>
struct NegativeCondition<T, std::void_t<decltype(&T::negative_label)>> {
  static perrin_status* label(void* instance, int64_t* label) {
    return call<T>(instance, [&](T& self) { *label = self.negative_label(); });
  }
  static const void* table() {
    static constexpr perrin_negative_condition condition = {sizeof(perrin_negative_condition), 0, label};
    return &condition;
  }
};
}  // namespace detail

template <class T>
struct GuidanceAdapter {
  static perrin_status* branches(void* instance, const perrin_time* at, uint32_t* mask) {
    return detail::call<T>(instance, [&](T& self) { *mask = self.branches(*at); });
  }
  static const void* get_extension(perrin_text id) {
    if (view(id) == PERRIN_GUIDE_MODEL) return detail::GuideModel<T>::table();
    if (view(id) == PERRIN_NEGATIVE_CONDITION) return detail::NegativeCondition<T>::table();
    return nullptr;
  }
  static constexpr perrin_guidance table = {sizeof(perrin_guidance), 0, branches, detail::Combine<T>::function,
                                            detail::GuideStep<T>::function};
};

}  // namespace perrin

#define PERRIN_GUIDANCE(T) PERRIN_COMPONENT(PERRIN_KIND_GUIDANCE, ::perrin::GuidanceAdapter, T)
