#include "history.hpp"

namespace perrin::samplers {
namespace {

struct Deis {
  static constexpr std::string_view id = "deis", version = "0.1.0";
  static constexpr std::string_view doc =
      "Diffusion exponential integrator, multistep, with eps interpolated in log(sigma / alpha) (2204.13902 Sec. 3, "
      "log-rho). One denoiser call a step. The step to sigma = 0 is of first order.";
  static std::vector<Key> keys() {
    return {
        Key::integer("order", "2", "number of latest evaluations that a step uses").min(1).max(3).alias("solver_order"),
        Key::boolean("lower_order_final", "true",
                     "let the last two steps of fewer than 15 fall to order 2 and 1, as diffusers does")};
  }
  explicit Deis(const Config& config)
      : order_(static_cast<size_t>(config.integer("order"))), lower_(config.boolean("lower_order_final")) {}

  // y' = y + sum_i eps_i integral of l_i(log s) ds from s to s'
  Handle sample(const Sampling& steps, Handle x) const {
    History eps(order_);
    const uint32_t n = steps.steps();
    for (uint32_t i = 0; i < n; ++i) {
      const perrin_time &t = steps[i], &u = steps[i + 1];
      const Handle D = steps.denoise(x, t);
      if (t.alpha > 0) eps.add(t, noise_in(steps, x, t, D));
      if (is_regular(t, u)) {
        const size_t order = order_of(order_, eps, lower_ && n < 15 ? n - i : order_);
        x = weighted(steps, weights(eps, order, u), eps, Term{u.alpha / t.alpha, x});
      } else {
        x = first_order(steps, x, t, D, u);
      }
    }
    return x;
  }

 private:
  // With v = log(s_t / s): ds = -s_t e^(-v) dv.
  static std::vector<double> weights(const History& eps, size_t order, const perrin_time& u) {
    const perrin_time& t = eps[0].at;
    const double h = lambda(u) - lambda(t);
    const std::vector<double> E = exponential_moments(-h, order);
    std::vector<double> node, moment;
    for (size_t j = 0; j < order; ++j) {
      node.push_back(lambda(eps[j].at) - lambda(t));
      moment.push_back(-u.alpha * t.sigma / t.alpha * std::pow(h, j + 1) * E[j]);
    }
    return lagrange_weights(node, moment);
  }

  size_t order_;
  bool lower_;
};
PERRIN_SAMPLER(Deis);

}  // namespace
}  // namespace perrin::samplers
