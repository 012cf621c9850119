// Parameterizations: what the network sees and predicts at a noise level, for every one that the library offers.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <random>

#include "host/services/status.hpp"
#include "tests/unit/plugins_a/components.hpp"

namespace perrin::testing {
namespace {

perrin_coefficients coefficients(const services::Component& parameterization, perrin_time at) {
  perrin_coefficients c{};
  parameterization.invoke<&perrin_parameterization::coefficients>(uint64_t{1}, &at, &c);
  return c;
}

std::vector<std::string> all() {
  std::vector<std::string> ids;
  for (const perrin_component* c : builtin("parameterization", "v").library().components("parameterization"))
    ids.emplace_back(services::view(c->id));
  return ids;
}

// Levels of any scale, seed 7.
std::vector<perrin_time> random_levels() {
  std::mt19937_64 bits(7);
  std::uniform_real_distribution<double> log_ratio(-7, 7), log_scale(-1, 1);
  std::vector<perrin_time> levels;
  for (int i = 0; i < 200; ++i) {
    const double ratio = std::exp(log_ratio(bits)), scale = std::exp(log_scale(bits)) / std::hypot(1, ratio);
    levels.push_back({10.0 * i, scale, scale * ratio});
  }
  return levels;
}

TEST(EveryParameterization, AnExactPredictionDenoisesExactly) {
  std::mt19937_64 bits(8);
  std::normal_distribution<double> normal;
  for (const std::string& id : all()) {
    const auto parameterization = builtin("parameterization", id);
    double worst = 0;
    for (const perrin_time& at : random_levels()) {
      const perrin_coefficients c = coefficients(parameterization, at);
      const double x_0 = normal(bits), eps = normal(bits), x_t = at.alpha * x_0 + at.sigma * eps;
      const double skip = c.c_skip * x_t, out = c.c_out * (c.target_x0 * x_0 + c.target_noise * eps);
      worst = std::max(worst, std::abs(skip + out - x_0) / (1 + std::abs(skip)));
    }
    std::printf("%-8s largest relative error of D from its own target: %.1e\n", id.c_str(), worst);
    EXPECT_LT(worst, 1e-14) << id;
  }
}

// What weightings rely on: ||D - x_0||^2 = c_out^2 ||F - target||^2 for whatever F says.
TEST(EveryParameterization, TheErrorOfDIsTheErrorOfFTimesCOut) {
  for (const std::string& id : all())
    for (const perrin_time& at : random_levels()) {
      const perrin_coefficients c = coefficients(builtin("parameterization", id), at);
      const double x_0 = 0.7, eps = -1.3, F = 2.5, x_t = at.alpha * x_0 + at.sigma * eps;
      const double error_D = c.c_skip * x_t + c.c_out * F - x_0;
      const double error_F = F - c.target_x0 * x_0 - c.target_noise * eps;
      ASSERT_NEAR(std::abs(error_D), std::abs(c.c_out * error_F), 1e-12 * (1 + std::abs(c.c_skip * x_t))) << id;
    }
}

// diffusers 0.42.1, EDMEulerScheduler().precondition_inputs, .precondition_noise and, of the sample alone and of the
// prediction alone, .precondition_outputs, float64. Theirs take x = x_0 + sigma eps.
TEST(EdmParameterization, EqualsDiffusersPreconditioning) {
  const struct {
    double sigma, c_in, c_noise, c_skip, c_out;
  } rows[] = {
      {0.002, 1.999984, -1.55365202, 0.999984, 0.001999984},
      {0.1, 1.96116135, -0.575646273, 0.961538462, 0.0980580676},
      {0.5, 1.41421356, -0.173286795, 0.5, 0.353553391},
      {1.3, 0.717958159, 0.0655910661, 0.128865979, 0.466672803},
      {80, 0.0124997559, 1.09550666, 3.90609742e-05, 0.499990235},
  };
  const auto edm = builtin("parameterization", "edm");
  for (const auto& row : rows) {
    const perrin_coefficients c = coefficients(edm, {0, 1, row.sigma});
    std::printf("sigma %-6g c_in %.6g (%.6g), c_noise %.6g (%.6g), c_skip %.6g (%.6g), c_out %.6g (%.6g)\n", row.sigma,
                c.c_in, row.c_in, c.c_noise, row.c_noise, c.c_skip, row.c_skip, c.c_out, row.c_out);
    EXPECT_NEAR(c.c_in / row.c_in, 1, 1e-8);
    EXPECT_NEAR(c.c_noise / row.c_noise, 1, 1e-8);
    EXPECT_NEAR(c.c_skip / row.c_skip, 1, 1e-8);
    EXPECT_NEAR(c.c_out / row.c_out, 1, 1e-8);
  }
}

// 2206.00364 Appendix B.6: the input and the target of F have unit variance, and lambda c_out^2 = 1.
TEST(EdmParameterization, InputAndTargetHaveUnitVarianceAtEveryScale) {
  for (double sd : {0.5, 1.0, 2.0}) {
    const auto edm = builtin("parameterization", "edm", {{"sigma_data", sd}});
    for (const perrin_time& at : random_levels()) {
      const perrin_coefficients c = coefficients(edm, at);
      const double s = at.sigma / at.alpha, lambda = (s * s + sd * sd) / std::pow(s * sd, 2);
      EXPECT_NEAR(c.c_in * std::hypot(at.alpha * sd, at.sigma), 1, 1e-14);
      EXPECT_NEAR(std::hypot(c.target_x0 * sd, c.target_noise), 1, 1e-14);
      EXPECT_NEAR(lambda * c.c_out * c.c_out, 1, 1e-13);
    }
  }
}

// EDM and flow name the level by sigma / alpha, so that one network serves every schedule.
TEST(EdmAndFlow, TheNetworkSeesTheSameWhateverTheScaleOfTheSchedule) {
  for (const char* id : {"edm", "flow"})
    for (const perrin_time& at : random_levels()) {
      const auto parameterization = builtin("parameterization", id);
      const perrin_coefficients c = coefficients(parameterization, at);
      const perrin_coefficients e = coefficients(parameterization, {-1, 1, at.sigma / at.alpha});
      EXPECT_NEAR(c.c_in * at.alpha / e.c_in, 1, 1e-13) << id;
      EXPECT_NEAR(c.c_skip * at.alpha / e.c_skip, 1, 1e-13) << id;
      EXPECT_NEAR(c.c_noise, e.c_noise, 1e-12 * std::abs(e.c_noise) + 1e-13) << id;
      EXPECT_NEAR(c.c_out / e.c_out, 1, 1e-13) << id;
      EXPECT_NEAR(c.target_x0, e.target_x0, 1e-13) << id;
      EXPECT_NEAR(c.target_noise, e.target_noise, 1e-13) << id;
    }
}

// F's target is dx/ds along x = alpha x_0 + sigma eps, by differences of the schedule's own alpha and sigma.
TEST(FlowParameterization, TheTargetIsTheVelocityOfTheFlowSchedule) {
  const auto flow = builtin("parameterization", "flow");
  const auto schedule = builtin("schedule", "flow", {{"shift", 3.0}});
  const std::vector<perrin_time> at = levels(schedule, {250, 251, 700, 701});
  for (size_t i : {0u, 2u}) {
    const double ds = at[i + 1].sigma - at[i].sigma;
    const perrin_coefficients c = coefficients(flow, at[i]);
    EXPECT_NEAR((at[i + 1].alpha - at[i].alpha) / ds, c.target_x0, 1e-12);
    EXPECT_NEAR((at[i + 1].sigma - at[i].sigma) / ds, c.target_noise, 1e-12);
    EXPECT_EQ(c.c_in, 1);
    EXPECT_NEAR(c.c_skip, 1, 1e-15);
    EXPECT_NEAR(c.c_out, -at[i].sigma, 1e-15);
  }
}

// diffusers 0.42.1, FlowMatchEulerDiscreteScheduler(shift=3).timesteps[[0, 1, 99, 500, 900, 999]]: what Stable
// Diffusion 3's network is told at the training times 1000, 999, 901, 500, 100 and 1, float32.
TEST(FlowParameterization, TellsTheNetworkWhatDiffusersTells) {
  const std::vector<double> t = {1000, 999, 901, 500, 100, 1};
  const double told[] = {1000, 999.666382, 964.668091, 750, 250, 2.99401212};
  const std::vector<perrin_time> at = levels(builtin("schedule", "flow", {{"shift", 3.0}}), t);
  for (size_t i = 0; i < t.size(); ++i) {
    const double c_noise = coefficients(builtin("parameterization", "flow"), at[i]).c_noise;
    std::printf("t %4.0f: c_noise %.6f (%.6f)\n", t[i], c_noise, told[i]);
    EXPECT_NEAR(c_noise / told[i], 1, 2e-7);
    EXPECT_NEAR(coefficients(builtin("parameterization", "flow", {{"time_scale", 1.0}}), at[i]).c_noise, c_noise / 1000,
                1e-15);
  }
}

TEST(FlowParameterization, WorksAtPureNoiseAndAtPureSignal) {
  const auto flow = builtin("parameterization", "flow");
  const perrin_coefficients noise = coefficients(flow, {1000, 0, 1}), signal = coefficients(flow, {0, 1, 0});
  EXPECT_EQ(noise.c_noise, 1000);
  EXPECT_EQ(noise.c_out, -1);
  EXPECT_EQ(signal.c_noise, 0);
  EXPECT_EQ(signal.c_out, 0);
}

TEST(EdmParameterization, RefusesPureNoiseAndPureSignalWithTheReason) {
  const auto edm = builtin("parameterization", "edm");
  const struct {
    perrin_time at;
    const char* what;
  } rows[] = {{{999, 0, 1}, "a level of pure noise"}, {{0, 1, 0}, "a level of pure signal"}};
  for (const auto& row : rows) {
    const std::string message = message_of([&] { coefficients(edm, row.at); });
    EXPECT_NE(message.find(row.what), std::string::npos) << message;
    EXPECT_NE(message.find("use parameterization v or flow"), std::string::npos) << message;
  }
}

TEST(FlowParameterization, HasDiffusersName) { EXPECT_EQ(builtin("parameterization", "flow_prediction").id(), "flow"); }

}  // namespace
}  // namespace perrin::testing
