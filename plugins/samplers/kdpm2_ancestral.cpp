#include "ancestral.hpp"
#include "midpoint_step.hpp"

namespace perrin::samplers {
namespace {

struct Kdpm2Ancestral {
  static constexpr std::string_view id = "kdpm2-ancestral", version = "0.1.0";
  static constexpr std::string_view aliases = "dpm2_a dpm_2_ancestral";
  static constexpr std::string_view doc =
      "kdpm2's steps to below the next noise level, then fresh noise up to it (k-diffusion's sample_dpm_2_ancestral).";
  static std::vector<Key> keys() { return ancestral_keys(); }
  explicit Kdpm2Ancestral(const Config& config) : eta_(config.number("eta")), s_noise_(config.number("s_noise")) {}

  Handle sample(const Sampling& steps, Handle x) const {
    for (uint32_t i = 0; i < steps.steps(); ++i) {
      const perrin_time& t = steps[i];
      const auto [down, noise] = split(t, steps[i + 1], eta_);
      const Handle D = steps.denoise(x, t);
      if (has_midpoint(t, down)) {
        const Handle eps = midpoint_noise(steps, x, t, D, down);
        x = steps.lincomb({{down.alpha / t.alpha, x}, {noise_change(t, down), eps}}, s_noise_ * noise, i);
      } else {
        x = first_order(steps, x, t, D, down, s_noise_ * noise, i);
      }
    }
    return x;
  }

 private:
  double eta_, s_noise_;
};
PERRIN_SAMPLER(Kdpm2Ancestral);

}  // namespace
}  // namespace perrin::samplers
