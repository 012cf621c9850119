// The words of a progress bar: pure functions of a state, and the estimate of its rate.
#pragma once

#include <cmath>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include "host/console/terminal.hpp"

namespace perrin::console {

struct ProgressState {
  std::string label, unit;      // "train", "step"
  int64_t done = 0, total = 0;  // total 0: unknown
  double rate = 0;              // units per second; 0: unknown
  double elapsed = 0;           // seconds
  double loss = NAN;            // NaN: none
};

// "train ━━━━━╸───  45% 450/1000  12.3 step/s  eta 0:44  loss 0.0123", at most terminal.width - 1 columns, so that no
// terminal wraps it.
std::string progress_line(const ProgressState& state, const Terminal& terminal);

// The same in words, for logs: "train: 450/1000 (45 %), 12.3 step/s, eta 0:44, loss 0.0123".
std::string progress_plain(const ProgressState& state);

// Units per second over the last ten seconds.
class Rate {
 public:
  void add(double seconds, int64_t done);
  double per_second() const;  // 0 before there are two moments

 private:
  std::deque<std::pair<double, int64_t>> moments_;  // at most four per second
};

}  // namespace perrin::console
