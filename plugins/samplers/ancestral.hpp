// Ancestral steps: less noise than the next level has, then fresh noise up to it.
#pragma once

#include "step.hpp"

namespace perrin::samplers {

// Keys of the samplers that split their steps so.
inline std::vector<Key> ancestral_keys() {
  return {
      Key::number("eta", "1.0", "share of ddpm's noise that each step adds; 0: deterministic").min(0),
      Key::number("s_noise", "1.0", "deviation of the added noise, 1 unless the network takes away too much").min(0)};
}

struct Split {
  perrin_time down;  // alpha of u, and sigma such that down.sigma^2 + noise^2 = u.sigma^2
  double noise;      // deviation of the fresh noise
};

// k-diffusion's get_ancestral_step, s_up = min(s_u, eta sqrt(s_u^2 (s_t^2 - s_u^2) / s_t^2)), for any alpha: the
// posterior deviation of 2006.11239 Eq. 7 at eta 1.
inline Split split(const perrin_time& t, const perrin_time& u, double eta) {
  const double q = t.alpha * u.sigma / (u.alpha * t.sigma);  // s_u / s_t
  const double up = std::min(1.0, eta * std::sqrt(std::max(0.0, 1 - q * q)));
  return {{u.t, u.alpha, u.sigma * std::sqrt(1 - up * up)}, u.sigma * up};
}

}  // namespace perrin::samplers
