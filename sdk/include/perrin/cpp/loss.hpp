// C++ layer of kind/loss.h. A loss has
//   perrin::Handle values(const perrin_call& call, const perrin::Handle& prediction, const perrin::Handle& target) const;
// giving one value per sample, [B]. torch_loss.hpp is the same with at::Tensor.
#pragma once

#include "../kind/loss.h"
#include "op.hpp"

namespace perrin {

inline perrin_tensor* input(std::string_view name, uint32_t n, const perrin_named_tensor* inputs) {
  for (uint32_t i = 0; i < n; ++i)
    if (view(inputs[i].name) == name) return inputs[i].tensor;
  throw Failure(PERRIN_UNSUPPORTED, "the loss needs an input \"" + std::string(name) + "\", which this stage does not have");
}

template <class T>
struct LossAdapter {
  static perrin_status* compute(void* instance, const perrin_call* call, uint32_t n, const perrin_named_tensor* inputs,
                                perrin_tensor** values) {
    return detail::call<T>(instance, [&](T& self) {
      *values = self.values(*call, Handle::borrow(input("prediction", n, inputs)),
                            Handle::borrow(input("target", n, inputs)))
                    .release();
    });
  }
  static constexpr const void* (*get_extension)(perrin_text) = nullptr;
  static constexpr perrin_loss table = {sizeof(perrin_loss), 0, compute};
};

}  // namespace perrin

#define PERRIN_LOSS(T) PERRIN_COMPONENT(PERRIN_KIND_LOSS, ::perrin::LossAdapter, T)
