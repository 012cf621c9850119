#include "history.hpp"
#include "sde.hpp"

namespace perrin::samplers {
namespace {

struct Sa {
  static constexpr std::string_view id = "sa", version = "0.1.0";
  static constexpr std::string_view aliases = "sa-solver";
  static constexpr std::string_view doc =
      "SA-Solver, stochastic Adams predictor and corrector (2309.05019 Algorithm 1, data prediction): one denoiser "
      "call a step, noise from one Brownian path. The step to sigma = 0 is of first order.";
  static std::vector<Key> keys() {
    return {
        Key::integer("predictor_order", "2", "number of evaluations that the predictor uses").min(1).max(4),
        Key::integer("corrector_order", "2", "number of evaluations that the corrector uses, its own included")
            .min(1)
            .max(4),
        Key::number("tau", "1.0",
                    "noise of the equation; 0: the probability flow, 1: the reverse of the forward process")
            .min(0),
        Key::number("s_tmin", "0.0", "lowest sigma / alpha at which tau holds; below, steps are deterministic").min(0),
        Key::number("s_tmax", "inf", "highest sigma / alpha at which tau holds").min(0),
        Key::boolean("lower_order_final", "true", "let the last steps fall to order 2 and 1, as diffusers does")};
  }
  static void validate(const Config& config) {
    if (config.number("s_tmin") > config.number("s_tmax"))
      throw Failure(PERRIN_INVALID_CONFIG, "s_tmin is above s_tmax: no noise level would have tau");
  }
  explicit Sa(const Config& config)
      : predictor_(static_cast<size_t>(config.integer("predictor_order"))),
        corrector_(static_cast<size_t>(config.integer("corrector_order"))),
        tau_(config.number("tau")),
        s_tmin_(config.number("s_tmin")),
        s_tmax_(config.number("s_tmax")),
        lower_(config.boolean("lower_order_final")) {}

  Handle sample(const Sampling& steps, Handle x) const {
    History D(std::max(predictor_, corrector_ - 1));
    Handle before, z;  // of the step that led to t: x at D[0].at, and its noise, which may be empty
    size_t order = 0;  // of the corrector of that step; 0: none
    for (uint32_t i = 0; i < steps.steps(); ++i) {
      const perrin_time &t = steps[i], &u = steps[i + 1];
      const Handle D_t = steps.denoise(x, t);
      if (order > 0) x = update(steps, before, D, order, t, &D_t, z);
      if (t.alpha > 0) D.add(t, D_t);

      const size_t left = lower_ ? steps.steps() - i : predictor_ + corrector_;
      const double tau2 = squared_tau(t);
      z = tau2 > 0 && u.sigma > 0 ? steps.brownian(t, u) : Handle();
      before = x;
      if (is_regular(t, u)) {
        order = std::min({corrector_, D.size() + 1, left + 1});
        x = update(steps, x, D, order_of(predictor_, D, left), u, nullptr, z);
      } else {
        order = 0;
        const SdeStep c(t, u, tau2);
        x = z ? steps.lincomb({{c.x, x}, {c.D, D_t}, {c.noise, z}}) : steps.lincomb({{c.x, x}, {c.D, D_t}});
      }
    }
    return x;
  }

 private:
  // tau(t)^2, piecewise constant as in the paper's experiments.
  double squared_tau(const perrin_time& t) const {
    const double s = t.sigma / t.alpha;
    return s >= s_tmin_ && s <= s_tmax_ ? tau_ * tau_ : 0;
  }

  // Predictor from D[0].at to u through `order` evaluations; with D_u corrector, D_u being the first:
  //   x_u = k e^(-tau^2 h) x + alpha_u sum_i D_i a integral of e^(-a (h - v)) l_i(v) over 0 <= v <= h + noise, a = 1 +
  //   tau^2
  Handle update(const Sampling& steps, const Handle& x, const History& D, size_t order, const perrin_time& u,
                const Handle* D_u, const Handle& z) const {
    const perrin_time& t = D[0].at;
    const double tau2 = squared_tau(t), a = 1 + tau2, h = lambda(u) - lambda(t);
    const std::vector<double> E = exponential_moments(a * h, order);
    std::vector<double> node, moment;
    if (D_u) node.push_back(h);
    for (size_t j = 0; node.size() < order; ++j) node.push_back(lambda(D[j].at) - lambda(t));
    for (size_t k = 0; k < order; ++k) moment.push_back(u.alpha * a * std::pow(h, k + 1) * std::exp(-a * h) * E[k]);
    // The authors' change at order 2, of higher order in h: of long steps no improvement, as it grows with h.
    if (order == 2 && h <= 2) moment[1] = u.alpha * a * h * h / 2;
    std::vector<double> c = lagrange_weights(node, moment);

    const SdeStep linear(t, u, tau2);
    if (order > 1 && !are_bounded(c, linear.D)) return update(steps, x, D, order - 1, u, D_u, z);
    const Term first{linear.x, x}, own{D_u ? c[0] : 0, D_u ? *D_u : x}, noise{z ? linear.noise : 0, z ? z : x};
    if (D_u) c.erase(c.begin());
    if (c.empty()) return z ? steps.lincomb({first, own, noise}) : steps.lincomb({first, own});
    if (!D_u) return z ? weighted(steps, c, D, first, noise) : weighted(steps, c, D, first);
    return z ? weighted(steps, c, D, first, own, noise) : weighted(steps, c, D, first, own);
  }

  size_t predictor_, corrector_;
  double tau_, s_tmin_, s_tmax_;
  bool lower_;
};
PERRIN_SAMPLER(Sa);

}  // namespace
}  // namespace perrin::samplers
