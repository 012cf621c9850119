#include "history.hpp"
#include "sde.hpp"

namespace perrin::samplers {
namespace {

struct Dpmpp3mSde {
  static constexpr std::string_view id = "dpm++3m-sde", version = "0.1.0";
  static constexpr std::string_view aliases = "dpmpp_3m_sde";
  static constexpr std::string_view doc =
      "SDE-DPM-Solver++(3M), multistep on three evaluations of D (k-diffusion's sample_dpmpp_3m_sde): one denoiser "
      "call a step, noise from one Brownian path, the same for every number of steps. The step to sigma = 0 is of "
      "first order. Of second order at eta 0, because as in k-diffusion half of D's second difference enters.";
  static std::vector<Key> keys() {
    return {Key::number("eta", "1.0", "share of the reverse equation's noise; 0: the probability flow").min(0),
            Key::number("s_noise", "1.0", "deviation of the added noise").min(0)};
  }
  explicit Dpmpp3mSde(const Config& config) : eta_(config.number("eta")), s_noise_(config.number("s_noise")) {}

  Handle sample(const Sampling& steps, Handle x) const {
    History D(3);
    for (uint32_t i = 0; i < steps.steps(); ++i) {
      const perrin_time &t = steps[i], &u = steps[i + 1];
      const Handle D_t = steps.denoise(x, t);
      if (t.alpha > 0) D.add(t, D_t);
      const SdeStep c(t, u, eta_);
      if (is_regular(t, u)) {
        size_t order = D.size();
        std::vector<double> w = slopes(D, order, u);
        while (!are_bounded(w, c.D)) w = slopes(D, --order, u);
        w[0] += c.D;
        x = weighted(steps, w, D, Term{c.x, x});
      } else {
        x = steps.lincomb({{c.x, x}, {c.D, D_t}});
      }
      x = with_brownian(steps, x, t, u, s_noise_ * c.noise);
    }
    return x;
  }

 private:
  // alpha_u (phi_2 d1 - phi_3 d2) as weights of the latest `order` D, with d1, d2 their first and second difference per
  // h.
  std::vector<double> slopes(const History& D, size_t order, const perrin_time& u) const {
    if (order == 1) return {0};
    const double h = lambda(u) - lambda(D[0].at), H = (1 + eta_) * h;
    const double phi_2 = std::expm1(-H) / H + 1, phi_3 = phi_2 / H - 0.5;
    const double r0 = (lambda(D[0].at) - lambda(D[1].at)) / h, d = u.alpha * phi_2 / r0;
    if (order == 2) return {d, -d};
    // d1 = d_0 + (d_0 - d_1) r0 / (r0 + r1), d2 = (d_0 - d_1) / (r0 + r1); d_j = (D_j - D_(j+1)) / r_j
    const double r1 = (lambda(D[1].at) - lambda(D[2].at)) / h, e = u.alpha * (phi_2 * r0 - phi_3) / (r0 + r1);
    return {d + e / r0, -d - e / r0 - e / r1, e / r1};
  }

  double eta_, s_noise_;
};
PERRIN_SAMPLER(Dpmpp3mSde);

}  // namespace
}  // namespace perrin::samplers
