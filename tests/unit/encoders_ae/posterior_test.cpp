// autoencoder-kl's posterior: what is drawn, from which numbers, and what the next stage is given.
#include <ATen/ops/randn.h>
#include <ATen/ops/std.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "host/kernels/random.hpp"
#include "perrin/host/rng.h"
#include "tests/unit/encoders_ae/held.hpp"

namespace perrin::testing {
namespace {

// (z - mean) / exp(log_variance / 2).
at::Tensor drawn(const std::vector<at::Tensor>& z_mean_log_variance) {
  const auto& v = z_mean_log_variance;
  return v[0].sub(v[1]).div(v[2].mul(0.5).exp()).detach();
}

// Element (c, h, w) of sample s is number (h W + w) C + c of its stream.
TEST(Posterior, draws_the_numbers_of_the_run_position_and_element) {
  const Bound net = encoder("autoencoder-kl", small_first_stage(), {3, 8, 12});
  const auto eps = drawn(encode_training(net, at::randn({3, 3, 8, 12}), {true, 40, 7}));
  ASSERT_EQ(eps.sizes(), (std::vector<int64_t>{3, 2, 4, 6}));
  for (int64_t b = 0; b < 3; ++b)
    for (int64_t c = 0; c < 2; ++c)
      for (int64_t h = 0; h < 4; ++h)
        for (int64_t w = 0; w < 6; ++w)
          EXPECT_NEAR(eps[b][c][h][w].item<float>(),
                      random::normal_reference({7, PERRIN_PURPOSE_ENCODER, 0}, static_cast<uint64_t>(40 + b),
                                               static_cast<uint64_t>((h * 6 + w) * 2 + c)),
                      1e-5);
}

TEST(Posterior, draws_the_same_for_any_batch_size_and_memory_order) {
  for (const auto& shape : std::vector<std::vector<int64_t>>{{3, 8, 8}, {3, 4, 8, 8}}) {
    const Bound net = encoder("autoencoder-kl", small_first_stage(), shape);
    std::vector<int64_t> batch = shape;
    batch.insert(batch.begin(), 5);
    const at::Tensor x = at::randn(batch);
    const auto all = drawn(encode_training(net, x, {true, 10, 1}));
    for (int64_t b = 0; b < 5; ++b) {
      const auto one = drawn(encode_training(net, x.narrow(0, b, 1), {true, static_cast<uint64_t>(10 + b), 1}));
      EXPECT_LT(apart(one, all.narrow(0, b, 1)), 1e-5);
    }
    const auto last = shape.size() == 3 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::ChannelsLast3d;
    EXPECT_LT(apart(drawn(encode_training(net, x.contiguous(last), {true, 10, 1})), all), 1e-5);
    EXPECT_GT(apart(drawn(encode_training(net, x, {true, 10, 2})), all), 0.1) << "the seed changes nothing";
  }
}

// A network of zeros whose last bias says mean and log-variance of each channel.
Bound constant(double mean, double log_variance, const Values& more = {}) {
  Bound net = encoder("autoencoder-kl", with(small_first_stage(), more), {1, 32, 32});
  net.values.zero_();
  const at::Tensor bias = net.at("quant_conv.bias").value.detach();
  bias.narrow(0, 0, 2).fill_(mean);
  bias.narrow(0, 2, 2).fill_(log_variance);
  return net;
}

// Of n draws: the mean within 4 sigma / sqrt(n), the deviation within 4 sigma / sqrt(2 n). Seed 3.
TEST(Posterior, draws_have_its_mean_and_deviation) {
  const double mean = 0.7, log_variance = -1.2, sigma = std::exp(log_variance / 2);
  const Bound net = constant(mean, log_variance);
  const auto z = encode_training(net, at::zeros({64, 1, 32, 32}), {true, 0, 3})[0].to(at::kDouble);
  const auto n = static_cast<double>(z.numel());
  const double m = z.mean().item<double>(), s = z.std().item<double>();
  std::printf("%.0f draws of N(%.4f, %.4f^2): mean %.4f, deviation %.4f\n", n, mean, sigma, m, s);
  EXPECT_NEAR(m, mean, 4 * sigma / std::sqrt(n));
  EXPECT_NEAR(s, sigma, 4 * sigma / std::sqrt(2 * n));
}

TEST(Posterior, log_variance_is_kept_between_minus_30_and_20) {
  const at::Tensor x = at::zeros({1, 1, 32, 32});
  EXPECT_EQ(encode_training(constant(0, 100), x)[2].max().item<float>(), 20);
  EXPECT_EQ(encode_training(constant(0, -100), x)[2].min().item<float>(), -30);
}

TEST(Posterior, the_next_stage_is_given_its_mean_or_a_draw) {
  const at::Tensor x = at::randn({2, 1, 32, 32});
  const When evaluation{false, 5, 9};
  const Bound net = constant(0.5, -2);
  EXPECT_TRUE(encode(net, x, evaluation).equal(encode_training(net, x)[1]));
  const Bound drawing = constant(0.5, -2, {{"latent", std::string("sample")}});
  EXPECT_TRUE(encode(drawing, x, evaluation).equal(encode_training(net, x, {true, 5, 9})[0]));
}

}  // namespace
}  // namespace perrin::testing
