// l1, huber and log-cosh: closed forms, gradients, and what holds at the edges.
#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "tests/unit/losses_first_stage/held.hpp"
#include "tests/unit/plugins_b/finite_differences.hpp"

namespace perrin::testing {
namespace {

// The loss of one error, and its derivative there.
struct Point {
  double value, slope;
};
Point at_error(const services::Component& loss, double e, at::ScalarType dtype = at::kDouble) {
  const auto prediction = at::full({1, 1}, e, dtype).set_requires_grad(true);
  const auto value = values_of(loss, {{"prediction", prediction}, {"target", at::zeros({1, 1}, dtype)}}).sum();
  value.backward();
  return {value.item<double>(), prediction.grad().item<double>()};
}

void expect_point(const services::Component& loss, double e, Point expected) {
  const Point point = at_error(loss, e);
  EXPECT_NEAR(point.value, expected.value, 1e-14 * (1 + std::abs(expected.value))) << loss.id() << " of " << e;
  EXPECT_NEAR(point.slope, expected.slope, 1e-14) << loss.id() << " of " << e;
}

TEST(L1, is_the_absolute_value) {
  for (const double e : {-3.0, -0.25, 0.0, 2.0}) expect_point(held("l1"), e, {std::abs(e), double((e > 0) - (e < 0))});
}

TEST(Huber, is_half_the_square_up_to_delta_and_a_line_beyond) {
  const auto huber = held("huber", {{"delta", 0.5}});
  expect_point(huber, 0.2, {0.02, 0.2});
  expect_point(huber, -0.5, {0.125, -0.5});
  expect_point(huber, 2, {0.875, 0.5});  // 0.5 (2 - 0.25)
  expect_point(huber, -10, {4.875, -0.5});
  expect_point(held("huber"), 2, {1.5, 1});  // delta 1, PyTorch's own default
}

// log(cosh e) and tanh(e) to 30 digits by mpmath 1.3.0.
TEST(LogCosh, has_its_values_and_the_hyperbolic_tangent_as_its_slope) {
  const auto loss = held("log-cosh");
  expect_point(loss, 0, {0, 0});
  expect_point(loss, 1e-3, {0.000000499999916666688889, 0.000999999666666799999946});
  expect_point(loss, -0.5, {0.120114506958277524631763, -0.462117157260009758502318});
  expect_point(loss, 3, {2.309328504577785140113628, 0.995054753686730451330882});
  expect_point(loss, -100, {99.30685281944005469058277, -1});
}

TEST(LogCosh, is_stable_where_cosh_overflows) {
  for (const double e : {1e4, -1e20, 3e38}) {
    const Point point = at_error(held("log-cosh"), e, at::kFloat);
    EXPECT_NEAR(point.value / (std::abs(e) - std::log(2)), 1, 1e-6) << e;
    EXPECT_EQ(point.slope, e > 0 ? 1 : -1) << e;
  }
}

class Elementwise : public ::testing::TestWithParam<const char*> {};

TEST_P(Elementwise, gradient_agrees_with_finite_differences) {
  const auto loss = held(GetParam());
  const auto prediction = leaf({2, 3, 4, 4}), target = at::randn({2, 3, 4, 4}, at::kDouble);
  const auto weights = at::randn({2}, at::kDouble);
  // No error within a step of a kink: 0 of l1, 1 of huber.
  const auto e = prediction.detach() - target;
  prediction.detach()
      .add_(((e.abs() - 1).abs() < 0.02).to(at::kDouble) * 0.1)
      .add_((e.abs() < 0.02).to(at::kDouble) * 0.1);
  worst_directional_error(
      [&] {
        return values_of(loss, {{"prediction", prediction}, {"target", target}}).mul(weights).sum();
      },
      {{"prediction", prediction}});
}

// One value per sample, its mean, whatever the rank, the memory's order and the precision of the prediction.
TEST_P(Elementwise, is_a_mean_over_each_samples_elements) {
  const auto loss = held(GetParam());
  const auto x = at::randn({3, 2, 4, 4}), y = at::randn({3, 2, 4, 4});
  const auto all = values_of(loss, {{"prediction", x}, {"target", y}});
  ASSERT_EQ(all.sizes(), at::IntArrayRef({3}));
  for (int64_t b = 0; b < 3; ++b) {
    const auto one = values_of(loss, {{"prediction", x[b].reshape({32, 1})}, {"target", y[b].reshape({32, 1})}});
    EXPECT_NEAR(all[b].item<double>(), one.mean().item<double>(), 1e-6);
  }
  const auto last = x.contiguous(at::MemoryFormat::ChannelsLast);
  EXPECT_TRUE(at::allclose(all, values_of(loss, {{"prediction", last}, {"target", y}})));
  const auto half = values_of(loss, {{"prediction", x.to(at::kBFloat16)}, {"target", y}});
  EXPECT_EQ(half.scalar_type(), at::kFloat);
  EXPECT_TRUE(at::allclose(half, all, 2e-2, 1e-2));  // bfloat16 rounds at 2^-9 of the values' size
}

INSTANTIATE_TEST_SUITE_P(Losses, Elementwise, ::testing::Values("l1", "huber", "log-cosh"));

}  // namespace
}  // namespace perrin::testing
