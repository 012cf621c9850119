// The denoiser `edm2-unet`: size, magnitudes, gradients, refusals. Its output against the authors' is in
// tests/golden/denoisers_transformer.
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/plugins_b/finite_differences.hpp"
#include "tests/unit/plugins_b/transformers.hpp"

namespace perrin::testing {
namespace {

constexpr uint32_t both_slots = PERRIN_SLOT_VECTOR | PERRIN_SLOT_CONCAT;

double magnitude(const at::Tensor& x) { return x.square().mean().sqrt().item<double>(); }

// 2312.02696, table 2, in millions; to the last digit by the authors' network in peers.py of
// tests/golden/denoisers_transformer. ImageNet-512: latents of 4 x 64 x 64, 1000 classes as one-hot vectors.
struct Published {
  const char* name;
  int64_t channels, parameters;
  double millions;
};
const Published published[] = {{"EDM2-XS", 128, 124713125, 125},   {"EDM2-S", 192, 280212709, 280},
                               {"EDM2-M", 256, 497807653, 498},    {"EDM2-L", 320, 777497957, 777},
                               {"EDM2-XL", 384, 1119283621, 1119}, {"EDM2-XXL", 448, 1523164645, 1523}};

TEST(Edm2, has_the_published_sizes) {
  perrin_conditioning_spec c{};
  c.struct_size = sizeof c;
  c.slots = PERRIN_SLOT_VECTOR;
  c.vector = spec({1000});
  for (const Published& p : published) {
    const int64_t n = p.channels;
    const Edm2 edm2{{n, 2 * n, 3 * n, 4 * n}, 3, {2, 3}, 64};
    const int64_t count = parameter_count("edm2-unet", edm2.values(), spec({4, 64, 64}), &c);
    std::printf("%s: %lld parameters (published %.0f M)\n", p.name, static_cast<long long>(count), p.millions);
    EXPECT_EQ(count, p.parameters);
    EXPECT_NEAR(static_cast<double>(count) / 1e6, p.millions, 0.51);
  }
}

// Figure 21: the gain of the output starts from zero.
TEST(Edm2, predicts_zero_before_training_whatever_it_is_given) {
  const Batch in = batch({3, 8, 8}, both_slots);
  const auto c = spec_of(in.condition);
  const Bound net = denoiser("edm2-unet", Edm2().values(), spec({3, 8, 8}), &c);
  const auto out = forward(net.component, in.x, in.c_noise, in.condition);
  EXPECT_EQ(out.sizes(), in.x.sizes());
  EXPECT_EQ(out.abs().max().item<double>(), 0);
}

// Sections 2.3 and 2.4: once the gain is 1, an input of magnitude 1 gives an output of about that magnitude, at any
// depth. Two parts of the paper's network lower it: zeros around the image, and attention, which averages values of
// independent pixels before training; each block by itself is in edm2_magnitude_test.cpp.
TEST(Edm2, output_magnitude_does_not_drift_with_depth) {
  const at::NoGradGuard no_grad;
  for (const Edm2& edm2 :
       {Edm2{{32}, 1, {}}, Edm2{{32}, 16, {}}, Edm2{{32, 64}, 3, {}}, Edm2{{32, 64, 96}, 6, {1, 2}}}) {
    const Batch in = batch({4, 16, 16}, both_slots, 4);
    const auto c = spec_of(in.condition);
    double mean = 0;
    for (uint64_t seed = 0; seed < 4; ++seed) {
      Bound net(denoiser("edm2-unet", edm2.values(), spec({4, 16, 16}), &c).component, at::kFloat, seed);
      net.at("out_gain").value.detach().fill_(1);
      mean += magnitude(forward(net.component, in.x, in.c_noise, in.condition)) / 4;
    }
    std::printf("%zu levels, %lld blocks each: output magnitude %.3f\n", edm2.channels.size(),
                static_cast<long long>(edm2.layers_per_block), mean);
    EXPECT_GT(mean, 0.8);
    EXPECT_LT(mean, 1.1);
  }
}

TEST(Edm2, drops_in_training_only_and_each_sample_its_own) {
  const at::NoGradGuard no_grad;
  const Batch in = batch({3, 8, 8}, 0, 4);
  Edm2 dropping;
  dropping.dropout = 0.4;
  const Bound net = stirred("edm2-unet", dropping.values(), in), plain = stirred("edm2-unet", Edm2().values(), in);
  const auto with = [&](const When& when) { return forward(net.component, in.x, in.c_noise, {}, when); };
  EXPECT_TRUE(with({.training = false}).equal(forward(plain.component, in.x, in.c_noise))) << "evaluation drops";
  EXPECT_TRUE(with({}).equal(with({})));
  EXPECT_GT(with({.seed = 1}).sub(with({})).abs().max().item<double>(), 0.01);
  const auto alone = forward(net.component, in.x.narrow(0, 2, 1), in.c_noise.narrow(0, 2, 1), {}, {.first = 2});
  EXPECT_LT(alone.sub(with({}).narrow(0, 2, 1)).abs().max().item<double>(), 2e-6)
      << "the batch changes a sample's mask";
}

// Equation 47: only the direction of a weight counts. Two magnitudes, both far above eps.
TEST(Edm2, does_not_depend_on_the_magnitude_of_its_weights) {
  const at::NoGradGuard no_grad;
  const Batch in = batch({3, 8, 8}, both_slots);
  Bound net = stirred("edm2-unet", Edm2().values(), in);
  net.values.mul_(100);
  net.at("emb_fourier.freqs").value.detach().fill_(1);
  const auto gains = [&net] {
    for (Declared& d : net.declared)
      if (d.sizes.empty()) d.value.detach().fill_(0.7);
  };
  gains();
  const auto out = forward(net.component, in.x, in.c_noise, in.condition);
  for (Declared& d : net.declared)
    if (d.name.ends_with(".weight")) d.value.detach().mul_(8);
  const auto scaled = forward(net.component, in.x, in.c_noise, in.condition);
  EXPECT_LT(magnitude(scaled.sub(out)) / magnitude(out), 1e-4);
  EXPECT_GT(magnitude(out), 0.1);
}

TEST(Edm2, follows_every_condition_and_keeps_samples_apart) {
  const Batch in = batch({3, 8, 8}, both_slots);
  expect_conditions_and_samples_apart(stirred("edm2-unet", Edm2().values(), in), in);
}

// With positional features: the Fourier ones' frequencies are buffers, which nothing differentiates.
TEST(Edm2, gradient_agrees_with_finite_differences) {
  const Edm2 small{.channels = {4, 8}, .head_channels = 4, .time = "positional"};
  check({"edm2-unet", "edm2-unet", small.values(), {1, 4, 4}, 0, 0.5});
  check({"edm2-unet, vector and concat", "edm2-unet", small.values(), {1, 4, 4}, both_slots, 0.5});
}

TEST(Edm2, checkpointing_changes_no_bit) {
  expect_exact_checkpointing("edm2-unet", Edm2().values(), Edm2{.gradient_checkpointing = true}.values(),
                             batch({3, 8, 8}, both_slots));
}

// bfloat16 has 8 bits: 2^-9 = 0.002 a rounding. Tolerances: 0.03 of the output, 0.06 of the gradient.
TEST(Edm2, in_bf16_stays_near_fp32) {
  const Batch in = batch({3, 8, 8}, both_slots);
  Bound net = stirred("edm2-unet", Edm2().values(), in);
  const Relative error = bf16_error(net, in);
  std::printf("edm2-unet: bf16 against fp32, output %.1e, gradient %.1e\n", error.output, error.gradient);
  EXPECT_LT(error.output, 0.03);
  EXPECT_LT(error.gradient, 0.06);
}

TEST(Edm2, refuses_what_does_not_fit_and_says_what_would) {
  const Values values = Edm2{{8, 16, 16}}.values();
  expect_refusal("edm2-unet", values, spec({1, 28, 30}), nullptr,
                 {"[1, 28, 30]", "3 levels", "divisible by 4", "[1, 28, 32]", "fewer entries in channels"});
  expect_refusal("edm2-unet", values, spec({2}), nullptr, {"[C, H, W]", "[2]", "mlp"});
  expect_refusal("edm2-unet", Edm2{{8, 20}}.values(), spec({1, 8, 8}), nullptr, {"20 channels", "heads of 8"});
  expect_refusal("edm2-unet", Edm2{{8, 16}, 1, {2}}.values(), spec({1, 8, 8}), nullptr, {"level 2", "0 to 1"});
  expect_refusal("edm2-unet", Edm2{{}, 1, {}}.values(), spec({1, 8, 8}), nullptr, {"channels is empty"});
  expect_refusal("edm2-unet", Edm2{{9, 16}}.values(), spec({1, 8, 8}), nullptr, {"channels[0] must be even", "9"});
  perrin_conditioning_spec c{};
  c.struct_size = sizeof c;
  c.slots = PERRIN_SLOT_SEQUENCE;
  c.sequence = spec({77, 768});
  expect_refusal("edm2-unet", values, spec({4, 8, 8}), &c, {"[77, 768]", "[4, 8, 8]", "unet, dit and uvit"});
  c.slots = PERRIN_SLOT_CONCAT;
  c.concat = spec({1, 4, 8});
  expect_refusal("edm2-unet", values, spec({3, 8, 8}), &c, {"[1, 4, 8]", "[3, 8, 8]", "same height and width"});
}

}  // namespace
}  // namespace perrin::testing
