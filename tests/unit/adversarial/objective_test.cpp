// What the two players minimise: published values and hand-worked ones.
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>

#include "plugins/losses/gan_losses.hpp"

namespace perrin::testing {
namespace {

using losses::Objective;

double at_logit(at::Tensor (*loss)(Objective, const at::Tensor&), Objective objective, double D) {
  return loss(objective, at::tensor({D}, at::kDouble)).item<double>();
}

// mmagic's tests of GANLoss with loss_weight 2, which weighs the generator's loss alone; it writes them to four digits
// after the point, the digits here are those of log(1 + e^-1) and log(1 + e).
TEST(GanLosses, agree_with_those_of_mmagic) {
  EXPECT_NEAR(2 * at_logit(losses::of_generator, Objective::vanilla, 1), 0.6265233, 1e-7);
  EXPECT_NEAR(at_logit(losses::of_fake, Objective::vanilla, 1), 1.3132616, 1e-7);
  EXPECT_NEAR(at_logit(losses::of_fake, Objective::hinge, 2), 3.0, 1e-12);
}

TEST(GanLosses, of_the_hinge_worked_by_hand) {
  const auto real = at::tensor({2.0, 0.0, -1.0}, at::kDouble), fake = at::tensor({-2.0, 0.0, 1.0}, at::kDouble);
  EXPECT_TRUE(losses::of_real(Objective::hinge, real).equal(at::tensor({0.0, 1.0, 2.0}, at::kDouble)));
  EXPECT_TRUE(losses::of_fake(Objective::hinge, fake).equal(at::tensor({0.0, 1.0, 2.0}, at::kDouble)));
  EXPECT_TRUE(losses::of_generator(Objective::hinge, fake).equal(-fake));
  EXPECT_EQ(losses::share(Objective::hinge), 0.5);
}

// critic(x) = <w, x> has the slope w everywhere; (|w| - 1)^2 has the gradient 2 (|w| - 1) w / |w|, |w|^2 has 2 w.
TEST(Penalty, of_a_linear_critic_is_that_of_its_weight) {
  const auto w = at::tensor({3.0, -4.0, 12.0}, at::kDouble).set_requires_grad(true);  // of length 13
  const losses::Critic critic = [&](const at::Tensor& x) { return (x * w).sum(1); };
  const auto x = at::randn({5, 3}, at::kDouble);
  const auto penalty = losses::gradient_penalty(critic, x), r1 = losses::squared_slope(critic, x);
  EXPECT_NEAR((penalty - 144).abs().max().item<double>(), 0, 1e-9);
  EXPECT_NEAR((r1 - 169).abs().max().item<double>(), 0, 1e-9);
  penalty.mean().backward({}, true);
  EXPECT_NEAR((w.grad() - 2 * 12.0 / 13 * w).abs().max().item<double>(), 0, 1e-9);
  w.mutable_grad() = at::Tensor();
  r1.mean().backward();
  EXPECT_NEAR((w.grad() - 2 * w).abs().max().item<double>(), 0, 1e-9);
}

// A decoder whose last layer is w = (w_1, w_2): terms 3 w_1 + 4 w_2 pull with 5, the term itself, 0.6 w_1, with 0.6.
TEST(AdaptiveWeight, worked_by_hand) {
  const auto w = at::tensor({1.0, 2.0}, at::kDouble).set_requires_grad(true);
  const auto terms = 3 * w[0] + 4 * w[1];
  EXPECT_NEAR(losses::adaptive_weight(terms, 0.6 * w[0], w).item<double>(), 5 / 0.6001, 1e-12);
  EXPECT_NEAR(losses::adaptive_weight(terms, 1e-9 * w[1], w).item<double>(), 1e4, 0) << "clamped";
  EXPECT_NEAR(losses::adaptive_weight(0 * w[0], w[1], w).item<double>(), 0, 0);
  EXPECT_FALSE(losses::adaptive_weight(terms, w[0], w).requires_grad());
  EXPECT_FALSE(w.grad().defined());
}

}  // namespace
}  // namespace perrin::testing
