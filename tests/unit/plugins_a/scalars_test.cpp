// Parameterizations: what the network predicts, and how x_0 follows from it.
#include <gtest/gtest.h>

#include <cmath>

#include "host/services/status.hpp"
#include "tests/unit/plugins_a/components.hpp"

namespace perrin::testing {
namespace {

perrin_coefficients coefficients(const services::Component& parameterization, perrin_time at) {
  perrin_coefficients c{};
  parameterization.invoke<&perrin_parameterization::coefficients>(uint64_t{1}, &at, &c);
  return c;
}

perrin_time variance_preserving(double angle) { return {500, std::cos(angle), std::sin(angle)}; }
const perrin_time noise_only{999, 0, 1};

// A network that predicts its target exactly gives D = x_0, on variance-preserving and other schedules.
TEST(Parameterizations, ExactPredictionDenoisesExactly) {
  std::vector<perrin_time> all = {{1, 1, 80}, {2, 1, 0.002}, {3, 0.5, 0.5}, noise_only};
  for (double angle : {0.01, 0.3, 0.8, 1.2, 1.56}) all.push_back(variance_preserving(angle));
  for (const char* id : {"epsilon", "x0", "v"})
    for (const perrin_time& at : all) {
      if (at.alpha == 0 && std::string(id) == "epsilon") continue;
      const perrin_coefficients c = coefficients(builtin("parameterization", id), at);
      const double x_0 = 0.7, eps = -1.3, x_t = at.alpha * x_0 + at.sigma * eps;
      const double F = c.target_x0 * x_0 + c.target_noise * eps;
      EXPECT_NEAR(c.c_skip * x_t + c.c_out * F, x_0, 1e-13 * (1 + std::abs(c.c_skip * x_t)))
          << id << " alpha " << at.alpha;
      EXPECT_NEAR(c.c_in * std::hypot(at.alpha, at.sigma), 1, 1e-12) << id;
      EXPECT_EQ(c.c_noise, at.t) << id;
    }
}

TEST(Parameterizations, InputIsUntouchedOnVariancePreservingSchedules) {
  for (const char* id : {"epsilon", "x0", "v"})
    for (const perrin_time& at : levels(builtin("schedule", "cosine")))
      ASSERT_EQ(coefficients(builtin("parameterization", id), at).c_in, 1) << id << " t = " << at.t;
}

TEST(Parameterizations, EpsilonIsRefusedAtZeroTerminalSnrWithTheReason) {
  try {
    coefficients(builtin("parameterization", "epsilon"), noise_only);
    FAIL() << "epsilon gave coefficients at alpha = 0";
  } catch (const services::PluginError& error) {
    const std::string what = error.what();
    EXPECT_EQ(error.code, PERRIN_UNSUPPORTED);
    EXPECT_NE(what.find("zero terminal SNR"), std::string::npos) << what;
    EXPECT_NE(what.find("use parameterization v or x0"), std::string::npos) << what;
  }
}

TEST(Parameterizations, PeersNamesAreAliases) {
  EXPECT_EQ(builtin("parameterization", "sample").id(), "x0");
  EXPECT_EQ(builtin("parameterization", "v_prediction").id(), "v");
  EXPECT_EQ(builtin("parameterization", "eps").id(), "epsilon");
}

}  // namespace
}  // namespace perrin::testing
