// Langevin-like churn of 2206.00364 Algorithm 2, for the samplers that offer it.
#pragma once

#include "step.hpp"

namespace perrin::samplers {

class Churn {
 public:
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
  explicit Churn(const Config& config)
      : s_churn_(config.number("s_churn")),
        s_tmin_(config.number("s_tmin")),
        s_tmax_(config.number("s_tmax")),
        s_noise_(config.number("s_noise")) {}

  // Raises the noise of step i from t to t_hat = t (1 + gamma) (lines 4-6), as far as the schedule goes; updates t.
  Handle raise(const Sampling& steps, uint32_t i, Handle x, perrin_time& t) const {
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

 private:
  double s_churn_, s_tmin_, s_tmax_, s_noise_;
};

}  // namespace perrin::samplers
