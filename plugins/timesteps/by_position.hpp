// Laws in which samples belong together: what one draws follows from the random numbers of other positions as well. A
// law has
//   double draw(const Uniforms& u, uint64_t sample, const perrin_time_domain& domain) const;
// and its importance is 1. It is still a function of the position alone, so that no batch size changes it.
#pragma once

#include "fraction.hpp"

namespace perrin::timesteps {

class Uniforms {
 public:
  explicit Uniforms(perrin_stream stream) : stream_(stream), rng_(service<perrin_host_rng>(PERRIN_HOST_RNG)) {}

  // The uniform number of position `sample`, in [0, 1).
  double operator()(uint64_t sample) const {
    double u = 0;
    rng_->uniform_double(stream_, sample, 0, 1, &u);
    return 1 - u;
  }
  // A random bit for each number, independent of the uniform ones.
  uint64_t bit(uint64_t number) const {
    uint32_t word = 0;
    rng_->bits(stream_, number, 2, 1, &word);  // a double takes words 0 and 1
    return word & 1;
  }

 private:
  perrin_stream stream_;
  const perrin_host_rng* rng_;
};

template <class T>
struct ByPosition {
  static perrin_status* draw(void* instance, const perrin_time_domain* domain, perrin_stream stream, uint64_t n,
                             const uint64_t* samples, double* t, double* importance) {
    return perrin::detail::call<T>(instance, [&](T& self) {
      const Uniforms u(stream);
      for (uint64_t i = 0; i < n; ++i) {
        t[i] = self.draw(u, samples[i], *domain);
        importance[i] = 1;
      }
    });
  }
  static constexpr const void* (*get_extension)(perrin_text) = nullptr;
  static constexpr perrin_timesteps table = {sizeof(perrin_timesteps), 0, draw, nullptr, nullptr};
};

}  // namespace perrin::timesteps

#define PERRIN_TIMESTEPS_BY_POSITION(T) PERRIN_COMPONENT(PERRIN_KIND_TIMESTEPS, ::perrin::timesteps::ByPosition, T)
