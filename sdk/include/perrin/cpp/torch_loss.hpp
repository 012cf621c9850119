// C++ layer of kind/loss.h, tier B. A loss has
//   at::Tensor values(const perrin_call& call, const at::Tensor& prediction, const at::Tensor& target) const;    [B]
#pragma once

#include "loss.hpp"
#include "torch.hpp"

namespace perrin {

template <class T>
struct TorchLossAdapter {
  static perrin_status* compute(void* instance, const perrin_call* call, uint32_t n, const perrin_named_tensor* inputs,
                                perrin_tensor** values) {
    return detail::call<T>(instance, [&](T& self) {
      *values = wrap(self.values(*call, tensor(input("prediction", n, inputs)), tensor(input("target", n, inputs))));
    });
  }
  static constexpr const void* (*get_extension)(perrin_text) = nullptr;
  static constexpr perrin_loss table = {sizeof(perrin_loss), 0, compute};
};

}  // namespace perrin

#define PERRIN_TORCH_LOSS(T) PERRIN_COMPONENT(PERRIN_KIND_LOSS, ::perrin::TorchLossAdapter, T)
