#include "host/sample/steps.hpp"

#include <algorithm>
#include <cmath>

#include "host/base/error.hpp"

namespace perrin::sample {

std::vector<int64_t> spaced_timesteps(int64_t T, int64_t n, const std::string& spacing, int64_t offset) {
  if (n < 1 || n > T) {
    throw Error("a schedule of " + std::to_string(T) + " steps cannot be sampled in " + std::to_string(n), "sampler.steps",
                "give 1 to " + std::to_string(T));
  }
  std::vector<int64_t> t;
  const double step = static_cast<double>(T) / static_cast<double>(n);
  for (int64_t i = 0; i < n; ++i) {
    const double x = static_cast<double>(i);
    if (spacing == "leading") t.push_back((n - 1 - i) * (T / n) + offset);
    if (spacing == "trailing") t.push_back(std::llrint(static_cast<double>(T) - x * step) - 1);
    if (spacing == "linspace")
      t.push_back(n == 1 ? 0 : std::llrint(static_cast<double>((n - 1 - i) * (T - 1)) / static_cast<double>(n - 1)));
  }
  if (t.empty()) throw Error("there is no spacing \"" + spacing + "\"", "sampler.spacing", "leading, trailing or linspace");
  if (t.front() >= T) {
    throw Error("spacing \"leading\" with offset " + std::to_string(offset) + " reaches t = " + std::to_string(t.front()) +
                    ", but the last step is " + std::to_string(T - 1),
                "sampler.offset", "lower the offset");
  }
  return t;
}

std::vector<perrin_time> sampling_times(const run::TimeTable& table, int64_t n, const std::string& spacing,
                                        int64_t offset) {
  const perrin_time_domain& domain = table.domain();
  std::vector<perrin_time> times;
  if (table.discrete()) {
    for (int64_t t : spaced_timesteps(static_cast<int64_t>(domain.steps), n, spacing, offset))
      times.push_back(table.at(domain.t_min + static_cast<double>(t)));
  } else {
    const double width = domain.t_max - domain.t_min, count = static_cast<double>(n);
    const double shift = spacing == "leading" ? 1 : 0;
    const double parts = spacing == "linspace" ? std::max(count - 1, 1.0) : count;
    for (int64_t i = 0; i < n; ++i)
      times.push_back(table.at(domain.t_max - width * (static_cast<double>(i) + shift) / parts));
  }
  times.push_back({domain.t_min, 1, 0});
  return times;
}

}  // namespace perrin::sample
