// The extractor `vgg` with the weights of torchvision's VGG gives what it gives: float32, every layer and the gradient
// of the images to 1e-4 of their largest element. The file, data/make.py's, has torchvision's names and goes through
// the host's service as a user's does.
#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>

#include <cstdio>

#include "host/base/error.hpp"
#include "host/store/safetensors.hpp"
#include "tests/unit/extractors/opened.hpp"

namespace perrin::testing {
namespace {

at::Tensor tensor(const store::SafeTensors& file, const std::string& name) {
  const store::TensorView* view = file.find(name);
  if (view == nullptr) throw std::out_of_range(name);
  return at::from_blob(const_cast<std::byte*>(view->bytes.data()), view->shape, at::kFloat).clone();
}

void expect_equal(const std::string& what, const at::Tensor& ours, const at::Tensor& peers) {
  ASSERT_EQ(ours.sizes(), peers.sizes()) << what;
  const double scale = peers.abs().max().item<double>(), apart = ours.sub(peers).abs().max().item<double>() / scale;
  std::printf("  %s: at most %.1e of the peer's largest element, %.4f, apart\n", what.c_str(), apart, scale);
  EXPECT_LT(apart, 1e-4) << what;
}

TEST(VggParity, with_torchvision_in_every_layer) {
  const std::string path = std::string(PERRIN_GOLDEN) + "/vgg.safetensors";
  const auto peer = store::SafeTensors::open(path, store::Checksum::if_present);
  const auto x = tensor(peer, "in.x").set_requires_grad(true);
  const Opened vgg("", path, spec(x.sizes().slice(1).vec()));
  ASSERT_EQ(vgg.layers().size(), 15u);
  const auto layers = vgg(x);
  for (size_t i = 0; i < layers.size(); ++i)
    expect_equal(vgg.layers()[i], layers[i], tensor(peer, "out." + vgg.layers()[i]));
  layers.back().square().mean().backward();
  expect_equal("gradient of the images", x.grad(), tensor(peer, "in.x_gradient"));
}

}  // namespace
}  // namespace perrin::testing
