// contrastive: a hand-worked batch, gradients, and the bound of its temperature.
#include <ATen/TensorOperators.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/tensor.h>

#include <cmath>

#include "tests/unit/losses_first_stage/held.hpp"
#include "tests/unit/plugins_b/finite_differences.hpp"

namespace perrin::testing {
namespace {

Bound contrastive() {
  auto loss = held("contrastive");
  infer(loss, {{"embedding", {2}}, {"condition", {2}}});
  return Bound(std::move(loss), at::kDouble);
}

// Images (1, 0) and (0, 5), captions (3, 0) and (1, 1): cosines (1 c; 0 c) with c = 1 / sqrt 2, times s = 1 / 0.07.
// Rows: softplus(s c - s) and softplus(-s c); columns: softplus(-s) and softplus(s c - s c) = ln 2.
TEST(Contrastive, values_of_a_batch_of_two_by_hand) {
  const Bound loss = contrastive();
  const auto image = at::tensor({1.0, 0.0, 0.0, 5.0}, at::kDouble).view({2, 2});
  const auto text = at::tensor({3.0, 0.0, 1.0, 1.0}, at::kDouble).view({2, 2});
  const auto values = values_of(loss.component, {{"embedding", image}, {"condition", text}});
  const double s = 1 / 0.07, c = std::sqrt(0.5);
  EXPECT_NEAR(values[0].item<double>(), (std::log1p(std::exp(s * c - s)) + std::log1p(std::exp(-s))) / 2, 1e-12);
  EXPECT_NEAR(values[1].item<double>(), (std::log1p(std::exp(-s * c)) + std::log(2.0)) / 2, 1e-12);
  EXPECT_NEAR(traced(loss.component)[0], 0.07, 1e-12);
}

TEST(Contrastive, knows_what_it_costs_to_know_nothing_and_everything) {
  const Bound loss = contrastive();
  const auto same = at::tensor({1.0, 1.0}, at::kDouble).expand({7, 2});
  const auto values = values_of(loss.component, {{"embedding", same}, {"condition", same}});
  EXPECT_NEAR(values.mean().item<double>(), std::log(7.0), 1e-12);
  const auto apart = at::eye(4, at::kDouble);
  const auto right = values_of(loss.component, {{"embedding", apart * 3}, {"condition", apart}});
  EXPECT_NEAR(right[2].item<double>(), std::log1p(3 * std::exp(-1 / 0.07)), 1e-12);
  EXPECT_EQ(traced(loss.component)[1], 1);
  values_of(loss.component, {{"embedding", apart.flip({0})}, {"condition", apart}});
  EXPECT_EQ(traced(loss.component)[1], 0);
}

TEST(Contrastive, gradient_agrees_with_finite_differences) {
  Bound loss = contrastive();
  const auto image = leaf({5, 3}), text = leaf({5, 3}), weights = at::randn({5}, at::kDouble);
  worst_directional_error(
      [&] {
        return values_of(loss.component, {{"embedding", image}, {"condition", text}}).mul(weights).sum();
      },
      {{"embedding", image}, {"condition", text}, {"log_scale", loss.at("log_scale").value}});
}

// Pairs that are right pull the temperature down for ever, wrong ones pull it up: the scale stays at 100, and comes
// back.
TEST(Contrastive, scales_by_a_hundred_at_most_and_comes_back_from_there) {
  Bound loss = contrastive();
  const auto captions = at::eye(4, at::kDouble).narrow(1, 0, 2).add(0.1);
  const auto gradient_of = [&](const at::Tensor& images, double log_scale) {
    auto& p = loss.at("log_scale").value;
    p.detach().fill_(log_scale);
    p.mutable_grad().zero_();
    values_of(loss.component, {{"embedding", images}, {"condition", captions}}).mean().backward();
    return p.grad().item<double>();
  };
  const auto wrong = captions.flip({0});
  EXPECT_LT(gradient_of(captions, 2), 0);
  EXPECT_EQ(gradient_of(captions, 5), 0);
  EXPECT_NEAR(traced(loss.component)[0], 0.01, 1e-12);
  const double within = gradient_of(wrong, std::log(100.0)), beyond = gradient_of(wrong, 7);
  EXPECT_GT(beyond, 0);
  EXPECT_NEAR(beyond, within, 1e-9 * within);
}

TEST(Contrastive, is_exact_in_a_stage_of_bfloat16) {
  auto component = held("contrastive");
  infer(component, {{"embedding", {16}}, {"condition", {16}}});
  const Bound loss(std::move(component));
  const Tensors inputs{{"embedding", at::randn({5, 16})}, {"condition", at::randn({5, 16})}};
  EXPECT_TRUE(values_of(loss.component, inputs, {.bf16 = true}).equal(values_of(loss.component, inputs)));
}

TEST(Contrastive, declares_one_parameter) {
  const Bound loss = contrastive();
  ASSERT_EQ(loss.declared.size(), 1u);
  EXPECT_EQ(loss.declared[0].role, PERRIN_PARAMETER);
  EXPECT_NEAR(loss.declared[0].value.item<double>(), std::log(1 / 0.07), 1e-12);
}

TEST(Contrastive, refuses_embeddings_of_two_widths) {
  const auto loss = held("contrastive");
  const auto said = message([&] { infer(loss, {{"embedding", {64}}, {"condition", {32}}}); });
  EXPECT_NE(said.find("[64]"), std::string::npos) << said;
  EXPECT_NE(said.find("[32]"), std::string::npos) << said;
}

}  // namespace
}  // namespace perrin::testing
