#include "history.hpp"

namespace perrin::samplers {
namespace {

struct Pndm {
  static constexpr std::string_view id = "pndm", version = "0.1.0";
  static constexpr std::string_view doc =
      "Pseudo numerical methods (2202.09778 Algorithm 2, F-PNDM): three Runge-Kutta steps of four denoiser calls "
      "each, two of them half way in time, then linear multistep ones of one call. The order stays to the end.";
  static std::vector<Key> keys() {
    return {Key::boolean("skip_prk_steps", "false",
                         "start with one step of two calls and rising orders instead (PLMS of latent diffusion)")};
  }
  explicit Pndm(const Config& config) : skip_prk_(config.boolean("skip_prk_steps")) {}

  Handle sample(const Sampling& steps, Handle x) const {
    History eps(4);
    for (uint32_t i = 0; i < steps.steps(); ++i) {
      const perrin_time &t = steps[i], &u = steps[i + 1];
      const Handle D = steps.denoise(x, t);
      eps.add(t, noise_in(steps, x, t, D));
      const bool starts = eps.size() < (skip_prk_ ? 2 : 4);
      if (t.alpha == 0 || (starts && !can_start(t, u)))
        x = first_order(steps, x, t, D, u);
      else if (!starts)
        x = multistep(steps, x, eps, u);
      else
        x = skip_prk_ ? improved_euler(steps, x, t, eps[0].value, u) : runge_kutta(steps, x, t, eps[0].value, u);
    }
    return x;
  }

 private:
  // The last of r = s_t / s_u times as much noise counts the changes of D of Runge-Kutta's stages up to r (r - 1) / 6
  // times, that of improved_euler (r - 1) / 2 times.
  bool can_start(const perrin_time& t, const perrin_time& u) const {
    if (u.sigma == 0) return true;
    const double r = noise_ratio(t, u);
    return is_bounded(t, skip_prk_ ? (r - 1) / 2 : r * (r - 1) / 6);
  }

  // Eq. 12
  static Handle multistep(const Sampling& steps, const Handle& x, const History& eps, const perrin_time& u) {
    const perrin_time& t = eps[0].at;
    std::vector<double> c = adams_bashforth(eps.size());
    for (double& weight : c) weight *= noise_change(t, u);
    return weighted(steps, c, eps, Term{u.alpha / t.alpha, x});
  }

  // Eq. 13, along Eq. 9. To sigma = 0, where there is no eps, along e1 alone.
  static Handle runge_kutta(const Sampling& steps, const Handle& x, const perrin_time& t, const Handle& e1,
                            const perrin_time& u) {
    if (u.sigma == 0) return along_noise(steps, x, t, e1, u);
    const perrin_time m = halfway_in_time(steps, t, u);
    const auto eps = [&](const perrin_time& at, const Handle& along) {
      const Handle moved = along_noise(steps, x, t, along, at);
      return noise_in(steps, moved, at, steps.denoise(moved, at));
    };
    const Handle e2 = eps(m, e1), e3 = eps(m, e2), e4 = eps(u, e3);
    const double d = noise_change(t, u) / 6;
    return steps.lincomb({{u.alpha / t.alpha, x}, {d, e1}, {2 * d, e2}, {2 * d, e3}, {d, e4}});
  }

  // The mean of both ends' eps.
  static Handle improved_euler(const Sampling& steps, const Handle& x, const perrin_time& t, const Handle& e1,
                               const perrin_time& u) {
    const Handle euler = along_noise(steps, x, t, e1, u);
    if (u.sigma == 0) return euler;
    const Handle e2 = noise_in(steps, euler, u, steps.denoise(euler, u));
    const double half = noise_change(t, u) / 2;
    return steps.lincomb({{u.alpha / t.alpha, x}, {half, e1}, {half, e2}});
  }

  // The level at (t.t + u.t) / 2, by bisection: the method is one in the schedule's time.
  static perrin_time halfway_in_time(const Sampling& steps, const perrin_time& t, const perrin_time& u) {
    double noisier = lambda(t), cleaner = lambda(u);
    for (int i = 0; i < 60; ++i) {
      const double middle = (noisier + cleaner) / 2;
      (level_at(steps, middle).t > (t.t + u.t) / 2 ? noisier : cleaner) = middle;
    }
    return level_at(steps, (noisier + cleaner) / 2);
  }

  bool skip_prk_;
};
PERRIN_SAMPLER(Pndm);

}  // namespace
}  // namespace perrin::samplers
