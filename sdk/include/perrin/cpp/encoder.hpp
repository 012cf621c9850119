// C++ layer of kind/encoder.h, tier B. An encoder has
//   perrin_spec infer(const perrin_spec& x);
//   at::Tensor encode(const perrin_call& call, const at::Tensor& x) const;
//   at::Tensor decode(const perrin_call& call, const at::Tensor& z) const;
//   perrin::Parameters& parameters();
#pragma once

#include "../kind/encoder.h"
#include "torch.hpp"

namespace perrin {

template <class T>
struct EncoderAdapter : ParamsAdapter<T> {
  static perrin_status* infer(void* instance, const perrin_spec* x, perrin_spec* z) {
    return detail::call<T>(instance, [&](T& self) { *z = self.infer(*x); });
  }
  static perrin_status* encode(void* instance, const perrin_call* call, perrin_tensor* x, perrin_tensor** z) {
    return detail::call<T>(instance, [&](T& self) { *z = wrap(self.encode(*call, tensor(x))); });
  }
  static perrin_status* decode(void* instance, const perrin_call* call, perrin_tensor* z, perrin_tensor** x) {
    return detail::call<T>(instance, [&](T& self) { *x = wrap(self.decode(*call, tensor(z))); });
  }
  static constexpr perrin_encoder table = {sizeof(perrin_encoder), 0, infer, encode, decode};
};

}  // namespace perrin

#define PERRIN_ENCODER(T) PERRIN_COMPONENT(PERRIN_KIND_ENCODER, ::perrin::EncoderAdapter, T)
