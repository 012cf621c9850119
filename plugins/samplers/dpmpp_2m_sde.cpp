#include "history.hpp"
#include "sde.hpp"

namespace perrin::samplers {
namespace {

struct Dpmpp2mSde {
  static constexpr std::string_view id = "dpm++2m-sde", version = "0.1.0";
  static constexpr std::string_view aliases = "dpmpp_2m_sde";
  static constexpr std::string_view doc =
      "SDE-DPM-Solver++(2M), multistep (2211.01095 Sec. 5; k-diffusion's sample_dpmpp_2m_sde): one denoiser call a "
      "step, noise from one Brownian path, the same for every number of steps. The step to sigma = 0 is of first "
      "order.";
  static std::vector<Key> keys() {
    return {Key::number("eta", "1.0", "share of the reverse equation's noise; 0: the probability flow").min(0),
            Key::number("s_noise", "1.0", "deviation of the added noise").min(0),
            Key::string("solver", "\"midpoint\"", "how the slope of D is integrated: midpoint, or heun, which is exact")
                .choices({"midpoint", "heun"})
                .alias("solver_type")};
  }
  explicit Dpmpp2mSde(const Config& config)
      : eta_(config.number("eta")), s_noise_(config.number("s_noise")), heun_(config.string("solver") == "heun") {}

  Handle sample(const Sampling& steps, Handle x) const {
    History D(2);
    for (uint32_t i = 0; i < steps.steps(); ++i) {
      const perrin_time &t = steps[i], &u = steps[i + 1];
      D.add(t, steps.denoise(x, t));
      const SdeStep c(t, u, eta_);
      double slope = 0;
      if (D.size() > 1 && is_regular(D[1].at, u)) {
        const double h = lambda(u) - lambda(t), H = (1 + eta_) * h, per_h = h / (lambda(t) - lambda(D[1].at));
        slope = u.alpha * per_h * (heun_ ? std::expm1(-H) / H + 1 : -std::expm1(-H) / 2);
        if (eta_ == 0 && !are_bounded({c.D + slope, -slope}, c.D)) slope = 0;  // the bound is of the flow
      }
      x = slope == 0 ? steps.lincomb({{c.x, x}, {c.D, D[0].value}})
                     : steps.lincomb({{c.x, x}, {c.D + slope, D[0].value}, {-slope, D[1].value}});
      x = with_brownian(steps, x, t, u, s_noise_ * c.noise);
    }
    return x;
  }

 private:
  double eta_, s_noise_;
  bool heun_;
};
PERRIN_SAMPLER(Dpmpp2mSde);

}  // namespace
}  // namespace perrin::samplers
