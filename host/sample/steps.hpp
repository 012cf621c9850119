// Which noise levels a sampler visits.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/config/load.hpp"
#include "host/model/time_table.hpp"

namespace perrin::sample {

// n whole times of a discrete schedule, the noisiest first. 2305.08891, Table 2:
//   leading   arange(n) (T div n) + offset          trailing   round(arange(T, 0, -T / n)) - 1
//   linspace  round(linspace(0, T - 1, n))
// diffusers' DPM-Solver, UniPC and DEIS take one interval more and leave out its cleanest level:
//   leading-dpm    arange(1, n + 1) (T div (n + 1)) + offset
//   linspace-dpm   round(linspace(0, T - 1, n + 1)) without 0
// diffusers' LCM takes n of the 50 levels of the solver that it was distilled from:
//   lcm            50 - floor(arange(n) 50 / n), times T div 50, - 1
// Halves round to even, as in the peers. One step is the noisiest level, T - 1. Throws Error unless 1 <= n <= T and
// every time stays below T, and for one step that would leave the noisiest level out.
std::vector<int64_t> spaced_timesteps(int64_t T, int64_t n, const std::string& spacing, int64_t offset);

// The levels of [sampler], the noise falling, and, last, the clean end (alpha 1, sigma 0), or with final = "lowest" the
// schedule's lowest level unless the list ends there.
//   leading, trailing, linspace          on a discrete schedule as above; a continuous one is cut evenly in t:
//                                        `leading` leaves out t_max, `trailing` t_min, `linspace` has both;
//                                        `leading-dpm` leaves out both, `linspace-dpm` is `trailing`
//   flow-match                           a straight path cut evenly in t from t_max to t_max sigma(t_max / 1000), which
//                                        is diffusers' last time of 1000, shifted twice
//   beta                                 quantiles in t, between the schedule's ends; not rounded to whole times
//   karras, exponential, ays, ays-sdxl   levels sigma / alpha between the schedule's ends. The level is exact, t is
//                                        interpolated
//   custom                               the user's times or levels, exactly those; fractional times are interpolated
// Throws Error at "sampler.KEY".
std::vector<perrin_time> sampling_times(const model::TimeTable& table, const config::Sampling& sampling);

// The same for its errors alone: Diagnostics at the key's place in the file, for before training.
void check_steps(const model::TimeTable& table, const config::Loaded& loaded);

}  // namespace perrin::sample
