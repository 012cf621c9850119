// C++ layer of kind/dataset.h. A dataset has
//   const std::vector<perrin_field>& fields() const;
//   uint64_t count() const;
//   void read(uint64_t n, const uint64_t* indices, void* const* buffers) const;    from several threads
//   void read_augmented(perrin_stream stream, uint64_t n, const uint64_t* indices, const uint64_t* positions,
//                       void* const* buffers) const;                               optional, likewise
//   void identity(const Identity& told) const;                                       optional: see identity.hpp
// and, if its optimal denoiser is known (PERRIN_EXACT_DATASET registers it),
//   void posterior_mean(double alpha, double sigma, uint64_t n, uint64_t size, const double* x, const int64_t* labels,
//                       double* mean) const;
//   void moments(uint64_t size, double* mean, double* covariance) const;
#pragma once

#include <initializer_list>

#include "../kind/dataset.h"
#include "identity.hpp"
#include "plugin.hpp"

namespace perrin {

inline perrin_spec spec(std::string_view name, uint32_t dtype, std::initializer_list<int64_t> sizes) {
  perrin_spec result{text(name), dtype, static_cast<uint32_t>(sizes.size()), {}};
  uint32_t i = 0;
  for (int64_t size : sizes) result.sizes[i++] = size;
  return result;
}

// value = raw * scale + offset.
inline perrin_field field(const perrin_spec& spec, double scale, double offset, uint64_t n_classes = 0) {
  return {sizeof(perrin_field), 0, spec, scale, offset, n_classes};
}

namespace detail {
template <class T, class = void>
struct ReadAugmented {
  static constexpr decltype(perrin_dataset::read_augmented) function = nullptr;
};
template <class T>
struct ReadAugmented<T, std::void_t<decltype(&T::read_augmented)>> {
  static perrin_status* function(void* instance, perrin_stream stream, uint64_t n, const uint64_t* indices,
                                 const uint64_t* positions, void* const* buffers) {
    return call<T>(instance, [&](T& self) { self.read_augmented(stream, n, indices, positions, buffers); });
  }
};
}  // namespace detail

template <class T>
struct DatasetAdapter {
  static perrin_status* fields(void* instance, uint32_t* n, const perrin_field** fields) {
    return detail::call<T>(instance, [&](T& self) {
      const std::vector<perrin_field>& list = self.fields();
      *n = static_cast<uint32_t>(list.size());
      *fields = list.data();
    });
  }
  static perrin_status* count(void* instance, uint64_t* n) {
    return detail::call<T>(instance, [&](T& self) { *n = self.count(); });
  }
  static perrin_status* read(void* instance, uint64_t n, const uint64_t* indices, void* const* buffers) {
    return detail::call<T>(instance, [&](T& self) { self.read(n, indices, buffers); });
  }
  static const void* get_extension(perrin_text id) {
    return view(id) == PERRIN_IDENTITY ? IdentityTable<T>::get() : nullptr;
  }
  static constexpr perrin_dataset table = {sizeof(perrin_dataset), 0, fields, count, read,
                                           detail::ReadAugmented<T>::function};
};

template <class T>
struct ExactDatasetAdapter : DatasetAdapter<T> {
  static perrin_status* posterior_mean(void* instance, double alpha, double sigma, uint64_t n, uint64_t size,
                                       const double* x, const int64_t* labels, double* mean) {
    return detail::call<T>(instance,
                           [&](T& self) { self.posterior_mean(alpha, sigma, n, size, x, labels, mean); });
  }
  static perrin_status* moments(void* instance, uint64_t size, double* mean, double* covariance) {
    return detail::call<T>(instance, [&](T& self) { self.moments(size, mean, covariance); });
  }
  static constexpr perrin_exact_denoiser exact = {sizeof(perrin_exact_denoiser), 0, posterior_mean, moments};
  static const void* get_extension(perrin_text id) {
    return view(id) == PERRIN_EXACT_DENOISER ? &exact : DatasetAdapter<T>::get_extension(id);
  }
};

}  // namespace perrin

#define PERRIN_DATASET(T) PERRIN_COMPONENT(PERRIN_KIND_DATASET, ::perrin::DatasetAdapter, T)
#define PERRIN_EXACT_DATASET(T) PERRIN_COMPONENT(PERRIN_KIND_DATASET, ::perrin::ExactDatasetAdapter, T)
