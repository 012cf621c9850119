// C++ layer of kind/encoder.h, tier B. An encoder has
//   perrin_spec infer(const perrin_spec& x);
//   at::Tensor encode(const perrin_call& call, const at::Tensor& x) const;
//   at::Tensor decode(const perrin_call& call, const at::Tensor& z) const;
//   perrin::Parameters& parameters();
// and, to tell losses more than z and the reconstruction, or to have a last layer that they weigh against:
//   static constexpr perrin_encoder_output outputs[] = {{PERRIN_TEXT("posterior_mean"), PERRIN_OUTPUT_INPUT, 0}, ...};
//   perrin::Encoded encode_training(const perrin_call& call, const at::Tensor& x) const;    z, then one for each output
//   std::string_view last_layer() const;                                                    optional; static
#pragma once

#include "../kind/encoder.h"
#include "state.hpp"
#include "torch.hpp"
#include "trace.hpp"

namespace perrin {

struct Encoded {
  at::Tensor z;                     // [B, ...]
  std::vector<at::Tensor> outputs;  // one for each of T::outputs
};

namespace detail {
template <class T, class = void>
struct HasLastLayer : std::false_type {};
template <class T>
struct HasLastLayer<T, std::void_t<decltype(&T::last_layer)>> : std::true_type {};
template <class T, class = void>
struct HasOutputs : std::false_type {};
template <class T>
struct HasOutputs<T, std::void_t<decltype(T::outputs)>> : std::true_type {};

template <class T>
struct EncoderTrainingOf {
  static perrin_status* outputs(void*, uint32_t* n, const perrin_encoder_output** outputs) {
    *n = 0;
    *outputs = nullptr;
    if constexpr (HasOutputs<T>::value) {
      *n = sizeof T::outputs / sizeof T::outputs[0];
      *outputs = T::outputs;
    }
    return nullptr;
  }
  static perrin_status* encode(void* instance, const perrin_call* c, perrin_tensor* x, perrin_tensor** z,
                               [[maybe_unused]] perrin_tensor** outputs) {
    return call<T>(instance, [&](T& self) {
      if constexpr (HasOutputs<T>::value) {
        const Encoded encoded = self.encode_training(*c, tensor(x));
        *z = wrap(encoded.z);
        for (size_t i = 0; i < encoded.outputs.size(); ++i) outputs[i] = wrap(encoded.outputs[i]);
      } else {
        *z = wrap(self.encode(*c, tensor(x)));
      }
    });
  }
  static perrin_status* last_layer(void* instance, perrin_text* name) {
    return call<T>(instance, [&](T& self) {
      *name = text("");
      if constexpr (HasLastLayer<T>::value) *name = text(self.last_layer());
    });
  }
  static const void* find(perrin_text id) {
    static constexpr perrin_encoder_training training = {sizeof(perrin_encoder_training), 0, outputs, encode, last_layer};
    if constexpr (HasOutputs<T>::value || HasLastLayer<T>::value)
      return view(id) == PERRIN_ENCODER_TRAINING ? &training : nullptr;
    return nullptr;
  }
};
}  // namespace detail

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
  static const void* get_extension(perrin_text id) {
    for (const void* found : {ParamsAdapter<T>::get_extension(id), detail::EncoderTrainingOf<T>::find(id),
                              detail::StateOf<T>::find(id), detail::TraceOf<T>::find(id)})
      if (found) return found;
    return nullptr;
  }
  static constexpr perrin_encoder table = {sizeof(perrin_encoder), 0, infer, encode, decode};
};

}  // namespace perrin

#define PERRIN_ENCODER(T) PERRIN_COMPONENT(PERRIN_KIND_ENCODER, ::perrin::EncoderAdapter, T)
