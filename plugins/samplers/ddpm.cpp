#include <algorithm>
#include <cmath>

#include "perrin/cpp/sampler.hpp"

namespace perrin::samplers {
namespace {

struct Ddpm {
  static constexpr std::string_view id = "ddpm", version = "0.1.0";
  static constexpr std::string_view doc =
      "Ancestral sampling from the forward process's posterior (2006.11239 Algorithm 2), over any list of steps.";
  static std::vector<Key> keys() {
    return {Key::string(
                "variance", "\"fixed-small\"",
                "variance of a step: fixed-small, the posterior's; fixed-large, the forward process's beta. The _log "
                "names of other projects mean the same numbers")
                .choices({"fixed-small", "fixed-small-log", "fixed-large", "fixed-large-log"})
                .alias("variance_type")};
  }
  explicit Ddpm(const Config& config) : large_(config.string("variance").starts_with("fixed-large")) {}

  // From t to s, with beta = sigma_t^2 - (alpha_t / alpha_s)^2 sigma_s^2 the variance of q(x_t | x_s):
  //   mean     = alpha_s beta / sigma_t^2 D + (alpha_t / alpha_s) (sigma_s / sigma_t)^2 x_t    (2006.11239 Eq. 7)
  //   variance = beta (sigma_s / sigma_t)^2, or beta                                           (Sec. 3.2)
  // for any alpha, sigma as in 2107.00630 Eq. 25 f.; 1 - alpha_t^2 / alpha_s^2 is DDPM's beta, of strided steps too.
  Handle sample(const Sampling& steps, Handle x) const {
    for (uint32_t i = 0; i < steps.steps(); ++i) {
      const perrin_time &t = steps[i], &s = steps[i + 1];
      const Handle D = steps.denoise(x, t);
      const double ratio = t.alpha / s.alpha, shrink = std::pow(s.sigma / t.sigma, 2);
      const double beta = t.sigma * t.sigma - ratio * ratio * s.sigma * s.sigma;
      const double variance = s.sigma == 0 ? 0 : std::max(large_ ? beta : beta * shrink, 1e-20);
      x = steps.lincomb({{s.alpha * beta / (t.sigma * t.sigma), D}, {ratio * shrink, x}}, std::sqrt(variance), i);
    }
    return x;
  }

 private:
  bool large_;
};
PERRIN_SAMPLER(Ddpm);

}  // namespace
}  // namespace perrin::samplers
