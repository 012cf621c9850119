// Figures of one column of a results file.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <string>

#include "host/console/units.hpp"

namespace perrin::app {

// Of the finite values; NaN where there is none. late: mean of the last tenth of the rows, at least one row.
struct Summary {
  double first = NAN, last = NAN, low = NAN, high = NAN, late = NAN;
};

inline Summary summary_of(std::span<const double> values) {
  Summary s;
  double sum = 0, n = 0;
  const size_t tail = values.size() - std::max<size_t>(1, values.size() / 10);
  for (size_t i = 0; i < values.size(); ++i) {
    const double value = values[i];
    if (!std::isfinite(value)) continue;
    if (std::isnan(s.first)) s.first = value;
    s.last = value;
    s.low = std::isnan(s.low) ? value : std::min(s.low, value);
    s.high = std::isnan(s.high) ? value : std::max(s.high, value);
    if (i >= tail) sum += value, n += 1;
  }
  s.late = n > 0 ? sum / n : NAN;
  return s;
}

// A value in the unit of its column.
inline std::string with_unit(double value, const std::string& unit) {
  if (!std::isfinite(value)) return std::isnan(value) ? "-" : console::number(value);
  if (unit == "B") return console::bytes(value);
  if (unit == "s" && value >= 60) return console::duration(value);
  return console::number(value) + (unit.empty() ? "" : " " + unit);
}

}  // namespace perrin::app
