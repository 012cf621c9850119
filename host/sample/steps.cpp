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
constexpr double kBeyond = 1e-3;  // relative; lists are written with three or four digits

[[noreturn]] void refuse(const char* key, const std::string& what, const std::string& fix) {
  throw Error(what, std::string(kTable) + key, fix);
}

std::string text(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.6g", value);
  return buffer;
}

double noise(const perrin_time& at) { return at.sigma / at.alpha; }

// sigma / alpha at the schedule's ends, infinite or 0 at pure ones.
NoiseRange range_of(const run::TimeTable& table) {
  return {noise(table.at(table.domain().t_min)), noise(table.at(table.domain().t_max))};
}

// The ends of a spacing in sigma.
NoiseRange finite_range(const run::TimeTable& table, const std::string& spacing) {
  const NoiseRange range = range_of(table);
  if (std::isfinite(range.high) && range.low > 0) return range;
  refuse("spacing",
         "spacing \"" + spacing + "\" divides the range of sigma / alpha, and this schedule's has no " +
             (range.low > 0 ? "upper end: its last level is pure noise" : "lower end: its first level has no noise"),
         "take trailing, linspace or beta, which divide time; or a schedule that does not end in pure noise "
         "(zero_terminal_snr = false)");
}

// The schedule's level with this sigma / alpha: t is interpolated, the ratio kept to the last bit.
perrin_time at_noise(const run::TimeTable& table, double sigma) {
  perrin_time at = table.at_log_snr(-2 * std::log(sigma));
  const double scale = std::hypot(at.alpha, at.sigma) / std::hypot(1, sigma);
  return {at.t, scale, scale * sigma};
}

void add_levels(std::vector<perrin_time>& times, const run::TimeTable& table, const std::vector<double>& sigmas) {
  for (double sigma : sigmas) times.push_back(at_noise(table, sigma));
}

void add_spaced(std::vector<perrin_time>& times, const run::TimeTable& table, const config::Sampling& s) {
  const perrin_time_domain& domain = table.domain();
  if (table.discrete()) {
    for (int64_t t : spaced_timesteps(static_cast<int64_t>(domain.steps), s.steps, s.spacing, s.offset))
      times.push_back(table.at(domain.t_min + static_cast<double>(t)));
    return;
  }
  if (s.offset > 0) refuse("offset", "a continuous schedule has no whole steps to add", "leave offset out");
  const double width = domain.t_max - domain.t_min, count = static_cast<double>(s.steps);
  const double shift = s.spacing == "leading" ? 1 : 0;
  const double parts = s.spacing == "linspace" ? std::max(count - 1, 1.0) : count;
  for (int64_t i = 0; i < s.steps; ++i)
    times.push_back(table.at(domain.t_max - width * (static_cast<double>(i) + shift) / parts));
}

void add_beta(std::vector<perrin_time>& times, const run::TimeTable& table, int64_t n) {
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
void add_given_sigmas(std::vector<perrin_time>& times, const run::TimeTable& table, const config::Sampling& s) {
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

void add_given_times(std::vector<perrin_time>& times, const run::TimeTable& table, const config::Sampling& s) {
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

void add_custom(std::vector<perrin_time>& times, const run::TimeTable& table, const config::Sampling& s) {
  if (s.times.empty() == s.sigmas.empty())
    refuse("spacing", s.times.empty() ? "spacing \"custom\" has no list" : "both \"times\" and \"sigmas\" are listed",
           "give one of times = [...] and sigmas = [...], the noisiest first");
  s.times.empty() ? add_given_sigmas(times, table, s) : add_given_times(times, table, s);
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
  std::vector<int64_t> t;
  const double step = static_cast<double>(T) / static_cast<double>(n);
  for (int64_t i = 0; i < n; ++i) {
    const double x = static_cast<double>(i);
    if (spacing == "leading") t.push_back((n - 1 - i) * (T / n) + offset);
    if (spacing == "trailing") t.push_back(std::llrint(static_cast<double>(T) - x * step) - 1);
    if (spacing == "linspace")
      t.push_back(n == 1 ? 0 : std::llrint(static_cast<double>((n - 1 - i) * (T - 1)) / static_cast<double>(n - 1)));
  }
  if (t.empty()) refuse("spacing", "there is no spacing \"" + spacing + "\"", "leading, trailing or linspace");
  if (t.front() >= T)
    refuse("offset",
           "spacing \"leading\" with offset " + std::to_string(offset) + " reaches t = " + std::to_string(t.front()) +
               ", but the last step is " + std::to_string(T - 1),
           "lower the offset");
  return t;
}

std::vector<perrin_time> sampling_times(const run::TimeTable& table, const config::Sampling& s) {
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
  else if (s.spacing == "custom")
    add_custom(times, table, s);
  else
    add_spaced(times, table, s);
  times.push_back({table.domain().t_min, 1, 0});
  check_falling(times, s);
  return times;
}

void check_steps(const run::TimeTable& table, const config::Loaded& loaded) {
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
