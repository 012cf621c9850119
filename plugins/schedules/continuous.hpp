// Shared by the schedules of continuous time: u, the papers' time from 0 to 1, and t = time_scale u, what the host
// sees.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "perrin/cpp/schedule.hpp"

namespace perrin::schedules {

struct Level {
  double alpha;
  double sigma;
};

// T has  Level level(double u) const  for u_min <= u <= u_max.
template <class T>
class Continuous {
 public:
  Continuous(double scale, double u_min, double u_max) : scale_(scale), domain_{scale * u_min, scale * u_max, 0} {}

  perrin_time_domain domain() const { return domain_; }

  // t: within the domain.
  perrin_time marginal(double t) const {
    if (!(t >= domain_.t_min && t <= domain_.t_max))
      throw Failure("this schedule has the times from " + std::to_string(domain_.t_min) + " to " +
                    std::to_string(domain_.t_max) + " and was asked for " + std::to_string(t));
    const Level at = static_cast<const T&>(*this).level(t / scale_);
    return {t, at.alpha, at.sigma};
  }

 protected:
  // The host's time of u, clamped to the domain.
  double time(double u) const { return std::clamp(scale_ * u, domain_.t_min, domain_.t_max); }

 private:
  double scale_;
  perrin_time_domain domain_;
};

inline Key time_scale_key() {
  return Key::number(
             "time_scale", "1000",
             "t = time_scale u, for u from 0 to 1 the time of the formulas: networks that embed t expect 0 to 1000 "
             "or, if they were trained on u itself, 1")
      .above(0)
      .alias("num_train_timesteps");
}
inline Key u_min_key(const char* value) {
  return Key::number("u_min", value, "the cleanest time of training, in u: at u = 0 there is no noise to predict")
      .above(0)
      .max(0.1)
      .alias("sampling_eps");
}

// ---- Variance exploding: alpha = 1
// -----------------------------------------------------------------------------------

inline std::vector<Key> sigma_keys(const char* sigma_min, const char* sigma_max) {
  return {Key::number("sigma_min", sigma_min, "the lowest noise level").above(0),
          Key::number("sigma_max", sigma_max, "the highest noise level").above(0)};
}
inline void validate_sigmas(const Config& config) {
  if (config.number("sigma_min") < config.number("sigma_max")) return;
  throw Failure(PERRIN_INVALID_CONFIG,
                "sigma_min = " + std::to_string(config.number("sigma_min")) +
                    " has to be smaller than sigma_max = " + std::to_string(config.number("sigma_max")));
}

// sigma / alpha of a log SNR.
inline double sigma_of(double log_snr) { return std::exp(-log_snr / 2); }

// ---- Variance preserving: alpha^2 + sigma^2 = 1
// ----------------------------------------------------------------------

inline Level variance_preserving(double log_snr) {
  return {std::sqrt(1 / (1 + std::exp(-log_snr))), std::sqrt(1 / (1 + std::exp(log_snr)))};
}

// 2305.08891 Algorithm 1 on continuous time: alpha' = (alpha - alpha_T) alpha_0 / (alpha_0 - alpha_T), so that the last
// level is pure noise and the first stays. 1 - alpha is carried along: near the clean end alpha has lost it.
class TerminalSnr {
 public:
  // first, last: log SNR at the ends.
  TerminalSnr(bool zero, double first, double last) : zero_(zero), first_(split(first)), last_(split(last)) {}

  Level level(double log_snr) const {
    if (!zero_) return variance_preserving(log_snr);
    const auto [a, b] = split(log_snr);
    const double a_0 = first_.alpha, b_0 = first_.rest, a_T = last_.alpha;
    const double rest = (a_0 * b - a_T * b_0) / (a_0 - a_T), alpha = (a - a_T) * (a_0 / (a_0 - a_T));
    return {alpha, std::sqrt(rest * (1 + alpha))};
  }

  // The log SNR that `level` was given.
  double undo(double log_snr) const {
    if (!zero_) return log_snr;
    const auto [alpha, rest] = split(log_snr);
    const double a_0 = first_.alpha, b_0 = first_.rest, a_T = last_.alpha;
    const double a = alpha * (a_0 - a_T) / a_0 + a_T, b = (rest * (a_0 - a_T) + a_T * b_0) / a_0;
    return std::log(a * a / (b * (1 + a)));
  }

 private:
  struct Split {
    double alpha;
    double rest;  // 1 - alpha
  };
  static Split split(double log_snr) {
    const Level at = variance_preserving(log_snr);
    return {at.alpha, at.sigma * at.sigma / (1 + at.alpha)};
  }
  bool zero_;
  Split first_, last_;
};

}  // namespace perrin::schedules
