// C++ layer of kind/loss.h. A loss has
//   perrin::Handle values(const perrin_call& call, const perrin::Handle& prediction, const perrin::Handle& target)
//   const;
// giving one value per sample, [B]. One that takes other tensors names them and picks them:
//   static constexpr perrin_text inputs[] = {PERRIN_TEXT("x_0"), PERRIN_TEXT("D")};    see kind/loss.h
//   static constexpr uint32_t input_flags;                                             optional: PERRIN_LOSS_UNWEIGHTED
//   perrin::Handle values(const perrin_call& call, const perrin::LossInputs& in) const;    in["x_0"]
// torch_loss.hpp is the same with at::Tensor.
#pragma once

#include "../kind/loss.h"
#include "op.hpp"

namespace perrin {

inline perrin_tensor* input(std::string_view name, uint32_t n, const perrin_named_tensor* inputs) {
  for (uint32_t i = 0; i < n; ++i)
    if (view(inputs[i].name) == name) return inputs[i].tensor;
  throw Failure(PERRIN_UNSUPPORTED,
                "the loss needs an input \"" + std::string(name) + "\", which this stage does not have");
}

class LossInputs {
 public:
  LossInputs(uint32_t n, const perrin_named_tensor* inputs) : n_(n), inputs_(inputs) {}
  Handle operator[](std::string_view name) const { return Handle::borrow(input(name, n_, inputs_)); }

 private:
  uint32_t n_;
  const perrin_named_tensor* inputs_;
};

namespace detail {
template <class T, class = void>
struct LossInputFlags {
  static constexpr uint32_t flags = 0;
};
template <class T>
struct LossInputFlags<T, std::void_t<decltype(T::input_flags)>> {
  static constexpr uint32_t flags = T::input_flags;
};
template <class T, class = void>
struct NamedInputs {
  static constexpr bool any = false;
  static const void* table() { return nullptr; }
};
template <class T>
struct NamedInputs<T, std::void_t<decltype(T::inputs)>> {
  static constexpr bool any = true;
  static perrin_status* names(void*, uint32_t* n, const perrin_text** names) {
    *n = sizeof T::inputs / sizeof T::inputs[0];
    *names = T::inputs;
    return nullptr;
  }
  static const void* table() {
    static constexpr perrin_loss_inputs named = {sizeof(perrin_loss_inputs), LossInputFlags<T>::flags, names};
    return &named;
  }
};
template <class T>
const void* loss_extension(perrin_text id) {
  return view(id) == PERRIN_LOSS_INPUTS ? NamedInputs<T>::table() : nullptr;
}
}  // namespace detail

template <class T>
struct LossAdapter {
  static perrin_status* compute(void* instance, const perrin_call* call, uint32_t n, const perrin_named_tensor* inputs,
                                perrin_tensor** values) {
    return detail::call<T>(instance, [&](T& self) {
      if constexpr (detail::NamedInputs<T>::any)
        *values = self.values(*call, LossInputs(n, inputs)).release();
      else
        *values = self.values(*call, Handle::borrow(input("prediction", n, inputs)),
                              Handle::borrow(input("target", n, inputs)))
                      .release();
    });
  }
  static const void* get_extension(perrin_text id) { return detail::loss_extension<T>(id); }
  static constexpr perrin_loss table = {sizeof(perrin_loss), 0, compute, nullptr};
};

}  // namespace perrin

#define PERRIN_LOSS(T) PERRIN_COMPONENT(PERRIN_KIND_LOSS, ::perrin::LossAdapter, T)
