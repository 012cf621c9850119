// Shared by the schedules that are defined by their betas: DDPM's discrete forward process, in float64.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "perrin/cpp/schedule.hpp"

namespace perrin::schedules {

// t = 0 .. T-1: alpha(t)^2 = abar(t) = prod_{s <= t} (1 - beta_s), sigma(t)^2 = 1 - abar(t)    (2006.11239 Eq. 4)
class Discrete {
 public:
  // betas: in (0, 1). zero_terminal_snr: sqrt(abar) shifted and scaled so that its last value is 0 and its first stays
  // (2305.08891 Algorithm 1); needs two steps or more.
  Discrete(const std::vector<double>& betas, bool zero_terminal_snr) {
    double abar = 1;
    for (double beta : betas) alpha_.push_back(std::sqrt(abar *= 1 - beta));
    if (!zero_terminal_snr) return;
    const double a_0 = alpha_.front(), a_T = alpha_.back();
    for (double& a : alpha_) a = (a - a_T) * (a_0 / (a_0 - a_T));
  }

  perrin_time_domain domain() const { return {0, static_cast<double>(alpha_.size() - 1), alpha_.size()}; }

  // t: whole, within the domain.
  perrin_time marginal(double t) const {
    if (!(t >= 0) || t > domain().t_max || t != std::floor(t))
      throw Failure("this schedule has the times 0, 1, ... " + std::to_string(alpha_.size() - 1) +
                    " and was asked for " + std::to_string(t));
    const double alpha = alpha_[static_cast<size_t>(t)];
    return {t, alpha, std::sqrt(1 - alpha * alpha)};
  }

 private:
  std::vector<double> alpha_;
};

// Betas of a given abar(u), u = t / T: beta_t = 1 - abar((t + 1) / T) / abar(t / T), at most `cap`    (2102.09672
// Sec. 3.2)
template <class F>
std::vector<double> betas_of(F&& abar, int64_t steps, double cap) {
  const auto T = static_cast<double>(steps);
  std::vector<double> betas;
  for (int64_t i = 0; i < steps; ++i)
    betas.push_back(std::min(1 - abar(static_cast<double>(i + 1) / T) / abar(static_cast<double>(i) / T), cap));
  return betas;
}

// The i-th of n equally spaced values from a to b, both included.
inline double spaced(double a, double b, int64_t i, int64_t n) {
  return n == 1 ? a : a + (b - a) * (static_cast<double>(i) / static_cast<double>(n - 1));
}

inline Key steps_key() {
  return Key::integer("steps", "1000", "number T of noise levels")
      .min(1)
      .max(1e6)
      .unit("steps")
      .alias("num_train_timesteps");
}
inline Key zero_terminal_snr_key() {
  return Key::boolean(
             "zero_terminal_snr", "false",
             "shift and scale sqrt(abar) so that the last level is pure noise (2305.08891 Algorithm 1); not with "
             "parameterization epsilon")
      .alias("rescale_betas_zero_snr");
}
inline void validate_zero_terminal_snr(const Config& config) {
  if (config.boolean("zero_terminal_snr") && config.integer("steps") < 2)
    throw Failure(PERRIN_INVALID_CONFIG,
                  "zero_terminal_snr needs steps = 2 or more: a single level cannot be both the "
                  "unchanged first one and pure noise");
}

// The keys of the schedules that run from beta_start to beta_end.
inline std::vector<Key> beta_keys(const char* beta_start, const char* beta_end) {
  return {
      steps_key(), Key::number("beta_start", beta_start, "beta of the first step").above(0).below(1),
      Key::number("beta_end", beta_end, "beta of the last step").above(0).below(1), zero_terminal_snr_key(),
      Key::boolean("rescale_to_T", "false",
                   "multiply beta_start and beta_end by 1000 / steps, as guided-diffusion does, so that abar reaches "
                   "about the same end for every number of steps")};
}

// beta_start and beta_end as they enter the formula.
struct BetaRange {
  explicit BetaRange(const Config& config)
      : steps(config.integer("steps")),
        scale(config.boolean("rescale_to_T") ? 1000.0 / static_cast<double>(steps) : 1),
        start(scale * config.number("beta_start")),
        end(scale * config.number("beta_end")) {}
  int64_t steps;
  double scale;
  double start;
  double end;
};

inline void validate_betas(const Config& config) {
  validate_zero_terminal_snr(config);
  const BetaRange range(config);
  const double largest = std::max(range.start, range.end);
  if (largest < 1) return;
  const auto enough = static_cast<int64_t>(1000 * largest / range.scale) + 1;
  throw Failure(PERRIN_INVALID_CONFIG, "rescale_to_T with steps = " + std::to_string(range.steps) +
                                           " makes the largest beta " + std::to_string(largest) +
                                           ", which has to stay below 1: take steps = " + std::to_string(enough) +
                                           " or more, smaller betas, or rescale_to_T = false");
}

}  // namespace perrin::schedules
