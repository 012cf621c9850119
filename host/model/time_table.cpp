#include "host/model/time_table.hpp"

#include <algorithm>
#include <cmath>

#include "host/base/error.hpp"

namespace perrin::model {

namespace {

constexpr size_t kLooks = 1025;  // at a continuous schedule

}  // namespace

double log_snr(const perrin_time& at) { return 2 * (std::log(at.alpha) - std::log(at.sigma)); }

TimeTable::TimeTable(services::Component& schedule) : schedule_(&schedule) {
  schedule_->invoke<&perrin_schedule::domain>(&domain_);
  const double width = domain_.t_max - domain_.t_min;
  if (discrete() ? width != static_cast<double>(domain_.steps) - 1 : !(width > 0)) {
    throw Error("the schedule's time domain is empty or does not have T whole times", schedule_->id(),
                "report it to the plugin's author");
  }
  const size_t n = discrete() ? domain_.steps : kLooks;
  std::vector<double> t(n), alpha(n), sigma(n);
  for (size_t i = 0; i < n; ++i)
    t[i] = discrete() ? domain_.t_min + static_cast<double>(i)
                      : domain_.t_min + width * (static_cast<double>(i) / static_cast<double>(n - 1));
  schedule_->invoke<&perrin_schedule::marginal>(uint64_t{n}, t.data(), alpha.data(), sigma.data());
  check_order(t, alpha, sigma);
  if (!discrete()) return;
  for (size_t i = 0; i < t.size(); ++i) levels_.push_back({t[i], alpha[i], sigma[i]});
}

// Samplers and laws of the noise level search by log SNR: everywhere it has to fall.
void TimeTable::check_order(const std::vector<double>& t, const std::vector<double>& alpha,
                            const std::vector<double>& sigma) const {
  for (size_t i = 1; i < t.size(); ++i)
    if (sigma[i] * alpha[i - 1] < sigma[i - 1] * alpha[i] * (1 - 1e-9))
      throw Error("the schedule's noise falls from t = " + std::to_string(t[i - 1]) + " (alpha " +
                      std::to_string(alpha[i - 1]) + ", sigma " + std::to_string(sigma[i - 1]) +
                      ") to t = " + std::to_string(t[i]) + " (alpha " + std::to_string(alpha[i]) + ", sigma " +
                      std::to_string(sigma[i]) + "); it has to rise with t",
                  schedule_->id(), "change the schedule's keys, or report it to the plugin's author");
}

perrin_time TimeTable::marginal(double t) const {
  perrin_time at{t, 0, 0};
  schedule_->invoke<&perrin_schedule::marginal>(uint64_t{1}, &t, &at.alpha, &at.sigma);
  return at;
}

perrin_time TimeTable::at(double t) const {
  t = std::clamp(t, domain_.t_min, domain_.t_max);
  if (!discrete()) return marginal(t);
  const double position = t - domain_.t_min;
  const auto below = static_cast<size_t>(position);
  const double fraction = position - static_cast<double>(below);
  if (fraction == 0) return levels_[below];
  const perrin_time &a = levels_[below], &b = levels_[below + 1];
  const double la = log_snr(a), lb = log_snr(b);
  if (!std::isfinite(la) || !std::isfinite(lb)) return fraction < 0.5 ? a : b;
  // The scale alpha^2 + sigma^2 is 1 for variance-preserving schedules and is interpolated for others.
  const double norm = (1 - fraction) * std::hypot(a.alpha, a.sigma) + fraction * std::hypot(b.alpha, b.sigma);
  const double l = (1 - fraction) * la + fraction * lb;
  return {t, norm * std::sqrt(1 / (1 + std::exp(-l))), norm * std::sqrt(1 / (1 + std::exp(l)))};
}

perrin_time TimeTable::at_log_snr(double target) const {
  if (!discrete() && schedule_->has<&perrin_schedule::t_of_log_snr>()) {
    double t = 0;
    schedule_->invoke<&perrin_schedule::t_of_log_snr>(uint64_t{1}, &target, &t);
    return at(t);
  }
  // log SNR falls with t: bisection to the last bit of a double.
  double low = domain_.t_min, high = domain_.t_max;
  if (target >= log_snr(at(low))) return at(low);
  if (target <= log_snr(at(high))) return at(high);
  for (int i = 0; i < 200 && low < high; ++i) {
    const double middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) break;
    (log_snr(at(middle)) > target ? low : high) = middle;
  }
  return at(std::abs(log_snr(at(low)) - target) <= std::abs(log_snr(at(high)) - target) ? low : high);
}

}  // namespace perrin::model
