#include <algorithm>
#include <cmath>

#include "perrin/cpp/sampler.hpp"

namespace perrin::samplers {
namespace {

struct Euler {
  static constexpr std::string_view id = "euler", version = "0.1.0";
  static constexpr std::string_view doc =
      "Euler steps of the probability flow in sigma / alpha, with optional churn (2206.00364 Algorithm 2 without its "
      "second "
      "order; k-diffusion's sample_euler). Without churn it takes ddim's steps at eta 0.";
  static std::vector<Key> keys() {
    return {Key::number("s_churn", "0.0", "noise added and removed again, over the whole sampling; 0: deterministic")
                .min(0),
            Key::number("s_tmin", "0.0", "lowest sigma / alpha that is churned").min(0),
            Key::number("s_tmax", "inf", "highest sigma / alpha that is churned").min(0),
            Key::number("s_noise", "1.0", "deviation of the churned noise").min(0)};
  }
  static void validate(const Config& config) {
    if (config.number("s_tmin") > config.number("s_tmax"))
      throw Failure(PERRIN_INVALID_CONFIG, "s_tmin is above s_tmax: no noise level would be churned");
  }
  explicit Euler(const Config& config)
      : s_churn_(config.number("s_churn")),
        s_tmin_(config.number("s_tmin")),
        s_tmax_(config.number("s_tmax")),
        s_noise_(config.number("s_noise")) {}

  Handle sample(const Sampling& steps, Handle x) const {
    for (uint32_t i = 0; i < steps.steps(); ++i) {
      const perrin_time& s = steps[i + 1];
      perrin_time t = steps[i];
      x = churn(steps, i, std::move(x), t);
      const Handle D = steps.denoise(x, t);
      // y' = y + (y - D) / s (s' - s) with y = x / alpha and s = sigma / alpha, multiplied out so that alpha = 0 is no
      // special case.
      const double k = s.sigma / t.sigma;
      x = steps.lincomb({{s.alpha - k * t.alpha, D}, {k, x}});
    }
    return x;
  }

 private:
  // Raises the noise from t to t_hat = t (1 + gamma) (Algorithm 2 lines 4-6), as far as the schedule goes; updates t.
  Handle churn(const Sampling& steps, uint32_t i, Handle x, perrin_time& t) const {
    const double sigma = t.sigma / t.alpha;
    const double gamma = std::min(s_churn_ / steps.steps(), std::sqrt(2.0) - 1);
    if (gamma == 0 || t.alpha == 0 || sigma < s_tmin_ || sigma > s_tmax_) return x;
    const perrin_time hat = steps.time_at(-2 * std::log(sigma * (1 + gamma)));
    const double sigma_hat = hat.sigma / hat.alpha;
    if (hat.alpha == 0 || !(sigma_hat > sigma)) return x;
    const double added = s_noise_ * hat.alpha * std::sqrt(sigma_hat * sigma_hat - sigma * sigma);
    x = steps.lincomb({{hat.alpha / t.alpha, x}}, added, i);
    t = hat;
    return x;
  }

  double s_churn_, s_tmin_, s_tmax_, s_noise_;
};
PERRIN_SAMPLER(Euler);

}  // namespace
}  // namespace perrin::samplers
