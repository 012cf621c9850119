// C++ layer of kind/conditioner.h, tier B. A conditioner has
//   perrin_conditioning_spec infer(uint32_t n_fields, const perrin_field* fields);
//   double drop_probability() const;
//   perrin::Conditioning encode(const perrin_call& call, const perrin::Fields& fields, const uint8_t* drop) const;
//   perrin::Parameters& parameters();
// and optionally, to learn from the dataset before training (kind/conditioner.h), with perrin::State (state.hpp),
//   uint64_t fit_samples() const;
//   void observe(const perrin::Fields& fields);
//   void fit();
// and optionally, where it cuts long texts (kind/text_lengths.h),
//   uint64_t text_limit() const;
//   std::vector<uint64_t> text_lengths(const perrin::Fields& fields);
#pragma once

#include <algorithm>

#include "../kind/text_lengths.h"
#include "denoiser.hpp"
#include "state.hpp"

namespace perrin {

// The batch's fields by name.
class Fields {
 public:
  Fields(uint32_t n, const perrin_named_tensor* fields) : n_(n), fields_(fields) {}
  // Undefined if there is none.
  at::Tensor find(std::string_view name) const {
    for (uint32_t i = 0; i < n_; ++i)
      if (view(fields_[i].name) == name) return tensor(fields_[i].tensor);
    return {};
  }
  at::Tensor operator[](std::string_view name) const {
    const at::Tensor field = find(name);
    if (field.defined()) return field;
    throw Failure(PERRIN_INVALID_DATA, "the batch has no field \"" + std::string(name) + "\"");
  }

 private:
  uint32_t n_;
  const perrin_named_tensor* fields_;
};

namespace detail {
template <class T, class = void>
struct FitOf {
  static constexpr const void* find(perrin_text) { return nullptr; }
};
template <class T>
struct FitOf<T, std::void_t<decltype(&T::fit)>> {
  static_assert(std::is_base_of_v<State, T>, "what a conditioner learns from the dataset must be its perrin::State");
  static perrin_status* samples(void* instance, uint64_t* n) {
    return call<T>(instance, [&](T& self) { *n = self.fit_samples(); });
  }
  static perrin_status* observe(void* instance, uint32_t n, const perrin_named_tensor* fields) {
    return call<T>(instance, [&](T& self) { self.observe(Fields(n, fields)); });
  }
  static perrin_status* fit(void* instance) {
    return call<T>(instance, [&](T& self) { self.fit(); });
  }
  static const void* find(perrin_text id) {
    static constexpr perrin_conditioner_fit table = {sizeof(perrin_conditioner_fit), 0, samples, observe, fit};
    return view(id) == PERRIN_CONDITIONER_FIT ? &table : nullptr;
  }
};

template <class T, class = void>
struct LengthsOf {
  static constexpr const void* find(perrin_text) { return nullptr; }
};
template <class T>
struct LengthsOf<T, std::void_t<decltype(&T::text_lengths)>> {
  static perrin_status* limit(void* instance, uint64_t* tokens) {
    return call<T>(instance, [&](T& self) { *tokens = self.text_limit(); });
  }
  static perrin_status* count(void* instance, uint32_t n, const perrin_named_tensor* fields, uint64_t* tokens) {
    return call<T>(instance, [&](T& self) {
      const std::vector<uint64_t> lengths = self.text_lengths(Fields(n, fields));
      std::copy(lengths.begin(), lengths.end(), tokens);
    });
  }
  static const void* find(perrin_text id) {
    static constexpr perrin_text_lengths table = {sizeof(perrin_text_lengths), 0, limit, count};
    return view(id) == PERRIN_TEXT_LENGTHS ? &table : nullptr;
  }
};
}  // namespace detail

template <class T>
struct ConditionerAdapter : ParamsAdapter<T> {
  static const void* get_extension(perrin_text id) {
    for (const void* found : {ParamsAdapter<T>::get_extension(id), detail::StateOf<T>::find(id),
                              detail::FitOf<T>::find(id), detail::LengthsOf<T>::find(id)})
      if (found) return found;
    return nullptr;
  }
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
