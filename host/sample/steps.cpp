#include "host/sample/steps.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "host/base/error.hpp"
#include "host/config/host_tables.hpp"
#include "host/sample/step_levels.hpp"

namespace perrin::sample {
namespace {

constexpr std::string_view kTable = "sampler.";
constexpr double kBeyond = 1e-3;    // relative; lists are written with three or four digits
constexpr int64_t kLcmLevels = 50;  // of the solver that consistency models are distilled from

[[noreturn]] void refuse(const char* key, const std::string& what, const std::string& fix) {
  throw Error(what, std::string(kTable) + key, fix);
}

std::string text(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.6g", value);
  return buffer;
}

constexpr const char* kSpacings = "take trailing, or another spacing";

// x_T is noise: one step from a lower level would leave some in.
[[noreturn]] void refuse_late(const std::string& spacing, double t) {
  refuse("steps",
         "the one step of spacing \"" + spacing + "\" would begin at t = " + text(t) + " and not at the noisiest",
         "take spacing = \"trailing\", or more steps");
}

double noise(const perrin_time& at) { return at.sigma / at.alpha; }

// sigma / alpha at the schedule's ends, infinite or 0 at pure ones.
NoiseRange range_of(const model::TimeTable& table) {
  return {noise(table.at(table.domain().t_min)), noise(table.at(table.domain().t_max))};
}

// The ends of a spacing in sigma.
NoiseRange finite_range(const model::TimeTable& table, const std::string& spacing) {
  const NoiseRange range = range_of(table);
  if (std::isfinite(range.high) && range.low > 0) return range;
  refuse("spacing",
         "spacing \"" + spacing + "\" divides the range of sigma / alpha, and this schedule's has no " +
             (range.low > 0 ? "upper end: its last level is pure noise" : "lower end: its first level has no noise"),
         "take trailing, linspace or beta, which divide time; or a schedule that does not end in pure noise "
         "(zero_terminal_snr = false)");
}

// The schedule's level with this sigma / alpha: t is interpolated, the ratio kept to the last bit.
perrin_time at_noise(const model::TimeTable& table, double sigma) {
  perrin_time at = table.at_log_snr(-2 * std::log(sigma));
  const double scale = std::hypot(at.alpha, at.sigma) / std::hypot(1, sigma);
  return {at.t, scale, scale * sigma};
}

void add_levels(std::vector<perrin_time>& times, const model::TimeTable& table, const std::vector<double>& sigmas) {
  for (double sigma : sigmas) times.push_back(at_noise(table, sigma));
}

// A continuous schedule's time from t_max to t_min: the first level leaves `shift` of `parts` intervals out.
struct Cut {
  double shift, parts;
};
Cut cut_of(const config::Sampling& s) {
  const double n = static_cast<double>(s.steps);
  if (s.spacing == "leading") return {1, n};
  if (s.spacing == "leading-dpm") return {1, n + 1};
  return {0, s.spacing == "linspace" ? std::max(n - 1, 1.0) : n};
}

void add_spaced(std::vector<perrin_time>& times, const model::TimeTable& table, const config::Sampling& s) {
  const perrin_time_domain& domain = table.domain();
  if (table.discrete()) {
    for (int64_t t : spaced_timesteps(static_cast<int64_t>(domain.steps), s.steps, s.spacing, s.offset))
      times.push_back(table.at(domain.t_min + static_cast<double>(t)));
    return;
  }
  if (s.offset > 0) refuse("offset", "a continuous schedule has no whole steps to add", "leave offset out");
  if (s.spacing == "lcm")
    refuse("spacing", "spacing \"lcm\" counts whole times, and this schedule is continuous", kSpacings);
  const double width = domain.t_max - domain.t_min;
  const auto [shift, parts] = cut_of(s);
  if (s.steps == 1 && shift > 0) refuse_late(s.spacing, domain.t_max - width * shift / parts);
  for (int64_t i = 0; i < s.steps; ++i)
    times.push_back(table.at(domain.t_max - width * (static_cast<double>(i) + shift) / parts));
}

// FlowMatchEulerDiscreteScheduler's: its sigmas are shifted when it is made, and again when its times are set.
void add_flow_match(std::vector<perrin_time>& times, const model::TimeTable& table, int64_t n) {
  const double t_max = table.domain().t_max;
  const perrin_time last = table.at(t_max / 1000);
  if (table.discrete() || std::abs(last.alpha + last.sigma - 1) > 1e-9 || table.at(t_max).alpha != 0)
    refuse("spacing", "spacing \"flow-match\" is of a straight path from noise to data, and this schedule is none",
           kSpacings);
  const double step = (1 - last.sigma) / static_cast<double>(std::max<int64_t>(1, n - 1));
  for (int64_t i = 0; i < n; ++i) times.push_back(table.at(t_max * (1 - step * static_cast<double>(i))));
}

void add_beta(std::vector<perrin_time>& times, const model::TimeTable& table, int64_t n) {
  const perrin_time_domain& domain = table.domain();
  for (double q : beta_quantiles(n)) times.push_back(table.at(domain.t_min + q * (domain.t_max - domain.t_min)));
}

// `steps` may stay at its default; anything else is the list's own length.
void check_count(const config::Sampling& s, size_t n, const char* key) {
  const config::Key* steps = config::find_key(config::sampler_table().keys, "steps");
  if (s.steps == static_cast<int64_t>(n) || steps->default_value == config::Value(s.steps)) return;
  refuse("steps", "steps = " + std::to_string(s.steps) + ", and \"" + key + "\" lists " + std::to_string(n) + " levels",
         "leave steps out, or list as many");
}

// A final 0 is the clean end, which every list has anyway.
void add_given_sigmas(std::vector<perrin_time>& times, const model::TimeTable& table, const config::Sampling& s) {
  std::vector<double> sigmas = s.sigmas;
  if (sigmas.size() > 1 && sigmas.back() == 0) sigmas.pop_back();
  check_count(s, sigmas.size(), "sigmas");
  const NoiseRange range = range_of(table);
  for (double sigma : sigmas)
    if (!std::isfinite(sigma) || sigma < range.low * (1 - kBeyond) || sigma > range.high * (1 + kBeyond) || sigma == 0)
      refuse("sigmas",
             "sigma / alpha = " + text(sigma) + " is not within the schedule's " + text(range.low) + " to " +
                 text(range.high),
             "give levels that the network was trained on, falling");
  add_levels(times, table, sigmas);
}

void add_given_times(std::vector<perrin_time>& times, const model::TimeTable& table, const config::Sampling& s) {
  check_count(s, s.times.size(), "times");
  const perrin_time_domain& domain = table.domain();
  for (double t : s.times) {
    if (!(t >= domain.t_min && t <= domain.t_max))
      refuse("times",
             "t = " + text(t) + " is not within the schedule's " + text(domain.t_min) + " to " + text(domain.t_max),
             "give times of the schedule, the noisiest first");
    times.push_back(table.at(t));
  }
}

void add_custom(std::vector<perrin_time>& times, const model::TimeTable& table, const config::Sampling& s) {
  if (s.times.empty() == s.sigmas.empty())
    refuse("spacing", s.times.empty() ? "spacing \"custom\" has no list" : "both \"times\" and \"sigmas\" are listed",
           "give one of times = [...] and sigmas = [...], the noisiest first");
  s.times.empty() ? add_given_sigmas(times, table, s) : add_given_times(times, table, s);
}

void add_final(std::vector<perrin_time>& times, const model::TimeTable& table, const config::Sampling& s) {
  const perrin_time lowest = table.at(table.domain().t_min);
  if (!s.to_lowest)
    times.push_back({lowest.t, 1, 0});
  else if (noise(times.back()) > noise(lowest) * (1 + 1e-9))
    times.push_back(lowest);
  if (times.size() == 1)
    refuse("final", "the only level is the lowest, where final = \"lowest\" ends: there is no step",
           "set final = \"zero\", or begin at a noisier level");
}

// A list that repeats a level, or goes back, is no way to the clean end.
void check_falling(const std::vector<perrin_time>& times, const config::Sampling& s) {
  const char* key = s.spacing != "custom" ? "steps" : s.times.empty() ? "sigmas" : "times";
  for (size_t i = 0; i + 1 < times.size(); ++i) {
    const perrin_time &a = times[i], &b = times[i + 1];
    if (a.sigma * b.alpha > b.sigma * a.alpha) continue;
    refuse(key,
           "the noise does not fall from level " + std::to_string(i + 1) + " (t = " + text(a.t) + ") to level " +
               std::to_string(i + 2) + " (t = " + text(b.t) + ")",
           s.spacing == "custom" ? "list each level once, the noisiest first" : "take fewer steps or another spacing");
  }
}

}  // namespace

std::vector<int64_t> spaced_timesteps(int64_t T, int64_t n, const std::string& spacing, int64_t offset) {
  if (n < 1 || n > T)
    refuse("steps", "a schedule of " + std::to_string(T) + " steps cannot be sampled in " + std::to_string(n),
           "give 1 to " + std::to_string(T));
  if (spacing == "lcm" && (n > kLcmLevels || T < kLcmLevels))
    refuse("steps", "spacing \"lcm\" takes its times from 50 of the schedule's",
           "give 1 to 50 steps of 50 times or more");
  std::vector<int64_t> t;
  const double step = static_cast<double>(T) / static_cast<double>(n);
  const auto even = [&](int64_t i, int64_t parts) {  // i of `parts` intervals from 0 to T - 1
    return parts == 0 ? T - 1 : std::llrint(static_cast<double>(i * (T - 1)) / static_cast<double>(parts));
  };
  for (int64_t i = 0; i < n; ++i) {
    if (spacing == "leading") t.push_back((n - 1 - i) * (T / n) + offset);
    if (spacing == "trailing") t.push_back(std::llrint(static_cast<double>(T) - static_cast<double>(i) * step) - 1);
    if (spacing == "linspace") t.push_back(even(n - 1 - i, n - 1));
    if (spacing == "leading-dpm") t.push_back((n - i) * (T / (n + 1)) + offset);
    if (spacing == "linspace-dpm") t.push_back(even(n - i, n));
    if (spacing == "lcm") t.push_back((kLcmLevels - i * kLcmLevels / n) * (T / kLcmLevels) - 1);
  }
  if (t.empty()) refuse("spacing", "there is no spacing \"" + spacing + "\"", "leading, trailing or linspace");
  if (n == 1 && t.front() < T - 1) refuse_late(spacing, static_cast<double>(t.front()));
  if (t.front() >= T)
    refuse("offset",
           "spacing \"" + spacing + "\" with offset " + std::to_string(offset) +
               " reaches t = " + std::to_string(t.front()) + ", but the last step is " + std::to_string(T - 1),
           "lower the offset");
  return t;
}

std::vector<perrin_time> sampling_times(const model::TimeTable& table, const config::Sampling& s) {
  std::vector<perrin_time> times;
  if (s.spacing != "custom" && !(s.times.empty() && s.sigmas.empty()))
    refuse("spacing", std::string("levels are listed, and spacing \"") + s.spacing + "\" would not visit them",
           "set spacing = \"custom\", or remove the list");
  if (s.spacing == "karras")
    add_levels(times, table, karras_levels(s.steps, finite_range(table, s.spacing), s.rho));
  else if (s.spacing == "exponential")
    add_levels(times, table, exponential_levels(s.steps, finite_range(table, s.spacing)));
  else if (s.spacing == "ays")
    add_levels(times, table, ays_levels(s.steps, finite_range(table, s.spacing)));
  else if (s.spacing == "ays-sdxl")
    add_levels(times, table, ays_sdxl_levels(s.steps, finite_range(table, s.spacing)));
  else if (s.spacing == "beta")
    add_beta(times, table, s.steps);
  else if (s.spacing == "flow-match")
    add_flow_match(times, table, s.steps);
  else if (s.spacing == "custom")
    add_custom(times, table, s);
  else
    add_spaced(times, table, s);
  add_final(times, table, s);
  check_falling(times, s);
  return times;
}

void check_steps(const model::TimeTable& table, const config::Loaded& loaded) {
  const config::Sampling& sampling = loaded.experiment.sampling;
  try {
    sampling_times(table, sampling);
  } catch (const Error& error) {
    if (!error.where.starts_with(kTable)) throw;
    config::Location at = sampling.table.place(error.where.substr(kTable.size()));
    if (at.file.empty()) at.file = loaded.file;
    throw loaded.error(at, error.what(), error.fix);
  }
}

}  // namespace perrin::sample
