#include "heun_step.hpp"

namespace perrin::samplers {
namespace {

struct Restart {
  static constexpr std::string_view id = "restart", version = "0.1.0";
  static constexpr std::string_view doc =
      "Restart sampling (2306.14878 Algorithm 1): Heun's steps, and for each interval [s_min, s_max] of sigma / "
      "alpha, at the first level at or below s_min, noise up to s_max and back again, several times. The way back "
      "has steps of its own, besides the step list's.";
  static std::vector<Key> keys() {
    return {Key::numbers("s_min", "[0.06]", "lower end of each interval").above(0),
            Key::numbers("s_max", "[0.3]", "upper end of each interval").above(0),
            Key::integers("repeats", "[3]", "how often each interval is gone through (the paper's K)").min(1),
            Key::integers("interval_steps", "[3]", "steps of one way back, rho 7 apart (the paper's N_restart)")
                .min(1)
                .unit("steps")};
  }
  static void validate(const Config& config) {
    const std::vector<double> low = config.numbers("s_min"), high = config.numbers("s_max");
    if (high.size() != low.size() || config.integers("repeats").size() != low.size() ||
        config.integers("interval_steps").size() != low.size())
      throw Failure(PERRIN_INVALID_CONFIG, "s_min, s_max, repeats and interval_steps need one entry for each interval");
    for (size_t i = 0; i < low.size(); ++i)
      if (low[i] >= high[i]) throw Failure(PERRIN_INVALID_CONFIG, "each s_min must be below its s_max");
  }
  explicit Restart(const Config& config)
      : s_min_(config.numbers("s_min")),
        s_max_(config.numbers("s_max")),
        repeats_(config.integers("repeats")),
        interval_steps_(config.integers("interval_steps")) {}

  Handle sample(const Sampling& steps, Handle x) const {
    uint32_t draw = 0;
    for (uint32_t i = 0; i < steps.steps(); ++i) {
      const perrin_time &t = steps[i], &u = steps[i + 1];
      x = heun_step(steps, x, t, u);
      for (size_t j = 0; j < s_min_.size(); ++j)
        if (u.sigma > 0 && u.sigma <= s_min_[j] * u.alpha && t.sigma > s_min_[j] * t.alpha)
          for (int64_t k = 0; k < repeats_[j]; ++k) x = up_and_back(steps, x, u, j, draw++);
    }
    return x;
  }

 private:
  Handle up_and_back(const Sampling& steps, Handle x, const perrin_time& u, size_t j, uint32_t draw) const {
    perrin_time t = steps.time_at(-2 * std::log(s_max_[j]));
    const double s = u.sigma / u.alpha, s_max = t.sigma / t.alpha;
    if (!(s_max > s)) return x;
    x = steps.lincomb({{t.alpha / u.alpha, x}}, t.alpha * std::sqrt(s_max * s_max - s * s), draw);
    // 2206.00364 Eq. 5 between s_max and s.
    const auto n = static_cast<double>(interval_steps_[j]);
    for (double i = 1; i <= n; ++i) {
      const double root = std::pow(s_max, 1. / 7) + i / n * (std::pow(s, 1. / 7) - std::pow(s_max, 1. / 7));
      const perrin_time next = i < n ? steps.time_at(-14 * std::log(root)) : u;
      x = heun_step(steps, x, t, next);
      t = next;
    }
    return x;
  }

  std::vector<double> s_min_, s_max_;
  std::vector<int64_t> repeats_, interval_steps_;
};
PERRIN_SAMPLER(Restart);

}  // namespace
}  // namespace perrin::samplers
