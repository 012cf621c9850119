#include "ancestral.hpp"
#include "sde.hpp"

namespace perrin::samplers {
namespace {

struct DpmppSde {
  static constexpr std::string_view id = "dpm++sde", version = "0.1.0";
  static constexpr std::string_view aliases = "dpmpp_sde";
  static constexpr std::string_view doc =
      "DPM-Solver++ for the stochastic equation, two denoiser calls a step (k-diffusion's sample_dpmpp_sde, r = "
      "1/2). Its noise is one Brownian path, the same for every number of steps.";
  static std::vector<Key> keys() { return ancestral_keys(); }
  explicit DpmppSde(const Config& config) : eta_(config.number("eta")), s_noise_(config.number("s_noise")) {}

  Handle sample(const Sampling& steps, Handle x) const {
    for (uint32_t i = 0; i < steps.steps(); ++i) {
      const perrin_time &t = steps[i], &u = steps[i + 1];
      Handle D = steps.denoise(x, t);
      if (is_regular(t, u)) {
        const perrin_time m = midpoint(steps, t, u);
        D = steps.denoise(step(steps, x, t, D, m), m);
      }
      x = step(steps, x, t, D, u);
    }
    return x;
  }

 private:
  Handle step(const Sampling& steps, const Handle& x, const perrin_time& t, const Handle& D,
              const perrin_time& u) const {
    const auto [down, noise] = split(t, u, eta_);
    return with_brownian(steps, first_order(steps, x, t, D, down), t, u, s_noise_ * noise);
  }

  double eta_, s_noise_;
};
PERRIN_SAMPLER(DpmppSde);

}  // namespace
}  // namespace perrin::samplers
