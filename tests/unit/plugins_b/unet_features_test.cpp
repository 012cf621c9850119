// The denoiser `unet` beyond DDPM's: published sizes, transformers, dropout, learnt variance, bf16.
#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "host/base/error.hpp"
#include "host/services/host.hpp"
#include "sdk/include/perrin/cpp/layers.hpp"
#include "tests/unit/plugins_b/bound.hpp"

namespace perrin::testing {
namespace {

perrin_conditioning_spec sequence_of(int64_t length, int64_t width) {
  perrin_conditioning_spec c{};
  c.struct_size = sizeof c;
  c.slots = PERRIN_SLOT_SEQUENCE;
  c.sequence = spec({length, width});
  return c;
}

// The CIFAR-10 network of DDPM (2006.11239, appendix B: 35.7 million), on [3, 32, 32]:
//   [denoiser]
//   use = "unet"
//   channels = [128, 256, 256, 256]
//   attention = [1]
//   heads = 1
//   dropout = 0.1
// 35,746,307: diffusers 0.42.1, UNet2DModel with the same settings, and google/ddpm-cifar10-32.
TEST(UNetSize, of_ddpm_for_cifar10_is_the_published_one) {
  UNet unet;
  unet.channels = {128, 256, 256, 256}, unet.groups = 32, unet.attention = {1};
  unet.head_channels = 0, unet.heads = 1, unet.dropout = 0.1;
  EXPECT_EQ(parameter_count("unet", unet.values(), spec({3, 32, 32})), 35'746'307);
}

// Stable Diffusion 1 (2112.10752; 860 million), on latents [4, 64, 64] and a sequence [77, 768]:
//   [denoiser]
//   use = "unet"
//   channels = [320, 640, 1280, 1280]
//   attention = [0, 1, 2]
//   transformer_depth = [1]
//   heads = 8
// 859,520,964: diffusers 0.42.1, UNet2DConditionModel(cross_attention_dim=768).
// Stable Diffusion 2: a sequence [77, 1024], head_channels = 64 for heads, linear_projection = true.
// 865,910,724: UNet2DConditionModel(cross_attention_dim=1024, attention_head_dim=(5, 10, 20, 20),
// use_linear_projection=True).
TEST(UNetSize, of_stable_diffusion_is_the_published_one) {
  UNet unet;
  unet.channels = {320, 640, 1280, 1280}, unet.groups = 32, unet.attention = {0, 1, 2};
  unet.head_channels = 0, unet.heads = 8, unet.transformer_depth = {1};
  auto c = sequence_of(77, 768);
  EXPECT_EQ(parameter_count("unet", unet.values(), spec({4, 64, 64}), &c), 859'520'964);
  unet.heads = 0, unet.head_channels = 64, unet.linear_projection = true;
  c = sequence_of(77, 1024);
  EXPECT_EQ(parameter_count("unet", unet.values(), spec({4, 64, 64}), &c), 865'910'724);
}

UNet transformers() {
  UNet unet;
  unet.channels = {16, 32}, unet.attention = {0, 1}, unet.transformer_depth = {1, 2};
  return unet;
}

struct Sample {
  at::Tensor x, t;
  Condition condition;
};
Sample sample(int64_t n) {
  return {at::randn({n, 2, 8, 8}), at::arange(n, at::kFloat).mul(100), {{}, at::randn({n, 5, 12}), {}}};
}

TEST(UNetTransformer, gives_each_sample_its_own_output_and_follows_the_sequence) {
  const at::NoGradGuard no_grad;
  const auto c = sequence_of(5, 12);
  const Bound net = denoiser("unet", transformers().values(), spec({2, 8, 8}), &c);
  const Sample s = sample(7);
  const auto all = forward(net.component, s.x, s.t, s.condition);
  double worst = 0;
  for (int64_t i = 0; i < 7; ++i) {
    const auto cut = [i](const at::Tensor& t) { return t.narrow(0, i, 1); };
    const auto one = forward(net.component, cut(s.x), cut(s.t), {{}, cut(s.condition.sequence), {}});
    worst = std::max(worst, one.sub(cut(all)).abs().max().item<double>());
  }
  std::printf("a sample alone against the same one in a batch of 7: at most %.2e apart\n", worst);
  EXPECT_LT(worst, 2e-6);
  const auto other = forward(net.component, s.x, s.t, {{}, at::randn({7, 5, 12}), {}});
  EXPECT_GT(other.sub(all).abs().max().item<double>(), 1e-4);
}

// Without a sequence a transformer is self-attention and feed-forward.
TEST(UNetTransformer, has_no_cross_attention_without_a_sequence) {
  const auto c = sequence_of(5, 12);
  const Bound with = denoiser("unet", transformers().values(), spec({2, 8, 8}), &c);
  const Bound without = denoiser("unet", transformers().values(), spec({2, 8, 8}));
  const auto crossing = [](const Bound& net) {
    return std::count_if(net.declared.begin(), net.declared.end(),
                         [](const Declared& d) { return d.name.find(".attn2.to_q") != std::string::npos; });
  };
  EXPECT_EQ(crossing(with), 5 * 1 + 5 * 2 + 2);  // two residual blocks down and three up a level, and the middle
  EXPECT_EQ(crossing(without), 0);
}

double apart(const at::Tensor& a, const at::Tensor& b) { return (a.sub(b).norm() / b.norm()).item<double>(); }

// Tolerance: bf16 has 8 bits, 2^-9 = 0.002 a rounding, over some thirty layers.
TEST(UNetTransformer, agrees_in_bf16_with_float32) {
  UNet unet = transformers();
  unet.scale_shift_norm = true;
  const auto c = sequence_of(5, 12);
  Bound net = denoiser("unet", unet.values(), spec({2, 8, 8}), &c);
  const Sample s = sample(4);
  const auto run = [&](bool bf16) {
    net.gradients.zero_();
    at::autocast::set_autocast_enabled(at::kCPU, bf16);
    const auto out = forward(net.component, s.x, s.t, s.condition);
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, false);
    out.to(at::kFloat).square().mean().backward();
    return std::pair{out.to(at::kFloat).detach(), net.gradients.clone()};
  };
  const auto exact = run(false), rough = run(true);
  const double out = apart(rough.first, exact.first), gradient = apart(rough.second, exact.second);
  std::printf("bf16 against float32, relative: output %.4f, gradient %.4f\n", out, gradient);
  EXPECT_LT(out, 0.03);
  EXPECT_LT(gradient, 0.06);
}

TEST(UNet, predicts_a_variance_beside_if_asked) {
  UNet unet;
  unet.learnt_variance = true;
  auto component = load("denoiser", "unet", unet.values());
  const perrin_spec x = spec({3, 8, 8});
  perrin_spec prediction{};
  component.invoke<&perrin_denoiser::infer>(&x, nullptr, &prediction);
  EXPECT_EQ(at::IntArrayRef(prediction.sizes, prediction.rank), at::IntArrayRef({6, 8, 8}));
  const Bound net(std::move(component));
  EXPECT_EQ(forward(net.component, at::randn({2, 3, 8, 8}), at::arange(2, at::kFloat)).sizes(),
            at::IntArrayRef({2, 6, 8, 8}));
}

// Layers in this program find the host as those of a plugin do.
Draws draws(uint64_t seed, std::vector<uint64_t> samples) {
  perrin::detail::host_slot() = services::native_host();
  return {seed, std::move(samples)};
}

TEST(Dropout, zeroes_the_share_asked_for_and_keeps_the_mean) {
  const Draws d = draws(3, {5, 6, 9});
  const double p = 0.3, n = 3 * 16 * 32 * 32;
  const auto x = at::ones({3, 16, 32, 32}), y = Dropout(p, 2)(x, &d);
  const double zeros = y.eq(0).sum().item<double>();
  EXPECT_NEAR(zeros / n, p, 4 * std::sqrt(p * (1 - p) / n));
  EXPECT_EQ(y.sub(1 / (1 - p)).abs().lt(1e-6).sum().item<double>(), n - zeros)
      << "an element is neither 0 nor 1 / (1 - p)";
  EXPECT_TRUE(Dropout(p, 2)(x, nullptr).equal(x));
}

// Expected by chance: masks of p = 0.5 agree in half of their 4096 elements, within 4 deviations of 32.
TEST(Dropout, is_a_function_of_seed_sample_and_layer) {
  const auto x = at::ones({1, 16, 16, 16}), two = at::ones({2, 16, 16, 16});
  const auto mask = [](const at::Tensor& ones, uint64_t seed, std::vector<uint64_t> samples, uint64_t layer) {
    const Draws d = draws(seed, std::move(samples));
    return Dropout(0.5, layer)(ones, &d);
  };
  const auto base = mask(x, 1, {7}, 0);
  EXPECT_TRUE(mask(two, 1, {4, 7}, 0).narrow(0, 1, 1).equal(base)) << "depends on the batch";
  EXPECT_TRUE(mask(x.contiguous(at::MemoryFormat::ChannelsLast), 1, {7}, 0).equal(base)) << "depends on memory order";
  for (const auto& other : {mask(x, 2, {7}, 0), mask(x, 1, {8}, 0), mask(x, 1, {7}, 1)})
    EXPECT_NEAR(other.eq(base).sum().item<double>(), 2048, 4 * 32);
}

TEST(UNet, drops_in_training_only_and_each_sample_its_own) {
  const at::NoGradGuard no_grad;
  UNet dropping;
  dropping.dropout = 0.4;
  const Bound net = denoiser("unet", dropping.values(), spec({1, 8, 8})),
              plain = denoiser("unet", UNet().values(), spec({1, 8, 8}));
  const auto x = at::randn({4, 1, 8, 8}), t = at::arange(4, at::kFloat);
  const auto with = [&](const When& when) { return forward(net.component, x, t, {}, when); };
  EXPECT_TRUE(with({.training = false}).equal(forward(plain.component, x, t))) << "evaluation drops";
  EXPECT_TRUE(with({}).equal(with({}))) << "two evaluations of one input differ";
  EXPECT_GT(apart(with({.seed = 1}), with({})), 0.01);
  EXPECT_GT(apart(with({.first = 4}), with({})), 0.01);
  const auto alone = forward(net.component, x.narrow(0, 2, 1), t.narrow(0, 2, 1), {}, {.first = 2});
  EXPECT_LT(alone.sub(with({}).narrow(0, 2, 1)).abs().max().item<double>(), 2e-6)
      << "the batch changes a sample's mask";
}

void expect_refused(const UNet& unet, std::initializer_list<const char*> parts) {
  std::string message = "accepted";
  try {
    denoiser("unet", unet.values(), spec({1, 8, 8}));
  } catch (const Error& error) {
    message = error.what();
  }
  for (const char* part : parts) EXPECT_NE(message.find(part), std::string::npos) << part << " is not in: " << message;
}

TEST(UNet, refuses_heads_and_depths_that_do_not_fit) {
  UNet unet;
  unet.heads = 2;
  expect_refused(unet, {"heads = 2", "head_channels = 8", "leave one out"});
  unet.head_channels = 0, unet.heads = 3;
  expect_refused(unet, {"16 channels", "3 heads"});
  unet = UNet();
  unet.transformer_depth = {1, 2, 3};
  expect_refused(unet, {"transformer_depth has 3 entries", "each of the 2"});
  unet.transformer_depth = {2, 1};
  expect_refused(unet, {"gives level 0 2 blocks", "attention does not name that level"});
}

}  // namespace
}  // namespace perrin::testing
