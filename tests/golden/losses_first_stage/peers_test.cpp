// perceptual, contrastive and kl against the peers' own classes. data/ is peers.py's, which names packages and
// versions.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>

#include "host/store/safetensors.hpp"
#include "tests/unit/losses_first_stage/held.hpp"

namespace perrin::testing {
namespace {

std::string file_of(const std::string& name) { return std::string(PERRIN_PEERS) + "/" + name + ".safetensors"; }

class Peer {
 public:
  explicit Peer(const std::string& name)
      : file_(store::SafeTensors::open(file_of(name), store::Checksum::if_present)) {}
  at::Tensor operator[](const std::string& name) const {
    const store::TensorView* view = file_.find(name);
    if (!view) throw std::out_of_range("the peer's file has no " + name);
    const auto dtype = view->dtype == store::Dtype::f16 ? at::kHalf : at::kFloat;
    auto* data = const_cast<std::byte*>(view->bytes.data());
    return at::from_blob(data, view->shape, at::TensorOptions().dtype(dtype)).to(at::kFloat, false, true);
  }
  at::Tensor leaf(const std::string& name) const { return (*this)[name].set_requires_grad(true); }

 private:
  store::SafeTensors file_;
};

void expect_same(const char* what, const at::Tensor& ours, const at::Tensor& theirs, double tolerance = 1e-4) {
  ASSERT_EQ(ours.sizes(), theirs.sizes()) << what;
  const double error = (ours - theirs).abs().max().item<double>() / theirs.abs().max().item<double>();
  std::printf("%s: largest value %.4g, apart by %.1e of it\n", what, theirs.abs().max().item<double>(), error);
  EXPECT_LT(error, tolerance) << what;
}

const std::vector<std::string> kTaps = {"relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3"};

services::Component lpips(const Peer& peer, Values values) {
  values.try_emplace("weights", std::string("unused"));
  auto loss = held("perceptual", std::move(values));
  infer(loss, {{"x", peer["x"].sizes().slice(1).vec()}});
  return loss;
}

// The image is all feature maps in one, and a layer is its part of it.
Double slices() {
  Double extractor;
  extractor.names = kTaps;
  extractor.sizes = {{64, 2, 2}, {128, 2, 2}, {256, 2, 2}, {512, 2, 2}, {512, 2, 2}};
  extractor.layers = [](const at::Tensor& x) { return x.split_with_sizes({64, 128, 256, 512, 512}, 1); };
  return extractor;
}

TEST(Lpips, has_the_packages_heads_normalisation_and_averages) {
  const Peer peer("lpips");
  Double extractor = slices();
  stand_in(extractor);
  const auto loss = lpips(peer, {{"heads", file_of("lpips")}});
  const auto reconstruction = peer.leaf("reconstruction");
  const auto values = values_of(loss, {{"reconstruction", reconstruction}, {"x", peer["x"]}});
  expect_same("lpips, heads", values, peer["out"]);
  values.sum().backward();
  expect_same("lpips, gradient", reconstruction.grad(), peer["gradient"]);
}

TEST(Lpips, has_the_packages_baseline_without_heads) {
  const Peer peer("lpips");
  Double extractor = slices();
  stand_in(extractor);
  const auto loss = lpips(peer, {{"layers", kTaps}, {"normalise", true}});
  expect_same("lpips, baseline", values_of(loss, {{"reconstruction", peer["reconstruction"]}, {"x", peer["x"]}}),
              peer["baseline"]);
}

// Images through the host's service and the extractor vgg, whose scaling is torchvision's, mean .485 .456 .406 and
// deviation .229 .224 .225 of [0, 1]: the package has constants of its own for [-1, 1].
TEST(Lpips, gives_the_packages_distance_of_images) {
  const Peer peer("lpips_thin");
  stand_back();
  const auto loss = lpips(peer, {{"weights", file_of("lpips_thin")}, {"heads", file_of("lpips_thin")}});
  const auto reconstruction = peer.leaf("reconstruction");
  const auto values = values_of(loss, {{"reconstruction", reconstruction}, {"x", peer["x"]}});
  expect_same("lpips of images", values, peer["out"]);
  values.sum().backward();
  expect_same("lpips of images, gradient", reconstruction.grad(), peer["gradient"]);
}

TEST(Lpips, refuses_heads_of_other_widths_with_both) {
  const Peer peer("lpips_thin");
  Double extractor = slices();
  stand_in(extractor);
  const auto said = message([&] { lpips(peer, {{"heads", file_of("lpips_thin")}}); });
  EXPECT_NE(said.find("lin0.model.1.weight"), std::string::npos) << said;
  EXPECT_NE(said.find("[1, 4, 1, 1]"), std::string::npos) << said;
  EXPECT_NE(said.find("\"relu1_2\" has 64 channels"), std::string::npos) << said;
}

TEST(Contrastive, gives_the_loss_of_transformers_clip) {
  for (const char* name : {"clip", "clip_sharp"}) {
    const Peer peer(name);
    auto component = held("contrastive");
    infer(component, {{"embedding", {12}}, {"condition", {12}}});
    Bound loss(std::move(component));
    auto& log_scale = loss.at("log_scale").value;
    if (name == std::string("clip"))
      EXPECT_NEAR(log_scale.item<double>(), peer["log_scale"].item<double>(), 1e-4) << "theirs is rounded to 2.6592";
    log_scale.detach().copy_(peer["log_scale"]);
    const auto image = peer.leaf("embedding"), text = peer.leaf("condition");
    const auto values = values_of(loss.component, {{"embedding", image}, {"condition", text}});
    expect_same(name, values, peer["out"]);
    expect_same("loss", values.mean().view({1}), peer["loss"]);
    EXPECT_NEAR(traced(loss.component)[1], peer["accuracy"].item<double>(), 1e-6);
    values.mean().backward();
    expect_same("gradient of the images", image.grad(), peer["gradient.embedding"]);
    expect_same("gradient of the captions", text.grad(), peer["gradient.condition"]);
    expect_same("gradient of the log scale", log_scale.grad(), peer["gradient.log_scale"]);
  }
}

TEST(Kl, is_diffusers_sum_over_the_latent_per_element_of_the_data) {
  const Peer peer("kl");
  const auto x = peer["x"];
  const double N = static_cast<double>(x[0].numel());
  const auto kl = values_of(held("kl"), {{"posterior_mean", peer["posterior_mean"]},
                                         {"posterior_log_variance", peer["posterior_log_variance"]},
                                         {"x", x}});
  expect_same("kl times N", kl * N, peer["out"], 1e-6);
  // Latent diffusion's total of sums, by N.
  const auto l1 = values_of(held("l1"), {{"prediction", peer["reconstruction"]}, {"target", x}});
  expect_same("first stage's total", ((l1 + kl * 1e-6).mean() * N).view({1}), peer["total"], 1e-6);
}

}  // namespace
}  // namespace perrin::testing
