#include "ancestral.hpp"

namespace perrin::samplers {
namespace {

struct Dpmpp2sAncestral {
  static constexpr std::string_view id = "dpm++2s-ancestral", version = "0.1.0";
  static constexpr std::string_view aliases = "dpmpp_2s_ancestral dpm++2s_a";
  static constexpr std::string_view doc =
      "DPM-Solver++(2S) steps (2211.01095 Algorithm 1, r = 1/2) to below the next noise level, then fresh noise up "
      "to it (k-diffusion's sample_dpmpp_2s_ancestral). Two denoiser calls a step, one in the last.";
  static std::vector<Key> keys() { return ancestral_keys(); }
  explicit Dpmpp2sAncestral(const Config& config) : eta_(config.number("eta")), s_noise_(config.number("s_noise")) {}

  Handle sample(const Sampling& steps, Handle x) const {
    for (uint32_t i = 0; i < steps.steps(); ++i) {
      const perrin_time& t = steps[i];
      const auto [down, noise] = split(t, steps[i + 1], eta_);
      Handle D = steps.denoise(x, t);
      if (is_regular(t, down)) {
        const perrin_time m = midpoint(steps, t, down);
        D = steps.denoise(first_order(steps, x, t, D, m), m);
      }
      x = first_order(steps, x, t, D, down, s_noise_ * noise, i);
    }
    return x;
  }

 private:
  double eta_, s_noise_;
};
PERRIN_SAMPLER(Dpmpp2sAncestral);

}  // namespace
}  // namespace perrin::samplers
