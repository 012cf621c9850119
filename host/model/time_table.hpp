// The schedule as the run and the samplers see it: noise levels at any time, and times at any noise level.
#pragma once

#include <perrin/kind/schedule.h>

#include <vector>

#include "host/services/component.hpp"

namespace perrin::model {

class TimeTable {
 public:
  TimeTable() = default;  // of no schedule: to be assigned to before use
  // Asks a discrete schedule for all of its T levels once, so it has been told the resolution. `schedule` is borrowed.
  explicit TimeTable(services::Component& schedule);

  const perrin_time_domain& domain() const { return domain_; }
  bool discrete() const { return domain_.steps > 0; }

  // alpha and sigma at t. Between the whole times of a discrete schedule log SNR is interpolated linearly; below t_min
  // and above t_max the end's level holds.
  perrin_time at(double t) const;

  // The time with log(alpha^2 / sigma^2) = log_snr, clamped to the domain.
  perrin_time at_log_snr(double log_snr) const;

 private:
  perrin_time marginal(double t) const;
  void check_order(const std::vector<double>& t, const std::vector<double>& alpha,
                   const std::vector<double>& sigma) const;

  services::Component* schedule_ = nullptr;
  perrin_time_domain domain_{};
  std::vector<perrin_time> levels_;  // [T] of a discrete schedule
};

// log(alpha^2 / sigma^2); +-infinity at the ends.
double log_snr(const perrin_time& at);

}  // namespace perrin::model
