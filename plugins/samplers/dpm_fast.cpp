#include "dpm_solver.hpp"
#include "regular_part.hpp"

namespace perrin::samplers {
namespace {

struct DpmFast {
  static constexpr std::string_view id = "dpm-fast", version = "0.1.0";
  static constexpr std::string_view aliases = "dpm_fast";
  static constexpr std::string_view doc =
      "DPM-Solver-fast (2206.00927 Sec. 3.4): third-order single steps over three entries of the step list each, the "
      "rest, and steps too long for it, by orders 2 and 1. One denoiser call a level. The step to sigma = 0 is of "
      "first "
      "order. Its third order takes levels evenly spaced in log SNR, or nearly.";
  static std::vector<Key> keys() { return {}; }
  explicit DpmFast(const Config&) {}

  Handle sample(const Sampling& steps, Handle start) const {
    return through_regular_part(steps, std::move(start), [&](uint32_t i, uint32_t last, Handle x) {
      while (i < last) {
        const uint32_t left = last - i;
        uint32_t order = left > 3 ? 3 : left == 3 ? 2 : left;
        while (order > 1 && !is_bounded(steps[i], weight(steps, i, order))) --order;
        x = step(steps, x, i, order);
        i += order;
      }
      return x;
    });
  }

 private:
  // How often the change of D up to the last level in between, m, is counted: (s_t - s_u) / (2 r s_m) times at order 2,
  // r being m's share of the step; twice that for the stages on the way.
  static double weight(const Sampling& steps, uint32_t i, uint32_t order) {
    const perrin_time &t = steps[i], &m = steps[i + order - 1], &u = steps[i + order];
    const double r = (lambda(m) - lambda(t)) / (lambda(u) - lambda(t));
    return (noise_ratio(t, m) - noise_ratio(u, m)) / r;
  }

  static Handle step(const Sampling& steps, const Handle& x, uint32_t i, uint32_t order) {
    const DpmSolverStep solver(steps, x, steps[i]);
    const Handle x1 = solver.first(steps[i + 1]);
    if (order == 1) return x1;
    const Handle eps1 = solver.noise_at(x1, steps[i + 1]);
    if (order == 2) return solver.second(steps[i + 1], eps1, steps[i + 2]);
    const Handle x2 = solver.inner(steps[i + 1], eps1, steps[i + 2]);
    return solver.third(steps[i + 2], solver.noise_at(x2, steps[i + 2]), steps[i + 3]);
  }
};
PERRIN_SAMPLER(DpmFast);

}  // namespace
}  // namespace perrin::samplers
