// C++ layer of kind/sampler.h. A sampler has
//   perrin::Handle sample(const perrin::Sampling& s, perrin::Handle x) const;
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

 private:
  const perrin_sampling* s_;
};

template <class T>
struct SamplerAdapter {
  static perrin_status* sample(void* instance, const perrin_sampling* sampling, perrin_tensor* x,
                               perrin_tensor** result) {
    return detail::call<T>(instance, [&](T& self) {
      *result = self.sample(Sampling(sampling), Handle::borrow(x)).release();
    });
  }
  static constexpr const void* (*get_extension)(perrin_text) = nullptr;
  static constexpr perrin_sampler table = {sizeof(perrin_sampler), 0, sample};
};

}  // namespace perrin

#define PERRIN_SAMPLER(T) PERRIN_COMPONENT(PERRIN_KIND_SAMPLER, ::perrin::SamplerAdapter, T)
