// C++ layer of kind/sampler.h. A sampler has
//   perrin::Handle sample(const perrin::Sampling& s, perrin::Handle x) const;
//   static constexpr uint32_t flags = PERRIN_SAMPLER_...;    optional
#pragma once

#include <initializer_list>

#include "../kind/sampler.h"
#include "handle.hpp"

namespace perrin {

// What a sampler sees of the run.
class Sampling {
 public:
  explicit Sampling(const perrin_sampling* s) : s_(s) {}

  uint32_t steps() const { return s_->n_steps; }
  const perrin_time& operator[](uint32_t i) const { return s_->times[i]; }  // i = 0 .. steps(), the noise falling

  // D(x) at a noise level.
  Handle denoise(const Handle& x, const perrin_time& at) const {
    perrin_tensor* result = nullptr;
    check(s_->denoise(s_->context, x.get(), &at, &result));
    return Handle::adopt(result);
  }
  // sum a_i x_i + s * noise number `draw`.
  Handle lincomb(std::initializer_list<Term> terms, double s = 0, uint32_t draw = 0) const {
    double a[16];
    perrin_tensor* x[16];
    uint32_t n = 0;
    for (const Term& term : terms) {
      if (n == 16) throw Failure("a linear combination has at most 16 terms");
      a[n] = term.a;
      x[n++] = term.x.get();
    }
    perrin_tensor* result = nullptr;
    check(s_->lincomb(s_->context, n, a, x, s, draw, &result));
    return Handle::adopt(result);
  }
  // The schedule's noise level with this log(alpha^2 / sigma^2).
  perrin_time time_at(double log_snr) const {
    perrin_time at{};
    check(s_->time_at(s_->context, log_snr, &at));
    return at;
  }
  // The Brownian increment between two levels over its deviation, N(0, 1): the same path for every step list.
  Handle brownian(const perrin_time& from, const perrin_time& to) const {
    perrin_tensor* result = nullptr;
    check(offered(&perrin_sampling::brownian)(s_->context, &from, &to, &result));
    return Handle::adopt(result);
  }
  // Largest RMS over the samples of (x - y) / max(absolute, relative max(|x|, |previous|)).
  double distance(const Handle& x, const Handle& y, const Handle& previous, double absolute, double relative) const {
    double value = 0;
    check(offered(&perrin_sampling::distance)(s_->context, x.get(), y.get(), previous.get(), absolute, relative, &value));
    return value;
  }
  // The network's v in [-1, 1] of the latest denoise.
  Handle variance() const {
    perrin_tensor* result = nullptr;
    check(offered(&perrin_sampling::variance)(s_->context, &result));
    return Handle::adopt(result);
  }

 private:
  template <class Function>
  Function offered(Function perrin_sampling::*member) const {
    const auto* end = reinterpret_cast<const char*>(&(s_->*member)) + sizeof(Function);
    if (end > reinterpret_cast<const char*>(s_) + s_->struct_size || !(s_->*member))
      throw Failure(PERRIN_UNSUPPORTED, "this Perrin does not offer samplers a function that this one needs; update it");
    return s_->*member;
  }

  const perrin_sampling* s_;
};

namespace detail {
template <class T, class = void>
struct SamplerFlags {
  static constexpr uint32_t value = 0;
};
template <class T>
struct SamplerFlags<T, std::void_t<decltype(T::flags)>> {
  static constexpr uint32_t value = T::flags;
};
}  // namespace detail

template <class T>
struct SamplerAdapter {
  static perrin_status* sample(void* instance, const perrin_sampling* sampling, perrin_tensor* x,
                               perrin_tensor** result) {
    return detail::call<T>(instance, [&](T& self) {
      *result = self.sample(Sampling(sampling), Handle::borrow(x)).release();
    });
  }
  static constexpr const void* (*get_extension)(perrin_text) = nullptr;
  static constexpr perrin_sampler table = {sizeof(perrin_sampler), detail::SamplerFlags<T>::value, sample};
};

}  // namespace perrin

#define PERRIN_SAMPLER(T) PERRIN_COMPONENT(PERRIN_KIND_SAMPLER, ::perrin::SamplerAdapter, T)
