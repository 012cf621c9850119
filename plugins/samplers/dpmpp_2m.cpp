#include "history.hpp"

namespace perrin::samplers {
namespace {

struct Dpmpp2m {
  static constexpr std::string_view id = "dpm++2m", version = "0.1.0";
  static constexpr std::string_view aliases = "dpmpp_2m";
  static constexpr std::string_view doc =
      "DPM-Solver++(2M), second-order multistep (2211.01095 Algorithm 2): one denoiser call a step. The step to "
      "sigma = 0 is of first order, as in k-diffusion and in diffusers with final_sigmas_type zero.";
  static std::vector<Key> keys() { return {}; }
  explicit Dpmpp2m(const Config&) {}

  // x' = k x + alpha' (1 - e^(-h)) ((1 + 1 / 2r) D_i - 1 / 2r D_(i-1)), r = h_(i-1) / h_i
  Handle sample(const Sampling& steps, Handle x) const {
    History D(2);
    for (uint32_t i = 0; i < steps.steps(); ++i) {
      const perrin_time &t = steps[i], &u = steps[i + 1];
      D.add(t, steps.denoise(x, t));
      const double k = u.sigma / t.sigma, w = u.alpha - k * t.alpha;
      const double c = D.size() > 1 && is_regular(D[1].at, u) ? half_over_r(D[1].at, t, u) : 0;
      if (c > 0 && are_bounded({1 + c, -c}, 1))
        x = steps.lincomb({{k, x}, {w * (1 + c), D[0].value}, {-w * c, D[1].value}});
      else
        x = first_order(steps, x, t, D[0].value, u);
    }
    return x;
  }

 private:
  static double half_over_r(const perrin_time& before, const perrin_time& t, const perrin_time& u) {
    const double r = (lambda(t) - lambda(before)) / (lambda(u) - lambda(t));
    return 1 / (2 * r);
  }
};
PERRIN_SAMPLER(Dpmpp2m);

}  // namespace
}  // namespace perrin::samplers
