#include <algorithm>
#include <cmath>

#include "perrin/cpp/sampler.hpp"

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
  // / sigma_t
  Handle sample(const Sampling& steps, Handle x) const {
    for (uint32_t i = 0; i < steps.steps(); ++i) {
      const perrin_time &t = steps[i], &s = steps[i + 1];
      const Handle D = steps.denoise(x, t);
      const double noise = eta_ * posterior_deviation(t, s);
      const double k = std::sqrt(s.sigma * s.sigma - noise * noise) / t.sigma;
      x = steps.lincomb({{s.alpha - k * t.alpha, D}, {k, x}}, noise, i);
    }
    return x;
  }

 private:
  // Eq. 16 at eta 1, for any alpha, sigma: sigma_s / sigma_t sqrt(sigma_t^2 - (alpha_t sigma_s / alpha_s)^2)
  static double posterior_deviation(const perrin_time& t, const perrin_time& s) {
    return s.sigma * std::sqrt(std::max(0.0, 1 - std::pow(t.alpha * s.sigma / (s.alpha * t.sigma), 2)));
  }

  double eta_;
};
PERRIN_SAMPLER(Ddim);

}  // namespace
}  // namespace perrin::samplers
