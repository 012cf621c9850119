#include "history.hpp"

namespace perrin::samplers {
namespace {

struct UniPc {
  static constexpr std::string_view id = "unipc", version = "0.1.0";
  static constexpr std::string_view aliases = "uni_pc";
  static constexpr std::string_view doc =
      "UniPC, a multistep predictor with a corrector that needs no further denoiser call and raises the order by one "
      "(2302.04867 Algorithms 1 and 2, data prediction). The step to sigma = 0 is of first order.";
  static std::vector<Key> keys() {
    return {Key::integer("order", "2", "order of the predictor").min(1).max(3).alias("solver_order"),
            Key::string("solver", "\"bh2\"", "B(h) of the paper: bh1 is h, bh2 is e^h - 1")
                .choices({"bh1", "bh2"})
                .alias("solver_type"),
            Key::boolean("lower_order_final", "true",
                         "let the last steps fall to order 2 and 1, as the paper and diffusers do")};
  }
  explicit UniPc(const Config& config)
      : order_(static_cast<size_t>(config.integer("order"))),
        bh1_(config.string("solver") == "bh1"),
        lower_(config.boolean("lower_order_final")) {}

  Handle sample(const Sampling& steps, Handle x) const {
    History D(order_);
    Handle before;     // x at D[0].at
    size_t order = 0;  // of the step that led to t; 0: first_order, which is not corrected
    for (uint32_t i = 0; i < steps.steps(); ++i) {
      const perrin_time &t = steps[i], &u = steps[i + 1];
      const Handle D_t = steps.denoise(x, t);
      if (order > 0) x = update(steps, before, D, order, t, &D_t);
      if (t.alpha > 0) D.add(t, D_t);
      order = is_regular(t, u) ? order_of(order_, D, lower_ ? steps.steps() - i : order_) : 0;
      before = x;
      x = order > 0 ? update(steps, x, D, order, u, nullptr) : first_order(steps, x, t, D_t, u);
    }
    return x;
  }

 private:
  // UniP from D[0].at to u; with D_u, UniC (Sec. 3):
  //   x_u = k x - alpha_u (e^(-h) - 1) D_0 - alpha_u B(h) sum_j rho_j (D_j - D_0) / r_j, the last j of UniC being u
  //   itself, sum_j rho_j r_j^(m-1) = -h / B(h) integral of e^(-h (1 - v)) v^m over 0 <= v <= 1, that is m!
  //   phi_(m+1)(-h).
  Handle update(const Sampling& steps, const Handle& x, const History& D, size_t order, const perrin_time& u,
                const Handle* D_u) const {
    const perrin_time& t = D[0].at;
    const double h = lambda(u) - lambda(t), B = bh1_ ? -h : std::expm1(-h);
    const std::vector<double> E = exponential_moments(h, order + 1);
    std::vector<double> r, moment;
    for (size_t j = 1; j < order; ++j) r.push_back((lambda(D[j].at) - lambda(t)) / h);
    if (D_u) r.push_back(1);
    for (size_t m = 1; m <= r.size(); ++m) moment.push_back(-h * std::exp(-h) * E[m] / B);
    // The authors' closed form where there is one r: it is of the same order. It counts D's change |B| / 2 times, which
    // for bh1 grows with h.
    const std::vector<double> rho = r.size() == 1 && -B <= 2 ? std::vector<double>{0.5} : lagrange_weights(r, moment);

    std::vector<double> c = {-u.alpha * std::expm1(-h)};
    for (size_t j = 0; j < r.size(); ++j) {
      c.push_back(-u.alpha * B * rho[j] / r[j]);
      c[0] -= c.back();
    }
    if (order > 1 && !are_bounded(c, -u.alpha * std::expm1(-h))) return update(steps, x, D, order - 1, u, D_u);
    const double k = u.sigma / t.sigma;
    if (!D_u) return weighted(steps, c, D, Term{k, x});
    const double c_u = c.back();
    c.pop_back();
    return weighted(steps, c, D, Term{k, x}, Term{c_u, *D_u});
  }

  size_t order_;
  bool bh1_, lower_;
};
PERRIN_SAMPLER(UniPc);

}  // namespace
}  // namespace perrin::samplers
