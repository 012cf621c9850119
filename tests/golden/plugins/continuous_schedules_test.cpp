// Schedules of continuous time against values that other projects' code gives, and Diffusion-LM's discrete one.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "tests/unit/plugins_a/components.hpp"

namespace perrin::testing {
namespace {

// n values from a to b in equal steps.
std::vector<double> linspace(double a, double b, size_t n) {
  std::vector<double> values;
  for (size_t i = 0; i < n; ++i) values.push_back(a + (b - a) * static_cast<double>(i) / static_cast<double>(n - 1));
  return values;
}

// sigma / alpha at the times time_scale u.
void expect_noise(const char* what, const services::Component& schedule, const std::vector<double>& t,
                  const std::vector<double>& theirs, double relative) {
  const std::vector<perrin_time> ours = levels(schedule, t);
  double worst = 0;
  for (size_t i = 0; i < t.size(); ++i) {
    const double error = std::abs(ours[i].sigma / ours[i].alpha / theirs[i] - 1);
    EXPECT_LT(error, relative) << what << " at t = " << t[i] << ": " << ours[i].sigma / ours[i].alpha << ", not "
                               << theirs[i];
    worst = std::max(worst, error);
  }
  std::printf("%-36s largest relative difference %.1e\n", what, worst);
}

// k-diffusion (crowsonkb/k-diffusion, k_diffusion/sampling.py), in float64: get_sigmas_vp(10), get_sigmas_karras(10,
// .002, 80), get_sigmas_exponential(10, .002, 80), get_sigmas_polyexponential(10, .002, 80, rho=2), printed to nine
// digits.
TEST(GoldenContinuous, RampsEqualKDiffusion) {
  const std::vector<double> u = linspace(1000, 0, 10), u_vp = linspace(1000, 1, 10);
  expect_noise("vp-sde, get_sigmas_vp", builtin("schedule", "vp-sde"), u_vp,
               {152.16697, 53.3098475, 21.0956241, 9.40319655, 4.68063987, 2.54942993, 1.46197183, 0.822899015,
                0.381702186, 0.0104859928},
               1e-8);
  expect_noise(
      "karras, get_sigmas_karras", builtin("schedule", "karras"), u,
      {80, 42.4151893, 21.1086767, 9.72320136, 4.0661236, 1.50174198, 0.469979058, 0.116638564, 0.0204353346, 0.002},
      1e-8);
  expect_noise("karras rho 3, get_sigmas_karras",
               builtin("schedule", "karras", {{"sigma_min", 0.01}, {"sigma_max", 50.0}, {"rho", 3.0}}),
               linspace(1000, 0, 6), {50, 26.7393186, 12.113063, 4.11814807, 0.751488779, 0.01}, 1e-8);
  expect_noise("exponential, get_sigmas_exponential", builtin("schedule", "exponential"), u,
               {80, 24.6462011, 7.59294036, 2.33921419, 0.720659292, 0.222018923, 0.0683990379, 0.0210722055,
                0.00649187269, 0.002},
               1e-8);
  expect_noise("polyexponential rho 2", builtin("schedule", "polyexponential", {{"rho", 2.0}}), u,
               {80, 8.65417244, 1.21616419, 0.222018923, 0.0526524861, 0.016221047, 0.00649187269, 0.00337514331,
                0.00227953125, 0.002},
               1e-8);
}

// diffusers 0.42.1, ScoreSdeVeScheduler(sigma_max=50), set_sigmas(9): its timesteps and sigmas, float32.
TEST(GoldenContinuous, VeSdeEqualsDiffusers) {
  expect_noise(
      "ve-sde, ScoreSdeVeScheduler", builtin("schedule", "ve-sde", {{"time_scale", 1.0}}),
      {1, 0.875001252, 0.750002503, 0.625003755, 0.500005007, 0.375006258, 0.25000751, 0.125008747, 9.99999975e-06},
      {50, 17.2426243, 5.94616175, 2.05054903, 0.707136929, 0.243857935, 0.0840950161, 0.0290003754, 0.0100008519},
      1e-6);
}

// diffusers 0.42.1, EDMEulerScheduler().set_timesteps(10): sigmas at timesteps = ln(sigma) / 4, float32, but for the
// ends, which float32 rounds out of the schedule.
TEST(GoldenContinuous, EdmTellsTheTimesOfDiffusers) {
  expect_noise(
      "edm, EDMEulerScheduler", builtin("schedule", "edm"),
      {0.936876655, 0.762421072, 0.568628728, 0.350672513, 0.101656444, -0.188766792, -0.53716886, -0.972622454},
      {42.4151878, 21.1086769, 9.72320175, 4.06612349, 1.50174201, 0.469979048, 0.116638564, 0.0204353351}, 1e-6);
}

// diffusers 0.42.1, FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True).set_timesteps(8, mu=mu).sigmas, float32,
// with mu = calculate_shift(tokens) of pipeline_flux.py: 0.5 at 256, 0.63 at 1024 and 1.15 at 4096 tokens.
TEST(GoldenContinuous, FlowShiftsByResolutionAsDiffusers) {
  const struct {
    int64_t side;  // of latents, two to a token's side
    std::vector<double> sigmas;
  } rows[] = {{32, {1, 0.908289552, 0.804976225, 0.687709391, 0.553457618, 0.398242503, 0.216738194, 0.00164765248}},
              {64, {1, 0.918558955, 0.824580014, 0.714926422, 0.585319817, 0.429769069, 0.239617646, 0.00187596434}},
              {128, {1, 0.949928105, 0.887723029, 0.808366716, 0.703631461, 0.559025168, 0.346428186, 0.00315139163}}};
  for (const auto& row : rows) {
    services::Component flow = builtin("schedule", "flow", {{"resolution_shift", std::string("exponential")}});
    perrin_spec z{};
    z.rank = 3;
    z.sizes[0] = 16, z.sizes[1] = z.sizes[2] = row.side;
    flow.invoke<&perrin_schedule::infer>(&z);
    const std::vector<perrin_time> ours = levels(flow, linspace(1000, 1, 8));
    for (size_t i = 0; i < ours.size(); ++i) {
      EXPECT_NEAR(ours[i].sigma / row.sigmas[i], 1, 3e-7) << "latents " << row.side << ", level " << i;
      EXPECT_NEAR(ours[i].alpha, 1 - row.sigmas[i], 1e-7) << "latents " << row.side << ", level " << i;
    }
    std::printf("flow, latents %3lld: last sigma %.9f (%.9f)\n", static_cast<long long>(row.side), ours.back().sigma,
                row.sigmas.back());
  }
}

// diffusers 0.42.1, FlowMatchEulerDiscreteScheduler(shift=3).set_timesteps(10).sigmas, float32. It shifts its already
// shifted last level 0.002994 again: its u runs from 1 to that, ours is given the same.
TEST(GoldenContinuous, FlowShiftsStaticallyAsDiffusers) {
  const std::vector<double> theirs = {1,          0.960129321, 0.913348973, 0.857692301, 0.790368259,
                                      0.70727849, 0.602150559, 0.464876026, 0.278048784, 0.00892857183};
  const std::vector<perrin_time> ours =
      levels(builtin("schedule", "flow", {{"shift", 3.0}}), linspace(1000, 1000 * 0.002994012087583542, 10));
  for (size_t i = 0; i < ours.size(); ++i) {
    EXPECT_NEAR(ours[i].sigma / theirs[i], 1, 3e-7) << "level " << i;
    EXPECT_NEAR(ours[i].alpha + ours[i].sigma, 1, 1e-15) << "level " << i;
  }
}

// diffusers 0.42.1, DDPMScheduler(beta_schedule="laplace").alphas_cumprod at 0, 99, ... 998, float32. Its abar is the
// square root of SNR / (1 + SNR), where the paper (and we) have no root, is divided by its value at u = 0, and has 1e-6
// within the logarithm, which moves the level at u by u's own smallness.
TEST(GoldenContinuous, LaplaceEqualsDiffusersUpToItsRoot) {
  const std::vector<double> t = {1, 100, 251, 500, 751, 901, 999};
  const double abar[] = {0.978846252, 0.831669211, 0.765432835, 0.707460344, 0.643538117, 0.555205762, 0.207026601};
  const double snr_0 = std::exp(-0.5 * std::log(1e-6)), root_0 = std::sqrt(snr_0 / (1 + snr_0));
  const std::vector<perrin_time> ours = levels(builtin("schedule", "laplace"), t);
  for (size_t i = 0; i < t.size(); ++i) {
    const double theirs = std::pow(abar[i] * root_0, 2), abar_ours = ours[i].alpha * ours[i].alpha;
    std::printf("laplace t %4.0f: abar %.6f (%.6f)\n", t[i], abar_ours, theirs);
    EXPECT_NEAR(abar_ours / theirs, 1, 4e-4) << "t = " << t[i];
  }
}

// k-diffusion (k_diffusion/utils.py), rand_cosine_interpolated(image_d=512, noise_d_low=32, noise_d_high=256,
// min_value=1e-12, max_value=1e12) with .05, .25, .5, .75, .95 for its random numbers, which count from the noisy end.
TEST(GoldenContinuous, CosineInterpolatedEqualsKDiffusion) {
  const double wide = 2 * std::log(1e12);
  expect_noise(
      "cosine-interpolated, k-diffusion",
      builtin("schedule", "cosine-interpolated", {{"image_d", 512.0}, {"log_snr_min", -wide}, {"log_snr_max", wide}}),
      {950, 750, 500, 250, 50}, {183.223566, 22.9679996, 5.65685425, 1.3932428, 0.174650023}, 1e-8);
}

// XiangLi1999/Diffusion-LM, improved_diffusion/gaussian_diffusion.py: get_named_beta_schedule("sqrt", 2000), cumulative
// products of 1 - beta in float64.
TEST(GoldenSchedules, SqrtEqualsDiffusionLm) {
  const std::vector<double> t = {0, 1, 200, 500, 1000, 1500, 1900, 1998, 1999};
  const double abar[] = {0.985358689, 0.97659975,   0.689722191,    0.504444808,   0.295423315,
                         0.134978036, 0.0252654754, 0.000202040408, 2.02040408e-07};
  const std::vector<perrin_time> ours = levels(builtin("schedule", "sqrt", {{"steps", int64_t{2000}}}), t);
  for (size_t i = 0; i < t.size(); ++i) {
    std::printf("sqrt t %4.0f: abar %.9g (%.9g)\n", t[i], ours[i].alpha * ours[i].alpha, abar[i]);
    EXPECT_NEAR(ours[i].alpha * ours[i].alpha / abar[i], 1, 1e-8) << "t = " << t[i];
  }
}

}  // namespace
}  // namespace perrin::testing
