#include <algorithm>
#include <cmath>
#include <optional>

#include "perrin/cpp/op.hpp"
#include "perrin/cpp/sampler.hpp"

namespace perrin::samplers {
namespace {

struct Ddpm {
  static constexpr std::string_view id = "ddpm", version = "0.1.0";
  static constexpr std::string_view doc =
      "Ancestral sampling from the forward process's posterior (2006.11239 Algorithm 2), over any list of steps.";
  static std::vector<Key> keys() {
    return {
        Key::string(
            "variance", "\"fixed-small\"",
            "variance of a step: fixed-small, the posterior's; fixed-large, the forward process's beta; learned-range, "
            "in between as the denoiser predicts. The _log names of other projects mean the same numbers")
            .choices({"fixed-small", "fixed-small-log", "fixed-large", "fixed-large-log", "learned-range"})
            .alias("variance_type")};
  }
  explicit Ddpm(const Config& config) : large_(config.string("variance").starts_with("fixed-large")) {
    if (config.string("variance") == "learned-range") learned_.emplace();
  }

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
      const double d = s.alpha * beta / (t.sigma * t.sigma), k = ratio * shrink;
      const double small = std::max(beta * shrink, 1e-20), large = std::max(beta, 1e-20);
      if (s.sigma == 0)
        x = steps.lincomb({{d, D}, {k, x}});
      else if (learned_)
        x = steps.lincomb({{d, D}, {k, x}, {1, learned_noise(steps, x, small, large, i)}});
      else
        x = steps.lincomb({{d, D}, {k, x}}, std::sqrt(large_ ? large : small), i);
    }
    return x;
  }

 private:
  // 2102.09672 Eq. 15: variance = exp(f log large + (1 - f) log small) with f = (v + 1) / 2 per element.
  Handle learned_noise(const Sampling& steps, const Handle& like, double small, double large, uint32_t draw) const {
    const Handle v = steps.variance(), z = steps.lincomb({{0, like}}, std::pow(small * large, 0.25), draw);
    return learned_->mul(z, learned_->exp(steps.lincomb({{std::log(large / small) / 4, v}})));
  }
  struct Operators {
    Op exp{"aten::exp"}, mul{"aten::mul", "Tensor"};
  };

  bool large_;
  std::optional<Operators> learned_;
};
PERRIN_SAMPLER(Ddpm);

}  // namespace
}  // namespace perrin::samplers
