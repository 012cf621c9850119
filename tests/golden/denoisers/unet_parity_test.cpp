// The denoiser `unet` with the weights of diffusers' UNet2DModel and UNet2DConditionModel gives what they give:
// float32, output and gradient of the input to 1e-4 of their largest element. Files: data/make.py.
#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <set>

#include "host/store/safetensors.hpp"
#include "tests/unit/plugins_b/bound.hpp"

namespace perrin::testing {
namespace {

// A file of the peer. Weights are float8_e4m3fn there.
class Peer {
 public:
  explicit Peer(const std::string& name)
      : file_(store::SafeTensors::open(std::string(PERRIN_GOLDEN) + "/" + name + ".safetensors",
                                       store::Checksum::if_present)) {
    for (const std::string& entry : file_.names())
      if (entry.starts_with(kWeights)) unused_.insert(entry.substr(kWeights.size()));
  }

  bool has(const std::string& name) const { return file_.find(name) != nullptr; }
  at::Tensor operator[](const std::string& name) const {
    const store::TensorView* view = file_.find(name);
    if (!view) throw std::out_of_range(name);
    const auto dtype = view->dtype == store::Dtype::f8_e4m3 ? at::kFloat8_e4m3fn : at::kFloat;
    return at::from_blob(const_cast<std::byte*>(view->bytes.data()), view->shape, dtype).to(at::kFloat).clone();
  }
  at::Tensor weight(const std::string& name) {
    unused_.erase(name);
    return (*this)[std::string(kWeights) + name];
  }
  const std::set<std::string>& unused() const { return unused_; }

 private:
  static constexpr std::string_view kWeights = "weights.";
  store::SafeTensors file_;
  std::set<std::string> unused_;
};

// The peer's value of our parameter: what is one product here is several there, and a class's row of a table there is a
// column of the condition's matrix here.
at::Tensor translated(Peer& peer, const Declared& ours) {
  for (const char* letters : {"qkv", "kv"}) {
    const size_t at = ours.name.find(std::string("to_") + letters + ".");
    if (at == std::string::npos) continue;
    std::vector<at::Tensor> parts;
    for (const char* letter = letters; *letter; ++letter)
      parts.push_back(peer.weight(ours.name.substr(0, at + 3) + *letter + ours.name.substr(ours.name.find('.', at))));
    return at::cat(parts);
  }
  if (!ours.name.starts_with("condition.")) return peer.weight(ours.name);
  const bool table = !peer.has("weights.class_embedding.bias");
  if (table && ours.name == "condition.bias") return at::zeros(ours.sizes);
  const auto value = peer.weight("class_embedding." + ours.name.substr(10));
  return table ? value.t() : value;
}

void expect_equal(const char* what, const at::Tensor& ours, const at::Tensor& peers) {
  const double scale = peers.abs().max().item<double>(), apart = ours.sub(peers).abs().max().item<double>() / scale;
  std::printf("  %s: at most %.1e of the peer's largest element, %.4f, apart\n", what, apart, scale);
  EXPECT_LT(apart, 1e-4) << what;
}

void expect_parity(const std::string& name, const UNet& unet) {
  Peer peer(name);
  const at::Tensor x = peer["x"].set_requires_grad(true), t = peer["t"];
  Condition condition;
  perrin_conditioning_spec c{};
  c.struct_size = sizeof c;
  if (peer.has("vector")) {
    condition.vector = peer["vector"];
    c.slots |= PERRIN_SLOT_VECTOR, c.vector = spec({condition.vector.size(1)});
  }
  if (peer.has("sequence")) {
    condition.sequence = peer["sequence"];
    c.slots |= PERRIN_SLOT_SEQUENCE, c.sequence = spec({condition.sequence.size(1), condition.sequence.size(2)});
  }
  Bound net = denoiser("unet", unet.values(), spec(x.sizes().slice(1).vec()), &c);
  for (Declared& d : net.declared) d.value.detach().copy_(translated(peer, d));
  EXPECT_EQ(peer.unused(), std::set<std::string>()) << "weights of the peer that have no place here";

  const at::Tensor out = forward(net.component, x, t, condition);
  out.square().mean().backward();
  std::printf("%s, %lld parameters\n", name.c_str(), static_cast<long long>(net.values.numel()));
  expect_equal("output", out, peer["out"]);
  expect_equal("gradient of the input", x.grad(), peer["x_gradient"]);
}

UNet small(std::vector<int64_t> channels, int64_t groups, std::vector<int64_t> attention) {
  UNet unet;
  unet.channels = std::move(channels), unet.groups = groups, unet.attention = std::move(attention);
  unet.layers_per_block = 1;
  return unet;
}

TEST(UNetParity, with_UNet2DModel_of_classes_and_scale_shift_norm) {
  UNet unet = small({16, 32}, 8, {1});
  unet.head_channels = 16, unet.scale_shift_norm = true;
  expect_parity("unet_2d", unet);
}

// google/ddpm-cifar10-32's keys; without the one that is left out the output is another.
TEST(UNetParity, with_UNet2DModel_as_DDPM_has_it) {
  UNet unet = small({8, 12, 16}, 4, {1});
  unet.head_channels = 0, unet.heads = 1, unet.norm_eps = 1e-6;
  unet.freq_shift = 1, unet.flip_sin_to_cos = false, unet.downsample_padding = 0, unet.add_attention = false;
  expect_parity("unet_2d_ddpm", unet);
  unet.channels = {8, 16}, unet.attention = {}, unet.add_attention = true;
  expect_parity("unet_2d_ddpm_middle", unet);
}

// As Stable Diffusion 1: transformers projected by convolutions, a number of heads.
TEST(UNetParity, with_UNet2DConditionModel) {
  UNet unet = small({16, 32}, 8, {0});
  unet.head_channels = 0, unet.heads = 2, unet.transformer_depth = {1};
  expect_parity("unet_2d_condition", unet);
}

// As Stable Diffusion 2: projected by matrices, heads of one size; two blocks each, a vector condition, twice the
// channels.
TEST(UNetParity, with_UNet2DConditionModel_of_linear_projections) {
  UNet unet = small({8, 16}, 4, {1});
  unet.transformer_depth = {0, 2};
  unet.linear_projection = unet.scale_shift_norm = unet.learnt_variance = true;
  expect_parity("unet_2d_condition_linear", unet);
}

}  // namespace
}  // namespace perrin::testing
