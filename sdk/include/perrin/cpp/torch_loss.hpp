// C++ layer of kind/loss.h, tier B. A loss has
//   at::Tensor values(const perrin_call& call, const at::Tensor& prediction, const at::Tensor& target) const;    [B]
// or, with `inputs` as in loss.hpp,
//   at::Tensor values(const perrin_call& call, const perrin::TorchLossInputs& in) const;    in["x_0"]
// and, each optional,
//   void infer(const perrin::InputShapes& shapes);      shapes["x"]: without the batch dimension
//   perrin::Parameters& parameters();                   trained with the stage's
//   at::Tensor oppose(const perrin_call& call, const perrin::TorchLossInputs& in) const;    [B]: an adversary, whose
//                                                       parameters minimise this instead (kind/loss.h)
//   what trace.hpp and state.hpp ask for.
#pragma once

#include "loss.hpp"
#include "state.hpp"
#include "torch.hpp"
#include "trace.hpp"

namespace perrin {

class TorchLossInputs {
 public:
  TorchLossInputs(uint32_t n, const perrin_named_tensor* inputs) : n_(n), inputs_(inputs) {}
  at::Tensor operator[](std::string_view name) const { return tensor(input(name, n_, inputs_)); }

 private:
  uint32_t n_;
  const perrin_named_tensor* inputs_;
};

// The shapes of a loss's inputs.
class InputShapes {
 public:
  InputShapes(uint32_t n, const perrin_spec* inputs) : n_(n), inputs_(inputs) {}
  const perrin_spec& operator[](std::string_view name) const {
    for (uint32_t i = 0; i < n_; ++i)
      if (view(inputs_[i].name) == name) return inputs_[i];
    throw Failure(PERRIN_UNSUPPORTED, "the loss needs the shape of \"" + std::string(name) + "\", which is not known");
  }

 private:
  uint32_t n_;
  const perrin_spec* inputs_;
};

namespace detail {
template <class T, class = void>
struct LossInfer {
  static constexpr perrin_status* (*function)(void*, uint32_t, const perrin_spec*) = nullptr;
};
template <class T>
struct LossInfer<T, std::void_t<decltype(&T::infer)>> {
  static perrin_status* function(void* instance, uint32_t n, const perrin_spec* inputs) {
    return call<T>(instance, [&](T& self) { self.infer(InputShapes(n, inputs)); });
  }
};
template <class T, class = void>
struct TorchParamsOf {
  static constexpr const void* find(perrin_text) { return nullptr; }
};
template <class T>
struct TorchParamsOf<T, std::void_t<decltype(&T::parameters)>> {
  static const void* find(perrin_text id) { return ParamsAdapter<T>::get_extension(id); }
};
template <class T, class = void>
struct AdversaryOf {
  static constexpr const void* find(perrin_text) { return nullptr; }
};
template <class T>
struct AdversaryOf<T, std::void_t<decltype(&T::oppose)>> {
  static perrin_status* oppose(void* instance, const perrin_call* c, uint32_t n, const perrin_named_tensor* inputs,
                               perrin_tensor** values) {
    return call<T>(instance, [&](T& self) { *values = wrap(self.oppose(*c, TorchLossInputs(n, inputs))); });
  }
  static const void* find(perrin_text id) {
    static constexpr perrin_adversary adversary = {sizeof(perrin_adversary), 0, oppose};
    return view(id) == PERRIN_ADVERSARY ? &adversary : nullptr;
  }
};
}  // namespace detail

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
  static const void* get_extension(perrin_text id) {
    for (const void* found : {detail::loss_extension<T>(id), detail::TorchParamsOf<T>::find(id),
                              detail::AdversaryOf<T>::find(id), detail::StateOf<T>::find(id),
                              detail::TraceOf<T>::find(id)})
      if (found) return found;
    return nullptr;
  }
  static constexpr perrin_loss table = {sizeof(perrin_loss), 0, compute, detail::LossInfer<T>::function};
};

}  // namespace perrin

#define PERRIN_TORCH_LOSS(T) PERRIN_COMPONENT(PERRIN_KIND_LOSS, ::perrin::TorchLossAdapter, T)
