// The encoder `vq` through the ABI: what is quantised when, and what training reports.
#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "tests/unit/encoders_vq/stepped.hpp"

namespace perrin::testing {
namespace {

Values vq(const Values& more = {}) {
  return with(with(small_first_stage(), {{"codes", int64_t{7}}, {"latent_channels", int64_t{3}}}), more);
}

// The positions of z whose vector is one of the 7 codes.
int64_t codes_among(Bound& net, const at::Tensor& z) {
  const auto codes = net.at("quantize.embedding.weight").value.detach();
  const auto vectors = z.detach().movedim(1, -1).flatten(0, -2);
  return (vectors.unsqueeze(1) - codes).abs().amax(2).amin(1).lt(1e-6).sum().item<int64_t>();
}

Bound bound(const Values& more = {}) {
  Bound net = encoder("vq", vq(more), {1, 8, 8});
  net.at("quantize.embedding.weight").value.detach().mul_(5);  // to where vectors are
  net.at("quantize.use").value.detach().fill_(1);
  separate_buffers(net);
  return net;
}

TEST(Vq, evaluation_quantises_where_latent_and_decode_say) {
  const auto x = waves(3, 1, 8);
  Bound net = bound(), quantised = bound({{"latent", std::string("quantised")}});
  quantised.values.copy_(net.values);
  const auto z = encode_at(net, x, 0), z_q = encode_at(quantised, x, 0);
  ASSERT_EQ(z.sizes(), (at::IntArrayRef{3, 3, 4, 4}));
  EXPECT_EQ(codes_among(net, z), 0);
  EXPECT_EQ(codes_among(net, z_q), 3 * 16);
  EXPECT_TRUE(decode_at(net, z, 0).equal(decode_at(net, z_q, 0)));
}

TEST(Vq, training_hands_codes_to_the_decoder_as_they_are) {
  const auto x = waves(3, 1, 8);
  Bound net = bound();
  const auto encoded = encode_training_at(net, x, 1);
  ASSERT_EQ(encoded.size(), 3u);
  EXPECT_EQ(codes_among(net, encoded[0]), 3 * 16);
  const auto image = decode_at(net, encoded[0], 1);
  EXPECT_LT(apart(image, decode_at(net, encode_at(net, x, 0), 0)), 1e-5) << "straight-through rounds";
  image.square().mean().backward();
  EXPECT_GT(net.at("encoder.conv_in.weight").value.grad().abs().max().item<double>(), 0) << "through the codes";
  EXPECT_EQ(net.at("quantize.embedding.weight").value.grad().abs().max().item<double>(), 0);
}

// The mean squared distance d of vectors and codes: the terms are 0.25 d and d, of each sample.
TEST(Vq, terms_are_the_distances_of_vectors_and_codes) {
  const auto x = waves(3, 1, 8);
  Bound net = bound(), quantised = bound({{"latent", std::string("quantised")}});
  quantised.values.copy_(net.values);
  const auto d = (encode_at(net, x, 0) - encode_at(quantised, x, 0)).square().mean({1, 2, 3});
  const auto encoded = encode_training_at(net, x, 1);
  EXPECT_LT(apart(encoded[1].detach(), d * 0.25), 1e-5);
  EXPECT_LT(apart(encoded[2].detach(), d), 1e-5);
}

TEST(Vq, traces_perplexity_usage_and_replaced_codes) {
  Bound net = encoder("vq", vq(), {1, 8, 8});
  separate_buffers(net);
  for (const double value : traced(net)) EXPECT_TRUE(std::isnan(value));
  encode_training_at(net, waves(3, 1, 8), 1);
  const auto first = traced(net);
  EXPECT_GT(first[0], 1);
  EXPECT_LE(first[0], 7);
  EXPECT_EQ(first[1], 1) << "every code is a vector of this batch";
  EXPECT_EQ(first[2], 7) << "of the drawn codes";
  encode_training_at(net, waves(3, 1, 8), 2);
  EXPECT_EQ(traced(net)[2], 0);
}

TEST(Vq, codes_of_running_means_are_buffers) {
  for (const char* update : {"gradient", "ema"}) {
    const Bound net = encoder("vq", vq({{"update", std::string(update)}}), {1, 8, 8});
    for (const Declared& d : net.declared)
      if (d.name == "quantize.embedding.weight")
        EXPECT_EQ(d.role, std::strcmp(update, "ema") == 0 ? PERRIN_BUFFER : PERRIN_PARAMETER);
  }
}

TEST(Vq, takes_clips) {
  Bound net = encoder("vq", vq(), {1, 4, 8, 8});
  separate_buffers(net);
  const auto x = waves(8, 1, 8).view({2, 4, 1, 8, 8}).transpose(1, 2);
  const auto encoded = encode_training_at(net, x, 1);
  EXPECT_EQ(encoded[0].sizes(), (at::IntArrayRef{2, 3, 4, 4, 4}));
  EXPECT_EQ(encoded[1].sizes(), at::IntArrayRef{2});
  EXPECT_EQ(decode_at(net, encoded[0], 1).sizes(), x.sizes());
}

}  // namespace
}  // namespace perrin::testing
