// The denoiser `dit`: size, what it is before training, gradients, refusals. Its output against a peer's is in
// tests/golden/denoisers_transformer.
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "tests/unit/plugins_b/finite_differences.hpp"
#include "tests/unit/plugins_b/transformers.hpp"

namespace perrin::testing {
namespace {

constexpr uint32_t all_slots = PERRIN_SLOT_VECTOR | PERRIN_SLOT_SEQUENCE | PERRIN_SLOT_CONCAT;

perrin_conditioning_spec vector_spec(int64_t width) {
  perrin_conditioning_spec c{};
  c.struct_size = sizeof c;
  c.slots = PERRIN_SLOT_VECTOR;
  c.vector = spec({width});
  return c;
}

// 2212.09748, table 1 and table 4 of the appendix: parameters in millions at a latent of 4 x 32 x 32, patch 2. They
// count the class embedding, 1001 rows of the width, which is the conditioner's here, and the table of positions, which
// is not trained: facebookresearch/DiT's DiT-XL/2 has 675,129,632 with both.
struct Published {
  const char* name;
  int64_t width, depth, heads;
  double millions;
};
const Published published[] = {{"DiT-S/2", 384, 12, 6, 33},
                               {"DiT-B/2", 768, 12, 12, 130},
                               {"DiT-L/2", 1024, 24, 16, 458},
                               {"DiT-XL/2", 1152, 28, 16, 675}};

TEST(Dit, has_the_published_sizes) {
  for (const Published& p : published) {
    const Dit dit{2, p.width, p.depth, p.heads, 4, true};
    const auto c = vector_spec(p.width);
    const int64_t own = parameter_count("dit", dit.values(), spec({4, 32, 32}), &c);
    const int64_t total = own + 1001 * p.width + 16 * 16 * p.width;
    std::printf("%s: %lld trained here, %lld with class embedding and positions (published %.0f M)\n", p.name,
                static_cast<long long>(own), static_cast<long long>(total), p.millions);
    EXPECT_NEAR(static_cast<double>(total) / 1e6, p.millions, 0.6);
    if (p.depth == 28) EXPECT_EQ(total, 675129632);
  }
}

TEST(Dit, predicts_zero_before_training_whatever_it_is_given) {
  const Batch in = batch({3, 8, 8}, all_slots);
  const auto c = spec_of(in.condition);
  const Bound net = denoiser("dit", Dit().values(), spec({3, 8, 8}), &c);
  const auto out = forward(net.component, in.x, in.c_noise, in.condition);
  EXPECT_EQ(out.sizes(), in.x.sizes());
  EXPECT_EQ(out.abs().max().item<double>(), 0);
}

TEST(Dit, infers_the_shape_that_forward_gives) {
  for (const bool learnt : {false, true}) {
    const Dit dit{.learnt_variance = learnt};
    auto component = load("denoiser", "dit", dit.values());
    const perrin_spec x = spec({3, 4, 8});
    perrin_spec inferred{};
    component.invoke<&perrin_denoiser::infer>(&x, nullptr, &inferred);
    EXPECT_EQ(inferred.sizes[0], learnt ? 6 : 3);
    const Bound net(std::move(component));
    const auto out = forward(net.component, at::randn({2, 3, 4, 8}), at::randn({2}));
    EXPECT_EQ(out.sizes().slice(1), at::IntArrayRef(inferred.sizes, inferred.rank));
  }
}

TEST(Dit, follows_every_condition_and_keeps_samples_apart) {
  const Batch in = batch({3, 8, 8}, all_slots);
  expect_conditions_and_samples_apart(stirred("dit", Dit().values(), in), in);
}

TEST(Dit, gradient_agrees_with_finite_differences) {
  const Dit small{.width = 8, .learnt_variance = true};
  check({"dit", "dit", small.values(), {1, 4, 4}, 0, 0.3});
  check({"dit, every condition", "dit", small.values(), {1, 4, 4}, all_slots, 0.3});
  check({"dit, vector as wide as a token", "dit", Dit{.width = 20}.values(), {2, 4, 4}, PERRIN_SLOT_VECTOR, 0.2});
}

TEST(Dit, checkpointing_changes_no_bit) {
  expect_exact_checkpointing("dit", Dit().values(), Dit{.gradient_checkpointing = true}.values(),
                             batch({3, 8, 8}, all_slots));
}

// bfloat16 has 8 bits: 2^-9 = 0.002 a rounding. Tolerances: 0.02 of the output, 0.05 of the gradient.
TEST(Dit, in_bf16_stays_near_fp32) {
  const Batch in = batch({3, 8, 8}, all_slots);
  Bound net = stirred("dit", Dit().values(), in);
  net.values.mul_(0.5);
  const Relative error = bf16_error(net, in);
  std::printf("dit: bf16 against fp32, output %.1e, gradient %.1e\n", error.output, error.gradient);
  EXPECT_LT(error.output, 0.02);
  EXPECT_LT(error.gradient, 0.05);
}

TEST(Dit, refuses_what_does_not_fit_and_says_what_would) {
  const Values values = Dit{.patch = 4}.values();
  expect_refusal("dit", values, spec({3, 8, 10}), nullptr, {"[3, 8, 10]", "patch = 4", "[3, 8, 12]", "another patch"});
  expect_refusal("dit", values, spec({2}), nullptr, {"[C, H, W]", "[2]", "mlp"});
  expect_refusal("dit", Dit{.width = 36, .heads = 8}.values(), spec({3, 8, 8}), nullptr, {"heads = 8", "width = 36"});
  expect_refusal("dit", Dit{.width = 30, .heads = 2}.values(), spec({3, 8, 8}), nullptr, {"multiple of 4", "30"});
  auto c = vector_spec(5);
  c.slots = PERRIN_SLOT_CONCAT;
  c.concat = spec({1, 4, 8});
  expect_refusal("dit", values, spec({3, 8, 8}), &c, {"[1, 4, 8]", "[3, 8, 8]", "same height and width"});
  c.slots = PERRIN_SLOT_SEQUENCE;
  c.sequence = spec({5});
  expect_refusal("dit", values, spec({3, 8, 8}), &c, {"[5]", "[3, 8, 8]", "[length, width]"});
  c.slots = PERRIN_SLOT_VECTOR;
  c.vector = spec({5, 6});
  expect_refusal("dit", values, spec({3, 8, 8}), &c, {"[5, 6]", "[3, 8, 8]", "[width]"});
}

}  // namespace
}  // namespace perrin::testing
