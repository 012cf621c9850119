// C++ layer of kind/loss.h, tier B. A loss has
//   at::Tensor values(const perrin_call& call, const at::Tensor& prediction, const at::Tensor& target) const;    [B]
// or, with `inputs` as in loss.hpp,
//   at::Tensor values(const perrin_call& call, const perrin::TorchLossInputs& in) const;    in["x_0"]
#pragma once

#include "loss.hpp"
#include "torch.hpp"

namespace perrin {

class TorchLossInputs {
 public:
  TorchLossInputs(uint32_t n, const perrin_named_tensor* inputs) : n_(n), inputs_(inputs) {}
  at::Tensor operator[](std::string_view name) const { return tensor(input(name, n_, inputs_)); }

 private:
  uint32_t n_;
  const perrin_named_tensor* inputs_;
};

template <class T>
struct TorchLossAdapter {
  static perrin_status* compute(void* instance, const perrin_call* call, uint32_t n, const perrin_named_tensor* inputs,
                                perrin_tensor** values) {
    return detail::call<T>(instance, [&](T& self) {
      const TorchLossInputs in(n, inputs);
      if constexpr (detail::NamedInputs<T>::any)
        *values = wrap(self.values(*call, in));
      else
        *values = wrap(self.values(*call, in["prediction"], in["target"]));
    });
  }
  static const void* get_extension(perrin_text id) { return detail::loss_extension<T>(id); }
  static constexpr perrin_loss table = {sizeof(perrin_loss), 0, compute};
};

}  // namespace perrin

#define PERRIN_TORCH_LOSS(T) PERRIN_COMPONENT(PERRIN_KIND_LOSS, ::perrin::TorchLossAdapter, T)
