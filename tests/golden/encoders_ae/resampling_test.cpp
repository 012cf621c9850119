// Downsample and Upsample of plugins/encoders against diffusers' tests/models/test_layers_utils.py
// (test_downsample_with_conv, test_upsample_with_conv): input and weights from torch's generator, seed 0, as
// torch.nn.Conv2d initialises.
#include "plugins/encoders/resampling.hpp"

#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "tests/unit/encoders_ae/layers.hpp"

namespace perrin::testing {
namespace {

using first_stage::Axes;

// x: [1, 32, side, side], drawn before the weights.
at::Tensor sample(int64_t side) {
  at::manual_seed(0);
  return at::randn({1, 32, side, side});
}

// The largest row and column of channel 31, row by row.
void expect_corner(const at::Tensor& y, std::initializer_list<double> published) {
  const at::Tensor corner = y[0][31].narrow(0, y.size(2) - 3, 3).narrow(1, y.size(3) - 3, 3).reshape({9});
  int64_t i = 0;
  for (double value : published) {
    std::printf(" %.4f (published %.4f)", corner[i].item<double>(), value);
    EXPECT_NEAR(corner[i++].item<double>(), value, 1e-3);
  }
  std::printf("\n");
}

// Published for a padding of one zero on every side, where the autoencoder has zeros below and on the right alone: the
// same numbers come from an image framed by zeros, whose last row and column of results see the frame only.
TEST(GoldenFirstStageResampling, Downsample2DConvSeed0) {
  const at::Tensor x = sample(64);
  Filled filled;
  const first_stage::Downsample down(filled.p, "down", 32, first_stage::Down::conv, Axes::space);
  filled.bind();
  const at::Tensor y = down(at::constant_pad_nd(x, {1, 1, 1, 1}));
  ASSERT_EQ(y.sizes(), (std::vector<int64_t>{1, 32, 33, 33}));
  expect_corner(y.narrow(2, 0, 32).narrow(3, 0, 32), {0.9267, 0.5878, 0.3337, 1.2321, -0.1191, -0.3984});
}

TEST(GoldenFirstStageResampling, Upsample2DConvSeed0) {
  const at::Tensor x = sample(32);
  Filled filled;
  const first_stage::Upsample up(filled.p, "up", 32, first_stage::Up::nearest_conv, Axes::space);
  filled.bind();
  expect_corner(up(x), {0.7145, 1.3773, 0.3492});
}

}  // namespace
}  // namespace perrin::testing
