#include "history.hpp"

namespace perrin::samplers {
namespace {

struct Ipndm {
  static constexpr std::string_view id = "ipndm", version = "0.1.0";
  static constexpr std::string_view doc =
      "Improved PNDM (2204.13902; 2202.09778 Eq. 12 with a start of orders 1 to 3 in place of Runge-Kutta): "
      "Adams-Bashforth weights of equal steps, whatever the steps are. One denoiser call a step; the order stays to "
      "the end.";
  static std::vector<Key> keys() { return {}; }
  explicit Ipndm(const Config&) {}

  Handle sample(const Sampling& steps, Handle x) const {
    History eps(4);
    for (uint32_t i = 0; i < steps.steps(); ++i) {
      const perrin_time &t = steps[i], &u = steps[i + 1];
      const Handle D = steps.denoise(x, t);
      eps.add(t, noise_in(steps, x, t, D));
      if (t.alpha > 0) {
        std::vector<double> c = adams_bashforth(eps.size());
        for (double& weight : c) weight *= noise_change(t, u);
        x = weighted(steps, c, eps, Term{u.alpha / t.alpha, x});
      } else {
        x = first_order(steps, x, t, D, u);
      }
    }
    return x;
  }
};
PERRIN_SAMPLER(Ipndm);

}  // namespace
}  // namespace perrin::samplers
