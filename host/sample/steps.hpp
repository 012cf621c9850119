// Which noise levels a sampler visits.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/config/load.hpp"
#include "host/run/time_table.hpp"

namespace perrin::sample {

// n whole times of a discrete schedule, the noisiest first (2305.08891, Table 2):
//   leading   arange(n) (T div n) + offset          trailing   round(arange(T, 0, -T / n)) - 1
//   linspace  round(linspace(0, T - 1, n))
// Halves round to even, as in the peers. Throws Error unless 1 <= n <= T and every time stays below T.
std::vector<int64_t> spaced_timesteps(int64_t T, int64_t n, const std::string& spacing, int64_t offset);

// The levels of [sampler], the noise falling, and, last, the clean end (alpha 1, sigma 0).
//   leading, trailing, linspace          on a discrete schedule as above; a continuous one is cut evenly in t:
//                                        `leading` leaves out t_max, `trailing` t_min, `linspace` has both
//   beta                                 quantiles in t, between the schedule's ends; not rounded to whole times
//   karras, exponential, ays, ays-sdxl   levels sigma / alpha between the schedule's ends. The level is exact, t is
//                                        interpolated
//   custom                               the user's times or levels, exactly those; fractional times are interpolated
// Throws Error at "sampler.KEY".
std::vector<perrin_time> sampling_times(const run::TimeTable& table, const config::Sampling& sampling);

// The same for its errors alone: Diagnostics at the key's place in the file, for before training.
void check_steps(const run::TimeTable& table, const config::Loaded& loaded);

}  // namespace perrin::sample
