// Multistep and predictor-corrector samplers against diffusers. "published": the value in diffusers' tests/schedulers;
// the others are diffusers 0.42.1's step functions run over the same harness (torch 2.11.0, float32).
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "tests/golden/plugins/harness.hpp"

namespace perrin::testing {
namespace {

struct Row {
  const char* name;
  const char* sampler;
  Values keys;
  const char* parameterization;
  double sum;
};

// timestep_spacing "linspace" of these schedulers: round(linspace(0, T - 1, n + 1)) without 0, then sigma_min, that of
// 0.
std::vector<perrin_time> linspace_levels(const services::Component& schedule, int T, int n) {
  std::vector<double> t;
  for (int i = n; i > 0; --i) t.push_back(std::nearbyint((T - 1.0) * i / n));
  t.push_back(0);
  return levels(schedule, t);
}

// Noise i of torch.manual_seed(0) for the step from times[i], as the peers draw one a step.
std::function<at::Tensor(const perrin_time&, const perrin_time&, const at::Tensor&)> noise_of_step(
    std::vector<perrin_time> times) {
  PeerNoise noise;
  std::vector<at::Tensor> drawn;
  for (size_t i = 0; i + 1 < times.size(); ++i) drawn.push_back(noise(0, dummy_sample().contiguous()));
  return [times, drawn](const perrin_time& from, const perrin_time&, const at::Tensor&) {
    size_t i = 0;
    while (times[i].t != from.t) ++i;
    return drawn[i];
  };
}

void expect_row(const Row& row, const std::vector<perrin_time>& times) {
  const auto predicted = builtin("parameterization", row.parameterization);
  Sampling sampling{times,
                    [&](const at::Tensor& x, const perrin_time& at) { return dummy_denoised(predicted, x, at, false); },
                    nullptr, nullptr};
  sampling.brownian = noise_of_step(times);
  const double ours = sum_abs(sampling.run(builtin("sampler", row.sampler, row.keys), dummy_sample()));
  std::printf("%-40s %.4f (%.4f)\n", row.name, ours, row.sum);
  EXPECT_NEAR(ours / row.sum, 1, 1e-4) << row.name;
}

std::vector<perrin_time> ten_steps() { return linspace_levels(builtin("schedule", "linear"), 1000, 10); }

// test_scheduler_dpm_multi.py, mean .3301, v .2251: final_sigmas_type "sigma_min", lower_order_final False.
TEST(GoldenDpmMultistep, FullLoop) {
  expect_row({"dpm multistep 2M, mean .3301", "dpm++2m", {}, "epsilon", 253.551392}, ten_steps());
  expect_row({"dpm multistep 2M v, mean .2251", "dpm++2m", {}, "v", 172.873962}, ten_steps());
}

// Karras' sigmas between those of t = 999 and 0, the model told the nearest whole t as the peer rounds it, and the last
// level again.
std::vector<perrin_time> karras_levels() {
  const std::vector<perrin_time> ends = levels(builtin("schedule", "linear"), {999, 0});
  const double high = std::pow(ends[0].sigma / ends[0].alpha, 1. / 7),
               low = std::pow(ends[1].sigma / ends[1].alpha, 1. / 7);
  std::vector<perrin_time> times;
  for (double t : {999, 937, 864, 775, 663, 511, 301, 102, 18, 0}) {
    const double s = std::pow(high + static_cast<double>(times.size()) / 9 * (low - high), 7);
    times.push_back({t, 1 / std::sqrt(1 + s * s), s / std::sqrt(1 + s * s)});
  }
  times.push_back(times.back());
  return times;
}

TEST(GoldenDpmMultistep, FullLoopVKarras) {
  expect_row({"dpm multistep v + Karras, mean .2096", "dpm++2m", {}, "v", 160.664200}, karras_levels());
}

// DPMSolverMultistepScheduler(algorithm_type="sde-dpmsolver++", lower_order_final=False), seed 0.
TEST(GoldenDpmMultistep, StochasticFullLoop) {
  expect_row({"sde-dpmsolver++ midpoint", "dpm++2m-sde", {}, "epsilon", 525.948242}, ten_steps());
  expect_row({"sde-dpmsolver++ heun", "dpm++2m-sde", {{"solver", std::string("heun")}}, "epsilon", 774.766907},
             ten_steps());
  expect_row({"sde-dpmsolver++ v", "dpm++2m-sde", {}, "v", 437.495544}, ten_steps());
}

// test_scheduler_unipc.py: bh2, mean .2464; v .1014. The others with solver_order, solver_type, lower_order_final.
TEST(GoldenUniPc, FullLoop) {
  const auto keys = [](int64_t order, const char* solver, bool lower) {
    return Values{{"order", order}, {"solver", std::string(solver)}, {"lower_order_final", lower}};
  };
  expect_row({"unipc bh2, mean .2464", "unipc", {}, "epsilon", 189.231842}, ten_steps());
  expect_row({"unipc bh2 v, mean .1014", "unipc", {}, "v", 77.872482}, ten_steps());
  expect_row({"unipc 1 bh1", "unipc", keys(1, "bh1", true), "epsilon", 180.334885}, ten_steps());
  expect_row({"unipc 1 bh2", "unipc", keys(1, "bh2", true), "epsilon", 178.462509}, ten_steps());
  expect_row({"unipc 2 bh1", "unipc", keys(2, "bh1", true), "epsilon", 193.575546}, ten_steps());
  expect_row({"unipc 3 bh1", "unipc", keys(3, "bh1", true), "epsilon", 193.600098}, ten_steps());
  expect_row({"unipc 3 bh2", "unipc", keys(3, "bh2", true), "epsilon", 189.972916}, ten_steps());
  expect_row({"unipc 2 bh2, order to the end", "unipc", keys(2, "bh2", false), "epsilon", 256.075287}, ten_steps());
  std::vector<perrin_time> times = ten_steps();
  times.back() = clean;
  expect_row({"unipc bh2, final_sigmas_type zero", "unipc", {}, "epsilon", 186.762039}, times);
}

// The same scheduler, solver_order 3, lower_order_final False, use_karras_sigmas, the first nine of ten steps. (Where
// the list above ends, with a step of 4.7 times the one before, the peer's order 3 counts D 41 times, and ours falls
// to 2.)
TEST(GoldenUniPc, OrderThreeToTheEndOfAnEvenList) {
  std::vector<perrin_time> times = karras_levels();
  times.pop_back();
  expect_row({"unipc 3 bh2, Karras, order to the end",
              "unipc",
              {{"order", int64_t{3}}, {"lower_order_final", false}},
              "epsilon",
              231.210556},
             times);
}

// test_scheduler_deis.py: mean .23916; v .091. The others with solver_order and the number of steps.
TEST(GoldenDeis, FullLoop) {
  const std::vector<perrin_time> twenty = linspace_levels(builtin("schedule", "linear"), 1000, 20);
  const auto order = [](int64_t order) { return Values{{"order", order}}; };
  expect_row({"deis, mean .23916", "deis", {}, "epsilon", 183.676453}, ten_steps());
  expect_row({"deis v, mean .091", "deis", {}, "v", 69.943726}, ten_steps());
  expect_row({"deis 1", "deis", order(1), "epsilon", 172.264221}, ten_steps());
  expect_row({"deis 3", "deis", order(3), "epsilon", 185.579376}, ten_steps());
  expect_row({"deis 2, 20 steps", "deis", {}, "epsilon", 200.360107}, twenty);
  expect_row({"deis 3, 20 steps", "deis", order(3), "epsilon", 196.255173}, twenty);
}

// test_scheduler_sasolver.py, T = 1100, seed 0: 337.3943, v 193.1468. The peer's default tau is 1 for 200 <= t <= 800,
// which of its ten sigmas / alpha has those from .77 to 15.3.
TEST(GoldenSaSolver, FullLoop) {
  const std::vector<perrin_time> times =
      linspace_levels(builtin("schedule", "linear", {{"steps", int64_t{1100}}}), 1100, 10);
  const auto keys = [](int64_t predictor, int64_t corrector, double tau = 1) {
    return Values{{"predictor_order", predictor},
                  {"corrector_order", corrector},
                  {"tau", tau},
                  {"s_tmin", 0.5},
                  {"s_tmax", 20.0}};
  };
  expect_row({"sa", "sa", keys(2, 2), "epsilon", 337.394287}, times);
  expect_row({"sa v", "sa", keys(2, 2), "v", 193.146774}, times);
  expect_row({"sa 1, 1", "sa", keys(1, 1), "epsilon", 249.533920}, times);
  expect_row({"sa 1, 2", "sa", keys(1, 2), "epsilon", 246.834229}, times);
  expect_row({"sa 2, 1", "sa", keys(2, 1), "epsilon", 341.394958}, times);
  expect_row({"sa 3, 3", "sa", keys(3, 3), "epsilon", 332.968079}, times);
  expect_row({"sa 3, 4", "sa", keys(3, 4), "epsilon", 332.612183}, times);
  expect_row({"sa 3, 3, tau 0", "sa", keys(3, 3, 0), "epsilon", 192.469269}, times);
}

}  // namespace
}  // namespace perrin::testing
