// Every way of halving with every way of doubling: shapes, a few steps of training, parameters; and what each one is.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/pixel_shuffle.h>
#include <ATen/ops/pixel_unshuffle.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

#include "tests/unit/encoders_ae/held.hpp"
#include "tests/unit/encoders_ae/layers.hpp"

namespace perrin::testing {
namespace {

const std::vector<std::string> kDown = {"conv",     "max",     "avg",  "adaptive-avg",   "adaptive-max",
                                        "bilinear", "nearest", "area", "pixel-unshuffle"};
const std::vector<std::string> kUp = {"conv-transpose", "nearest-conv", "bilinear-conv", "pixel-shuffle"};

Values resampled(const std::string& down, const std::string& up) {
  return with(small_first_stage(), {{"downsample", down}, {"upsample", up}});
}

// Mean squared error of the reconstruction before and after `steps` of Adam.
std::pair<double, double> trained(Bound& net, const at::Tensor& x, int steps) {
  const auto m = at::zeros_like(net.values), v = at::zeros_like(net.values);
  double first = 0, last = 0;
  for (int i = 1; i <= steps; ++i) {
    net.gradients.zero_();
    const auto loss = at::mse_loss(reconstruction(net, x), x);
    loss.backward();
    last = loss.item<double>();
    if (i == 1) first = last;
    m.mul_(0.9).add_(net.gradients, 0.1);
    v.mul_(0.99).addcmul_(net.gradients, net.gradients, 0.01);
    net.values.sub_(m.div(1 - std::pow(0.9, i)).div(v.div(1 - std::pow(0.99, i)).sqrt().add(1e-8)).mul(5e-3));
  }
  return {first, last};
}

TEST(Resampling, of_every_pair_gives_its_shape_and_trains) {
  at::set_num_threads(1);  // the tensors are small
  const at::Tensor x = waves(8, 1, 8);
  for (const std::string& down : kDown)
    for (const std::string& up : kUp) {
      std::vector<int64_t> z;
      Bound net = encoder("autoencoder", resampled(down, up), {1, 8, 8}, at::kFloat, &z);
      EXPECT_EQ(z, (std::vector<int64_t>{2, 4, 4}));
      EXPECT_EQ(encode(net, x).sizes().slice(1), at::IntArrayRef(z)) << down;
      EXPECT_EQ(reconstruction(net, x).sizes(), x.sizes()) << up;
      const auto [before, after] = trained(net, x, 40);
      std::printf("%-15s %-14s %6lld parameters, squared error %.3f -> %.3f\n", down.c_str(), up.c_str(),
                  static_cast<long long>(net.values.numel()), before, after);
      EXPECT_LT(after, before / 2) << down << " with " << up;
    }
}

TEST(Resampling, of_a_clip_gives_its_shape_and_trains) {
  at::set_num_threads(1);
  const at::Tensor x = waves(4, 4, 8).unsqueeze(1);  // [B, 1, T, H, W]
  for (size_t i = 0; i < kDown.size(); ++i) {
    const std::string &down = kDown[i], &up = kUp[i % kUp.size()];
    std::vector<int64_t> z;
    Bound net =
        encoder("autoencoder", with(resampled(down, up), {{"temporal", int64_t{1}}}), {1, 4, 8, 8}, at::kFloat, &z);
    EXPECT_EQ(z, (std::vector<int64_t>{2, 2, 4, 4}));
    EXPECT_EQ(encode(net, x).sizes().slice(1), at::IntArrayRef(z)) << down;
    EXPECT_EQ(reconstruction(net, x).sizes(), x.sizes()) << up;
    const auto [before, after] = trained(net, x, 40);
    std::printf("%-15s %-14s clip, squared error %.3f -> %.3f\n", down.c_str(), up.c_str(), before, after);
    EXPECT_LT(after, before * 0.6) << down << " with " << up;
  }
}

// temporal = 0: the frames are images.
TEST(Resampling, of_a_clip_without_time_is_that_of_its_frames) {
  const Bound clips = encoder("autoencoder", small_first_stage(), {3, 4, 8, 8}),
              images = encoder("autoencoder", small_first_stage(), {3, 8, 8});
  const at::Tensor x = at::randn({2, 3, 4, 8, 8});
  const auto z = encode(clips, x), y = decode(clips, z);
  for (int64_t t = 0; t < 4; ++t) {
    EXPECT_LT(apart(z.select(2, t), encode(images, x.select(2, t))), 1e-5);
    EXPECT_LT(apart(y.select(2, t), decode(images, z.select(2, t))), 1e-5);
  }
}

// A frame's latent sees its neighbours, other samples do not.
TEST(Resampling, of_time_mixes_the_frames_of_a_clip_alone) {
  const Bound net = encoder("autoencoder", with(small_first_stage(), {{"temporal", int64_t{1}}}), {1, 4, 8, 8});
  const at::Tensor x = at::randn({2, 1, 4, 8, 8}), other = x.clone();
  other[0].select(1, 1).add_(1);
  const auto a = encode(net, x), b = encode(net, other);
  EXPECT_TRUE(a[1].equal(b[1]));
  EXPECT_GT(apart(b[0].select(1, 0), a[0].select(1, 0)), 1e-3);
  EXPECT_LT(apart(b[0].select(1, 1), a[0].select(1, 1)), 1e-6) << "frame 1 is no part of frames 2 and 3";
}

using first_stage::Axes;
using first_stage::Down;
using first_stage::Downsample;
using first_stage::Up;
using first_stage::Upsample;

// Against torch's operators of those names, on an even size: interpolate(scale_factor=0.5) is adaptive pooling for area
// and, as each output pixel's centre lies between four, their mean for bilinear.
TEST(Resampling, without_parameters_is_torchs) {
  Filled filled;
  const at::Tensor x = at::randn({2, 3, 6, 10}).contiguous(at::MemoryFormat::ChannelsLast);
  const auto of = [&](Down kind) { return Downsample(filled.p, "d", 3, kind, Axes::space)(x); };
  const auto mean = at::avg_pool2d(x, 2), largest = at::max_pool2d(x, 2);
  for (const Down kind : {Down::avg, Down::adaptive_avg, Down::area, Down::bilinear})
    EXPECT_LT(apart(of(kind), mean), 1e-6) << static_cast<int>(kind);
  for (const Down kind : {Down::max, Down::adaptive_max})
    EXPECT_TRUE(of(kind).equal(largest)) << static_cast<int>(kind);
  EXPECT_TRUE(of(Down::nearest).equal(x.slice(2, 0, 6, 2).slice(3, 0, 10, 2)));
}

// A 1 x 1 convolution that passes one channel of the unshuffled image on shows its order; so does a 3 x 3 one, of which
// only the middle counts, before shuffling.
TEST(Resampling, by_shuffling_has_torchs_order_of_channels) {
  Filled filled;
  const Downsample down(filled.p, "down", 3, Down::pixel_unshuffle, Axes::space);
  const Upsample up(filled.p, "up", 3, Up::pixel_shuffle, Axes::space);
  filled.bind();
  const at::Tensor x = at::randn({2, 3, 4, 6}).contiguous(at::MemoryFormat::ChannelsLast);
  EXPECT_LT(apart(down(x), at::conv2d(at::pixel_unshuffle(x, 2), filled["down.conv.weight"], filled["down.conv.bias"])),
            1e-6);
  const auto wide = at::conv2d(x, filled["up.conv.weight"], filled["up.conv.bias"], 1, 1);
  EXPECT_LT(apart(up(x), at::pixel_shuffle(wide, 2)), 1e-6);
}

// The same along one axis: an image of equal columns is resampled in time as its column is.
TEST(Resampling, of_time_leaves_the_other_axis_alone) {
  Filled filled;
  const at::Tensor x = at::randn({2, 4, 8, 5}).contiguous(at::MemoryFormat::ChannelsLast);
  for (int kind = 0; kind < 9; ++kind) {
    const Downsample down(filled.p, "down" + std::to_string(kind), 4, static_cast<Down>(kind), Axes::time);
    filled.bind();
    const auto y = down(x);
    ASSERT_EQ(y.sizes(), (std::vector<int64_t>{2, 4, 4, 5})) << kind;
    for (int64_t w = 0; w < 5; ++w)
      EXPECT_LT(apart(down(x.narrow(3, w, 1)), y.narrow(3, w, 1)), 1e-5) << "halving " << kind;
  }
  for (int kind = 0; kind < 4; ++kind) {
    const Upsample up(filled.p, "up" + std::to_string(kind), 4, static_cast<Up>(kind), Axes::time);
    filled.bind();
    const auto y = up(x);
    ASSERT_EQ(y.sizes(), (std::vector<int64_t>{2, 4, 16, 5})) << kind;
    for (int64_t w = 0; w < 5; ++w)
      EXPECT_LT(apart(up(x.narrow(3, w, 1)), y.narrow(3, w, 1)), 1e-5) << "doubling " << kind;
  }
}

}  // namespace
}  // namespace perrin::testing
