// The loss `adversarial` with the weights of taming-transformers' NLayerDiscriminator gives its losses, gradients and
// adaptive weight: float32, to 1e-4 of the largest element. File: data/make.py.
#include <ATen/TensorOperators.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>

#include "host/store/safetensors.hpp"
#include "tests/unit/adversarial/gan.hpp"

namespace perrin::testing {
namespace {

class Peer {
 public:
  at::Tensor operator[](const std::string& name) const {
    const store::TensorView* view = file_.find(name);
    if (!view) throw std::out_of_range(name);
    return at::from_blob(const_cast<std::byte*>(view->bytes.data()), view->shape, at::kFloat).clone();
  }
  size_t weights() const {
    size_t n = 0;
    for (const std::string& name : file_.names()) n += name.starts_with("weights.");
    return n;
  }

 private:
  store::SafeTensors file_ =
      store::SafeTensors::open(std::string(PERRIN_GOLDEN) + "/patch_gan.safetensors", store::Checksum::if_present);
};

void expect_equal(const std::string& what, const at::Tensor& ours, const at::Tensor& peers) {
  const double scale = peers.abs().max().item<double>();
  ASSERT_GT(scale, 0) << what;
  const double apart = (ours.detach() - peers).abs().max().item<double>() / scale;
  std::printf("  %s: %.1e of the peer's largest element, %.4f, apart\n", what.c_str(), apart, scale);
  EXPECT_LT(apart, 1e-4) << what;
}

Gan loaded(const Peer& peer, Values given) {
  given.insert({"layers", int64_t{3}});
  Gan gan(std::move(given), {3, 32, 32});
  EXPECT_EQ(gan.net.declared.size(), peer.weights());
  for (Declared& d : gan.net.declared) d.value.detach().copy_(peer["weights." + d.name]);
  return gan;
}

TEST(PatchGanParity, of_the_autoencoders_loss_with_its_adaptive_weight) {
  const Peer peer;
  Gan gan = loaded(peer, {{"adaptive", true}});
  const auto x = peer["x"], last_layer = peer["last_layer"].set_requires_grad(true);
  const auto reconstruction = at::conv2d(peer["h"], last_layer);
  const auto values = gan.values({{"x", x},
                                  {"reconstruction", reconstruction},
                                  {"terms", (x - reconstruction).abs().mean()},
                                  {"last_layer", last_layer}});
  expect_equal("loss", values.mean(), peer["g_loss"] * peer["weight"]);
  EXPECT_NEAR(gan.trace()[2], peer["weight"].item<double>(), 1e-4 * peer["weight"].item<double>());
  values.mean().backward();
  expect_equal("gradient of the last layer", last_layer.grad(), peer["last_layer_gradient"]);
}

TEST(PatchGanParity, of_the_discriminators_losses) {
  const Peer peer;
  const auto x = peer["x"], reconstruction = at::conv2d(peer["h"], peer["last_layer"]);
  for (const std::string objective : {"hinge", "vanilla"}) {
    Gan gan = loaded(peer, {{"objective", objective}});
    const auto loss = gan.oppose({{"x", x}, {"reconstruction", reconstruction}}).mean();
    expect_equal(objective, loss, peer[objective]);
    loss.backward();
    for (const Declared& d : gan.net.declared) {
      expect_equal(objective + " gradient of " + d.name, d.value.grad(), peer[objective + "." + d.name]);
    }
    EXPECT_NEAR(gan.trace()[0], peer["logits"].mean().item<double>(), 1e-4 * peer["logits"].abs().max().item<double>());
  }
}

}  // namespace
}  // namespace perrin::testing
