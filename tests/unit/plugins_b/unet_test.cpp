// The denoiser `unet`: against diffusers, shapes, refusals, and what a sample may depend on.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>

#include "host/base/error.hpp"
#include "sdk/include/perrin/cpp/layers.hpp"
#include "tests/unit/plugins_b/bound.hpp"

namespace perrin::testing {
namespace {

// golden.py's weights.
at::Tensor peer_values(const std::string& name, const std::vector<int64_t>& sizes) {
  int64_t phase = 0, fan_in = 1;
  for (size_t i = 0; i < name.size(); ++i) phase += static_cast<int64_t>(i % 7 + 1) * name[i];
  for (size_t i = 1; i < sizes.size(); ++i) fan_in *= sizes[i];
  const double bound = sizes.size() < 2 ? 0.3 : std::sqrt(6.0 / static_cast<double>(fan_in));
  const bool centred = name.find("norm") != std::string::npos && name.ends_with("weight");
  const auto angle =
      at::arange(c10::multiply_integers(sizes), at::kDouble).mul(0.61).add(static_cast<double>(phase % 1000) / 100);
  return angle.sin().mul(bound).add(centred ? 1 : 0).view(sizes);
}

// `to_qkv` is the peer's to_q, to_k and to_v.
void fill_as_peer(Bound& net) {
  for (Declared& d : net.declared) {
    const size_t at = d.name.find("to_qkv");
    if (at == std::string::npos) {
      d.value.detach().copy_(peer_values(d.name, d.sizes));
      continue;
    }
    auto sizes = d.sizes;
    sizes[0] /= 3;
    for (int64_t i = 0; i < 3; ++i)
      d.value.detach()
          .narrow(0, i * sizes[0], sizes[0])
          .copy_(peer_values(d.name.substr(0, at) + "to_" + "qkv"[i] + d.name.substr(at + 6), sizes));
  }
}

struct Golden {
  UNet unet;
  int64_t parameters;
  double sum, gradient;
  std::vector<double> out;  // elements 0, 37, 101, 200, 255
};

// Figures: UNet2DModel of diffusers 0.42.1 in float64, by golden.py. Its time embedding is float32: hence 1e-4.
const Golden goldens[] = {
    {{{8, 16}, 4, 8, 2, {-1}}, 64338, 242.581889, 40.469591, {-0.241989, 0.578751, 0.549787, -0.350378, 0.249431}},
    {{{8, 16, 16}, 8, 4, 2, {0, 2}},
     105250,
     250.002051,
     23.257028,
     {0.138458, -2.134521, -2.290992, -0.326444, 0.042531}},
};

TEST(UNet, matches_the_peer_in_size_output_and_gradient) {
  for (const Golden& golden : goldens) {
    Bound net = denoiser("unet", golden.unet.values(), spec({2, 8, 8}), nullptr, at::kDouble);
    EXPECT_EQ(net.values.numel(), golden.parameters);
    fill_as_peer(net);
    const auto x = at::arange(256, at::kDouble).mul(0.37).sin().view({2, 2, 8, 8});
    const auto out = forward(net.component, x, at::tensor({3.0, 700.0}, at::kDouble));
    out.square().mean().backward();
    const double sum = out.abs().sum().item<double>(), gradient = net.gradients.norm().item<double>();
    std::printf("sum|out| %.6f (peer %.6f), |grad| %.6f (peer %.6f)\n", sum, golden.sum, gradient, golden.gradient);
    EXPECT_NEAR(sum, golden.sum, 1e-4 * golden.sum);
    EXPECT_NEAR(gradient, golden.gradient, 1e-4 * golden.gradient);
    const int64_t at[] = {0, 37, 101, 200, 255};
    for (size_t i = 0; i < 5; ++i)
      EXPECT_NEAR(out.flatten()[at[i]].item<double>(), golden.out[i], 1e-4) << "element " << at[i];
  }
}

// diffusers, tests/models/test_layers_utils.py, test_sinoid_embeddings_hardcoded: rows 23..25, columns 47..49 at
// width 64.
TEST(TimestepEmbedding, matches_the_published_values) {
  const auto t = at::arange(128, at::kFloat);
  const auto cut = [](const at::Tensor& e) { return e.slice(0, 23, 26).slice(1, 47, 50).flatten(); };
  const auto glide = at::tensor({0.3019, 0.2280, 0.1716, 0.3146, 0.2377, 0.1790, 0.3272, 0.2474, 0.1864}, at::kFloat);
  EXPECT_LT(cut(timestep_embedding(t, 64)).sub(glide).abs().max().item<double>(), 1e-3);
  // With shift 1 and sines first: the same two halves in the other order.
  const auto standard =
      at::tensor({0.9646, 0.9804, 0.9892, 0.9615, 0.9787, 0.9882, 0.9582, 0.9769, 0.9872}, at::kFloat);
  const auto e = timestep_embedding(t, 64, 1);
  const auto swapped = at::cat(at::TensorList{e.slice(1, 32), e.slice(1, 0, 32)}, 1);
  EXPECT_LT(cut(swapped).sub(standard).abs().max().item<double>(), 1e-3);
}

TEST(UNet, infers_the_shape_that_forward_gives) {
  for (const auto& sizes : std::vector<std::vector<int64_t>>{{1, 8, 8}, {3, 4, 16}, {4, 2, 2}}) {
    auto component = load("denoiser", "unet", UNet().values());
    const perrin_spec x = spec(sizes);
    perrin_spec inferred{};
    component.invoke<&perrin_denoiser::infer>(&x, nullptr, &inferred);
    const Bound net(std::move(component));
    auto batch = sizes;
    batch.insert(batch.begin(), 5);
    const auto out = forward(net.component, at::randn(batch), at::arange(5, at::kFloat));
    EXPECT_EQ(out.sizes().slice(1), at::IntArrayRef(inferred.sizes, inferred.rank));
    EXPECT_EQ(out.size(0), 5);
  }
}

TEST(UNet, gives_the_same_bits_twice_and_each_sample_its_own_output) {
  const at::NoGradGuard no_grad;
  const Bound net = denoiser("unet", UNet().values(), spec({1, 8, 8}));
  const auto x = at::randn({7, 1, 8, 8}), t = at::arange(7, at::kFloat).mul(100);
  const auto all = forward(net.component, x, t);
  EXPECT_TRUE(all.equal(forward(net.component, x, t))) << "two evaluations of one input differ";
  double worst = 0;
  for (int64_t i = 0; i < 7; ++i) {
    const auto one = forward(net.component, x.narrow(0, i, 1), t.narrow(0, i, 1));
    worst = std::max(worst, one.sub(all.narrow(0, i, 1)).abs().max().item<double>());
  }
  std::printf("a sample alone against the same one in a batch of 7: at most %.2e apart\n", worst);
  EXPECT_LT(worst, 2e-6);  // LibTorch's products choose their order of summation by the size of the batch
}

TEST(UNet, follows_every_condition) {
  perrin_conditioning_spec c{};
  c.struct_size = sizeof c;
  c.slots = PERRIN_SLOT_VECTOR | PERRIN_SLOT_SEQUENCE | PERRIN_SLOT_CONCAT;
  c.vector = spec({6});
  c.sequence = spec({5, 12});
  c.concat = spec({2, 8, 8});
  const Bound net = denoiser("unet", UNet().values(), spec({1, 8, 8}), &c);
  const auto x = at::randn({2, 1, 8, 8}), t = at::arange(2, at::kFloat);
  const Condition base{at::randn({2, 6}), at::randn({2, 5, 12}), at::randn({2, 2, 8, 8})};
  const auto out = forward(net.component, x, t, base);
  EXPECT_EQ(out.sizes(), x.sizes());
  for (at::Tensor Condition::*slot : {&Condition::vector, &Condition::sequence, &Condition::concat}) {
    Condition other = base;
    other.*slot = at::randn((base.*slot).sizes());
    EXPECT_GT(forward(net.component, x, t, other).sub(out).abs().max().item<double>(), 1e-4);
  }
}

std::string refusal(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

void expect_refused(const UNet& unet, const perrin_spec& x, std::initializer_list<const char*> parts) {
  const std::string message = refusal([&] { denoiser("unet", unet.values(), x); });
  for (const char* part : parts) EXPECT_NE(message.find(part), std::string::npos) << part << " is not in: " << message;
}

TEST(UNet, refuses_what_does_not_fit_and_says_what_would) {
  expect_refused({{8, 16, 16}, 4}, spec({1, 28, 30}), {"[1, 28, 30]", "divisible by 4", "[1, 28, 32]"});
  expect_refused({{8, 16}, 4}, spec({2}), {"[C, H, W]", "[2]", "mlp"});
  expect_refused({{8, 20}, 8}, spec({1, 8, 8}), {"groups = 8", "20", "5"});
  expect_refused({{8, 24}, 8, 16}, spec({1, 8, 8}), {"24 channels", "heads of 16"});
  expect_refused({{8, 16}, 4, 8, 2, {2}}, spec({1, 8, 8}), {"level 2", "0 to 1"});
  expect_refused({{}, 4, 8, 2, {}}, spec({1, 8, 8}), {"channels is empty"});
}

}  // namespace
}  // namespace perrin::testing
