// C++ layer of kind/denoiser.h, tier B. A denoiser has
//   perrin_spec infer(const perrin_spec& x, const perrin_conditioning_spec* conditioning);    builds the layers
//   at::Tensor forward(const perrin_call& call, const at::Tensor& x, const at::Tensor& c_noise,
//                      const perrin::Conditioning& conditioning) const;
//   perrin::Parameters& parameters();
#pragma once

#include "../kind/denoiser.h"
#include "torch.hpp"

namespace perrin {

// What the conditioner gave; undefined where a slot is empty.
struct Conditioning {
  at::Tensor vector;    // [B, width]
  at::Tensor sequence;  // [B, length, width]
  at::Tensor concat;    // [B, C, H, W]
};

template <class T>
struct DenoiserAdapter : ParamsAdapter<T> {
  static perrin_status* infer(void* instance, const perrin_spec* x, const perrin_conditioning_spec* conditioning,
                              perrin_spec* prediction) {
    return detail::call<T>(instance, [&](T& self) { *prediction = self.infer(*x, conditioning); });
  }
  static perrin_status* forward(void* instance, const perrin_call* call, perrin_tensor* x, perrin_tensor* c_noise,
                                const perrin_conditioning* c, perrin_tensor** prediction) {
    return detail::call<T>(instance, [&](T& self) {
      const Conditioning conditioning =
          c ? Conditioning{tensor(c->vector), tensor(c->sequence), tensor(c->concat)} : Conditioning{};
      *prediction = wrap(self.forward(*call, tensor(x), tensor(c_noise), conditioning));
    });
  }
  static constexpr perrin_denoiser table = {sizeof(perrin_denoiser), 0, infer, forward};
};

}  // namespace perrin

#define PERRIN_DENOISER(T) PERRIN_COMPONENT(PERRIN_KIND_DENOISER, ::perrin::DenoiserAdapter, T)
