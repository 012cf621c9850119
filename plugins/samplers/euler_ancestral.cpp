#include "ancestral.hpp"

namespace perrin::samplers {
namespace {

struct EulerAncestral {
  static constexpr std::string_view id = "euler-ancestral", version = "0.1.0";
  static constexpr std::string_view aliases = "euler_a euler_ancestral";
  static constexpr std::string_view doc =
      "Euler steps that go below the next noise level and add fresh noise up to it (k-diffusion's "
      "sample_euler_ancestral). At s_noise 1 these are ddim's steps with the same eta.";
  static std::vector<Key> keys() { return ancestral_keys(); }
  explicit EulerAncestral(const Config& config) : eta_(config.number("eta")), s_noise_(config.number("s_noise")) {}

  Handle sample(const Sampling& steps, Handle x) const {
    for (uint32_t i = 0; i < steps.steps(); ++i) {
      const auto [down, noise] = split(steps[i], steps[i + 1], eta_);
      x = first_order(steps, x, steps[i], steps.denoise(x, steps[i]), down, s_noise_ * noise, i);
    }
    return x;
  }

 private:
  double eta_, s_noise_;
};
PERRIN_SAMPLER(EulerAncestral);

}  // namespace
}  // namespace perrin::samplers
