// C++ layer of kind/conditioner.h, tier B. A conditioner has
//   perrin_conditioning_spec infer(uint32_t n_fields, const perrin_field* fields);
//   double drop_probability() const;
//   perrin::Conditioning encode(const perrin_call& call, const perrin::Fields& fields, const uint8_t* drop) const;
//   perrin::Parameters& parameters();
#pragma once

#include "../kind/conditioner.h"
#include "denoiser.hpp"

namespace perrin {

// The batch's fields by name.
class Fields {
 public:
  Fields(uint32_t n, const perrin_named_tensor* fields) : n_(n), fields_(fields) {}
  at::Tensor operator[](std::string_view name) const {
    for (uint32_t i = 0; i < n_; ++i)
      if (view(fields_[i].name) == name) return tensor(fields_[i].tensor);
    throw Failure(PERRIN_INVALID_DATA, "the batch has no field \"" + std::string(name) + "\"");
  }

 private:
  uint32_t n_;
  const perrin_named_tensor* fields_;
};

template <class T>
struct ConditionerAdapter : ParamsAdapter<T> {
  static perrin_status* infer(void* instance, uint32_t n, const perrin_field* fields, perrin_conditioning_spec* spec) {
    return detail::call<T>(instance, [&](T& self) { *spec = self.infer(n, fields); });
  }
  static perrin_status* drop_probability(void* instance, double* p) {
    return detail::call<T>(instance, [&](T& self) { *p = self.drop_probability(); });
  }
  static perrin_status* encode(void* instance, const perrin_call* call, uint32_t n, const perrin_named_tensor* fields,
                               const uint8_t* drop, perrin_conditioning* conditioning) {
    return detail::call<T>(instance, [&](T& self) {
      const Conditioning result = self.encode(*call, Fields(n, fields), drop);
      *conditioning = {sizeof(perrin_conditioning), 0, wrap(result.vector), wrap(result.sequence), wrap(result.concat)};
    });
  }
  static constexpr perrin_conditioner table = {sizeof(perrin_conditioner), 0, infer, drop_probability, encode};
};

}  // namespace perrin

#define PERRIN_CONDITIONER(T) PERRIN_COMPONENT(PERRIN_KIND_CONDITIONER, ::perrin::ConditionerAdapter, T)
