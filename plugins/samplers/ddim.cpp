#include "ancestral.hpp"

namespace perrin::samplers {
namespace {

struct Ddim {
  static constexpr std::string_view id = "ddim", version = "0.1.0";
  static constexpr std::string_view doc =
      "Denoising diffusion implicit models (2010.02502): deterministic at eta 0, as noisy as ddpm at eta 1.";
  static std::vector<Key> keys() {
    return {Key::number("eta", "0.0", "share of ddpm's noise that each step adds").min(0).max(1)};
  }
  explicit Ddim(const Config& config) : eta_(config.number("eta")) {}

  // 2010.02502 Eq. 12, from t to s: x_s = alpha_s D + sqrt(sigma_s^2 - noise^2) eps + noise z, eps = (x_t - alpha_t D)
  // / sigma_t, with the noise of Eq. 16 for any alpha, sigma: eta sigma_s / sigma_t sqrt(sigma_t^2 - (alpha_t sigma_s /
  // alpha_s)^2)
  Handle sample(const Sampling& steps, Handle x) const {
    for (uint32_t i = 0; i < steps.steps(); ++i) {
      const auto [down, noise] = split(steps[i], steps[i + 1], eta_);
      x = first_order(steps, x, steps[i], steps.denoise(x, steps[i]), down, noise, i);
    }
    return x;
  }

 private:
  double eta_;
};
PERRIN_SAMPLER(Ddim);

}  // namespace
}  // namespace perrin::samplers
