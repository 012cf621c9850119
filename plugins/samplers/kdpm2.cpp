#include "midpoint_step.hpp"

namespace perrin::samplers {
namespace {

struct Kdpm2 {
  static constexpr std::string_view id = "kdpm2", version = "0.1.0";
  static constexpr std::string_view aliases = "dpm2 dpm_2";
  static constexpr std::string_view doc =
      "Midpoint method in sigma / alpha after DPM-Solver-2 (2206.00927; k-diffusion's sample_dpm_2): two denoiser "
      "calls a step, the second half way in log SNR, one in the last.";
  static std::vector<Key> keys() { return {}; }
  explicit Kdpm2(const Config&) {}

  Handle sample(const Sampling& steps, Handle x) const {
    for (uint32_t i = 0; i < steps.steps(); ++i) {
      const perrin_time &t = steps[i], &u = steps[i + 1];
      const Handle D = steps.denoise(x, t);
      x = has_midpoint(t, u) ? along_noise(steps, x, t, midpoint_noise(steps, x, t, D, u), u)
                             : first_order(steps, x, t, D, u);
    }
    return x;
  }
};
PERRIN_SAMPLER(Kdpm2);

}  // namespace
}  // namespace perrin::samplers
