#include "history.hpp"

namespace perrin::samplers {
namespace {

struct Lms {
  static constexpr std::string_view id = "lms", version = "0.1.0";
  static constexpr std::string_view doc =
      "Linear multistep method on the probability flow in sigma / alpha, the polynomial through the latest eps "
      "integrated exactly (k-diffusion's sample_lms). One denoiser call a step; the order rises from 1 and stays to "
      "the end.";
  static std::vector<Key> keys() {
    return {Key::integer("order", "4", "number of latest evaluations that a step uses").min(1).max(4)};
  }
  explicit Lms(const Config& config) : order_(static_cast<size_t>(config.integer("order"))) {}

  // y' = y + sum_i eps_i integral of l_i(s) from s to s'
  Handle sample(const Sampling& steps, Handle x) const {
    History eps(order_);
    for (uint32_t i = 0; i < steps.steps(); ++i) {
      const perrin_time &t = steps[i], &u = steps[i + 1];
      const Handle D = steps.denoise(x, t);
      if (t.alpha > 0) {
        eps.add(t, noise_in(steps, x, t, D));
        x = weighted(steps, weights(eps, u), eps, Term{u.alpha / t.alpha, x});
      } else {
        x = first_order(steps, x, t, D, u);
      }
    }
    return x;
  }

 private:
  static std::vector<double> weights(const History& eps, const perrin_time& u) {
    const auto s = [](const perrin_time& t) { return t.sigma / t.alpha; };
    const double step = s(u) - s(eps[0].at);
    std::vector<double> node, moment;
    for (size_t j = 0; j < eps.size(); ++j) {
      node.push_back(s(eps[j].at) - s(eps[0].at));
      moment.push_back(u.alpha * std::pow(step, j + 1) / static_cast<double>(j + 1));
    }
    return lagrange_weights(node, moment);
  }

  size_t order_;
};
PERRIN_SAMPLER(Lms);

}  // namespace
}  // namespace perrin::samplers
