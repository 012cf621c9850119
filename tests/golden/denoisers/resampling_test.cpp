// The U-Net's changes of resolution against diffusers' tests/models/test_layers_utils.py (test_downsample_with_conv,
// test_upsample_with_conv): input and weights from torch's generator, seed 0, as torch.nn.Conv2d initialises.
#include <ATen/Context.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <gtest/gtest.h>

#include <cmath>

#include "host/kernels/ops.hpp"

namespace perrin::testing {
namespace {

using Optional = std::optional<at::Tensor>;

// What the plugins' Conv2d calls: 32 channels, 3 x 3, padding 1.
at::Tensor convolution(const at::Tensor& x, int64_t stride) {
  kernels::register_operators();
  static const auto op =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("perrin::conv2d", "")
          .typed<at::Tensor(const at::Tensor&, const at::Tensor&, const Optional&, int64_t, int64_t)>();
  const double bound = 1 / std::sqrt(32.0 * 9);
  const at::Tensor weight = at::empty({32, 32, 3, 3}).uniform_(-bound, bound),
                   bias = at::empty({32}).uniform_(-bound, bound);
  return op.call(x, weight, bias, stride, 1);
}

at::Tensor sample(int64_t side) {
  at::Generator generator = at::globalContext().defaultGenerator(at::kCPU);
  generator.set_current_seed(0);
  return at::randn({1, 32, side, side});
}

// y[0, -1, -3:, -3:], row by row.
void expect_corner(const at::Tensor& y, std::initializer_list<double> published) {
  const at::Tensor corner = y[0][31].narrow(0, y.size(2) - 3, 3).narrow(1, y.size(3) - 3, 3).reshape({9});
  int64_t i = 0;
  for (double value : published) {
    std::printf(" %.4f (published %.4f)", corner[i].item<double>(), value);
    EXPECT_NEAR(corner[i++].item<double>(), value, 1e-3);
  }
  std::printf("\n");
}

TEST(GoldenResampling, Downsample2DConvSeed0) {
  expect_corner(convolution(sample(64), 2), {0.9267, 0.5878, 0.3337, 1.2321});
}

TEST(GoldenResampling, Upsample2DConvSeed0) {
  const at::Tensor x = sample(32);
  expect_corner(convolution(at::upsample_nearest2d(x, {64, 64}), 1), {0.7145, 1.3773, 0.3492});
}

}  // namespace
}  // namespace perrin::testing
