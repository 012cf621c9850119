// The encoder `vq` with the weights of diffusers' VQModel, read by its key `weights`, gives what that gives, and in
// training the terms and gradients of taming-transformers' VectorQuantizer2 (legacy = False) in its place: float32, to
// 1e-4 of the largest element. Files: data/make.py.
#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>

#include "host/store/safetensors.hpp"
#include "tests/unit/encoders_vq/stepped.hpp"

namespace perrin::testing {
namespace {

class Expected {
 public:
  at::Tensor operator[](const std::string& name) const {
    const store::TensorView* view = file_.find(name);
    if (!view) throw std::out_of_range(name);
    return at::from_blob(const_cast<std::byte*>(view->bytes.data()), view->shape, at::kFloat).clone();
  }

 private:
  store::SafeTensors file_ =
      store::SafeTensors::open(std::string(PERRIN_GOLDEN) + "/vq_expected.safetensors", store::Checksum::if_present);
};

void expect_equal(const char* what, const at::Tensor& ours, const at::Tensor& peers) {
  const double difference = apart(ours.detach(), peers);
  std::printf("  %s: at most %.1e of the peer's largest element, %.4f, apart\n", what, difference,
              peers.abs().max().item<double>());
  EXPECT_LT(difference, 1e-4) << what;
}

Bound loaded(const Values& more = {}) {
  Bound net = encoder("vq",
                      with({{"channels", std::vector<int64_t>{8, 16}},
                            {"blocks", int64_t{1}},
                            {"groups", int64_t{4}},
                            {"latent_channels", int64_t{3}},
                            {"codes", int64_t{24}},
                            {"weights", std::string(PERRIN_GOLDEN) + "/vq_model.safetensors"}},
                           more),
                      {3, 16, 16});
  separate_buffers(net);
  return net;
}

TEST(VqParity, with_VQModel) {
  const Expected peer;
  const Bound net = loaded(), quantised = loaded({{"latent", std::string("quantised")}});
  const auto x = peer["x"];
  expect_equal("latent", encode_at(net, x, 0), peer["latents"]);
  expect_equal("codes", encode_at(quantised, x, 0), peer["quantised"]);
  expect_equal("image", decode_at(net, peer["latents"], 0), peer["out"]);
  expect_equal("image of codes", decode_at(net, peer["quantised"], 0), peer["from_quantised"]);
}

TEST(VqParity, of_training_with_VectorQuantizer2) {
  const Expected peer;
  Bound net = loaded();
  const auto x = peer["x"].set_requires_grad(true);
  const auto encoded = encode_training_at(net, x, 1);
  EXPECT_EQ(traced(net)[2], 0) << "codes of a file are not dead";
  const auto loss = encoded[1].mean() + encoded[2].mean();
  expect_equal("loss", loss, peer["loss"]);
  (loss + decode_at(net, encoded[0], 1).square().mean()).backward();
  expect_equal("gradient of the codes", net.at("quantize.embedding.weight").value.grad(), peer["codebook_gradient"]);
  expect_equal("gradient of the last layer before", net.at("quant_conv.weight").value.grad(), peer["conv_gradient"]);
  expect_equal("gradient of the image", x.grad(), peer["x_gradient"]);
}

}  // namespace
}  // namespace perrin::testing
