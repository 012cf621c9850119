// The denoiser `uvit`: size, gradients, refusals. Its output against the authors' is in
// tests/golden/denoisers_transformer.
#include <gtest/gtest.h>

#include "tests/unit/plugins_b/finite_differences.hpp"
#include "tests/unit/plugins_b/transformers.hpp"

namespace perrin::testing {
namespace {

constexpr uint32_t all_slots = PERRIN_SLOT_VECTOR | PERRIN_SLOT_SEQUENCE | PERRIN_SLOT_CONCAT;

// 2209.12152, table 1: parameters in millions, the class embedding among them, 1000 rows of the width, which is the
// conditioner's here. To the last digit, where given: the authors' network with the settings of their configs
// cifar10_uvit_small.py and imagenet64_uvit_mid.py, by tests/golden/denoisers_transformer/peers.py.
struct Published {
  const char* name;
  UVit uvit;
  std::vector<int64_t> x;
  int64_t classes, exactly;
  double millions;
};
const Published published[] = {{"U-ViT-S/2", {2, 512, 12, 8}, {3, 32, 32}, 0, 44255328, 44},
                               {"U-ViT-S/2 deep", {2, 512, 16, 8}, {4, 32, 32}, 0, 0, 58},
                               {"U-ViT-M/4", {4, 768, 16, 12}, {3, 64, 64}, 1000, 130940292, 131},
                               {"U-ViT-L/4", {4, 1024, 20, 16}, {3, 64, 64}, 1000, 0, 287},
                               {"U-ViT-H/2", {2, 1152, 28, 16}, {4, 32, 32}, 1000, 0, 501}};

TEST(UVit, has_the_published_sizes) {
  for (const Published& p : published) {
    perrin_conditioning_spec c{};
    c.struct_size = sizeof c;
    c.slots = PERRIN_SLOT_VECTOR;
    c.vector = spec({p.uvit.width});
    const int64_t own = parameter_count("uvit", p.uvit.values(), spec(p.x), p.classes ? &c : nullptr);
    const int64_t total = own + p.classes * p.uvit.width;
    std::printf("%s: %lld trained here, %lld with class embedding (published %.0f M)\n", p.name,
                static_cast<long long>(own), static_cast<long long>(total), p.millions);
    EXPECT_NEAR(static_cast<double>(total) / 1e6, p.millions, 0.6);
    if (p.exactly != 0) EXPECT_EQ(total, p.exactly);
  }
}

TEST(UVit, gives_the_shape_of_its_input) {
  const Batch in = batch({3, 4, 8}, 0);
  const auto out = forward(stirred("uvit", UVit().values(), in).component, in.x, in.c_noise);
  EXPECT_EQ(out.sizes(), in.x.sizes());
}

TEST(UVit, follows_every_condition_and_keeps_samples_apart) {
  const Batch in = batch({3, 8, 8}, all_slots);
  expect_conditions_and_samples_apart(stirred("uvit", UVit().values(), in), in);
}

TEST(UVit, gradient_agrees_with_finite_differences) {
  const UVit small{.width = 8, .depth = 4};
  check({"uvit", "uvit", small.values(), {1, 4, 4}, 0, 0.3});
  check({"uvit, every condition", "uvit", small.values(), {1, 4, 4}, all_slots, 0.3});
  check({"uvit, vector as wide as a token", "uvit", UVit{.width = 10}.values(), {2, 4, 4}, PERRIN_SLOT_VECTOR, 0.3});
}

TEST(UVit, checkpointing_changes_no_bit) {
  expect_exact_checkpointing("uvit", UVit{.depth = 4}.values(),
                             UVit{.depth = 4, .gradient_checkpointing = true}.values(), batch({3, 8, 8}, all_slots));
}

// bfloat16 has 8 bits: 2^-9 = 0.002 a rounding. Tolerances: 0.02 of the output, 0.05 of the gradient.
TEST(UVit, in_bf16_stays_near_fp32) {
  const Batch in = batch({3, 8, 8}, all_slots);
  Bound net = stirred("uvit", UVit().values(), in);
  net.values.mul_(0.5);
  const Relative error = bf16_error(net, in);
  std::printf("uvit: bf16 against fp32, output %.1e, gradient %.1e\n", error.output, error.gradient);
  EXPECT_LT(error.output, 0.02);
  EXPECT_LT(error.gradient, 0.05);
}

TEST(UVit, refuses_what_does_not_fit_and_says_what_would) {
  const Values values = UVit{.patch = 4}.values();
  expect_refusal("uvit", values, spec({3, 8, 10}), nullptr, {"[3, 8, 10]", "patch = 4", "[3, 8, 12]", "another patch"});
  expect_refusal("uvit", values, spec({2}), nullptr, {"[C, H, W]", "[2]", "mlp"});
  expect_refusal("uvit", UVit{.depth = 5}.values(), spec({3, 8, 8}), nullptr, {"depth must be even", "5"});
  expect_refusal("uvit", UVit{.width = 36, .heads = 8}.values(), spec({3, 8, 8}), nullptr, {"heads = 8", "width = 36"});
  perrin_conditioning_spec c{};
  c.struct_size = sizeof c;
  c.slots = PERRIN_SLOT_CONCAT;
  c.concat = spec({1, 4, 8});
  expect_refusal("uvit", values, spec({3, 8, 8}), &c, {"[1, 4, 8]", "[3, 8, 8]", "same height and width"});
}

}  // namespace
}  // namespace perrin::testing
