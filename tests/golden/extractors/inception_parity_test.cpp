// The extractor `inception-v3` against torchvision's inception_v3 and pytorch-fid's variant with the same weights:
// float32, to 1e-4 of the layer's largest element. Weights and images come from their names, as data/make_inception.py
// says.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>

#include "host/store/safetensors.hpp"
#include "tests/unit/extractors/opened.hpp"

namespace perrin::testing {
namespace {

// float64 in [-1, 1).
at::Tensor numbers(const std::string& name, at::IntArrayRef shape) {
  uint32_t seed = 2166136261u;
  for (unsigned char c : name) seed = (seed ^ c) * 16777619u;
  at::Tensor values = at::empty(shape, at::kDouble);
  auto* data = values.mutable_data_ptr<double>();
  for (int64_t i = 0; i < values.numel(); ++i) {
    uint32_t v = static_cast<uint32_t>(i) + seed;
    v *= 2654435761u, v ^= v >> 15;
    v *= 2246822519u, v ^= v >> 13;
    data[i] = v / 2147483648.0 - 1;
  }
  return values;
}

at::Tensor value(const std::string& name, at::IntArrayRef shape) {
  const at::Tensor u = numbers(name, shape);
  if (name.ends_with("bn.weight")) return u.mul(0.2).add(1);
  if (name.ends_with("running_var")) return u.mul(0.5).add(1);
  if (shape.size() == 1) return u.mul(0.2);
  const auto fan_in = static_cast<double>(c10::multiply_integers(shape.slice(1)));
  return u.mul(std::sqrt((name.starts_with("fc") ? 3 : 6) / fan_in));
}

void expect_parity(const std::string& variant, int64_t classes, int64_t size, at::IntArrayRef image,
                   int64_t parameters) {
  const at::NoGradGuard no_grad;
  const auto peer =
      store::SafeTensors::open(std::string(PERRIN_GOLDEN) + "/inception.safetensors", store::Checksum::if_present);
  const Values values = {{"variant", variant}, {"classes", classes}, {"size", size}};
  const perrin_spec x = spec(image.vec());
  const auto names = infer(load("extractor", "inception-v3", values), x, 0);
  Bound net = extractor("inception-v3", values, x, 0);
  int64_t count = 0;
  for (Declared& d : net.declared) {
    d.value.detach().copy_(value(d.name, d.sizes));
    if (d.role == PERRIN_PARAMETER) count += d.value.numel();
  }
  EXPECT_EQ(count, parameters);
  const auto images = numbers("x", {1, image[0], image[1], image[2]}).to(at::kFloat);
  const auto layers = extract(net.component, images, up_to(5));
  for (size_t i = 0; i < 5; ++i) {
    const perrin_spec& s = names.specs[i];
    EXPECT_EQ(layers[i].sizes().slice(1), at::IntArrayRef(s.sizes, s.rank)) << names.names[i];
    const store::TensorView* view = peer.find(variant + "." + names.names[i]);
    ASSERT_NE(view, nullptr);
    const auto theirs = at::from_blob(const_cast<std::byte*>(view->bytes.data()), view->shape, at::kFloat);
    const auto ours = layers[i].dim() == 4 ? layers[i].mean({2, 3}) : layers[i];
    ASSERT_EQ(ours.sizes(), theirs.sizes());
    const double apart = ours.sub(theirs).abs().max().item<double>() / theirs.abs().max().item<double>();
    std::printf("  %s %s: at most %.1e of the peer's largest element apart\n", variant.c_str(), names.names[i].c_str(),
                apart);
    EXPECT_LT(apart, 1e-4) << names.names[i];
  }
}

// 23,834,568 parameters without the auxiliary head is torchvision's own count.
TEST(InceptionParity, with_torchvision) { expect_parity("torchvision", 1000, 0, {3, 85, 99}, 23834568); }

TEST(InceptionParity, with_pytorch_fid_after_resizing) { expect_parity("fid", 1008, 96, {3, 40, 32}, 23850960); }

}  // namespace
}  // namespace perrin::testing
