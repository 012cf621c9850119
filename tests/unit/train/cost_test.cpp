#include "host/train/cost.hpp"

#include <gtest/gtest.h>

#include <cstdio>

#include "tests/unit/composition/composition.hpp"

namespace perrin::test {
namespace {

// A multiply-add is 2. in 2 -> 16, out 16 -> 2, two time layers and three residual layers of two matrices 16 x 16.
TEST(Cost, OfAnMlpIsItsMatrixProducts) {
  const int64_t by_hand = 2 * (2 * 16 + 16 * 2 + 2 * 16 * 16 + 3 * 2 * 16 * 16);
  const Composition plain = compose(kPoints, {}, false), conditioned = compose(kPoints);
  EXPECT_EQ(measure_cost(*plain, plain.stage()).forward_flops, by_hand);
  EXPECT_EQ(measure_cost(*conditioned, conditioned.stage()).forward_flops, by_hand + 2 * 16 * 16)
      << "and the condition's layer";
  std::printf("mlp: %lld FLOP, by hand the same\n", static_cast<long long>(by_hand));
  EXPECT_EQ(parameter_bytes(*plain, true), 5 * 4 * plain->parameters.values().numel());
  EXPECT_EQ(parameter_bytes(*plain, false), 4 * 4 * plain->parameters.values().numel());
}

// One level of 8 channels, one block down and two up, on 8 x 8 = 64 pixels.
TEST(Cost, OfAUNetIsItsConvolutionsProductsAndAttention) {
  const Composition c =
      compose(kImages, {"denoiser.layers_per_block=1", "denoiser.attention=[]", "denoiser.head_channels=8"}, false);
  const int64_t pixels = 64, conv8 = 8 * 8 * 9, width = 32;
  const int64_t ends = 8 * 9 + 8 * 9;                              // conv_in, conv_out
  const int64_t blocks = 3 * 2 * conv8;                            // one down, two in the middle: two convolutions each
  const int64_t up = 2 * (16 * 8 * 9 + conv8 + 16 * 8);            // two up, on 16 channels, with shortcuts
  const int64_t time = 8 * width + width * width + 5 * width * 8;  // embedding, and one projection per block
  const int64_t attention = pixels * (8 * 24 + 8 * 8) + 2 * pixels * pixels * 8;  // q, k, v, out, and the two products
  const int64_t by_hand = 2 * (pixels * (ends + blocks + up) + time + attention);
  const Cost cost = measure_cost(*c, c.stage());
  std::printf("unet: %lld FLOP, by hand %lld; %lld bytes of activations\n", static_cast<long long>(cost.forward_flops),
              static_cast<long long>(by_hand), static_cast<long long>(cost.activation_bytes));
  EXPECT_EQ(cost.forward_flops, by_hand);
  // At least what every convolution returns, at most a hundred such tensors.
  EXPECT_GT(cost.activation_bytes, 12 * pixels * 8 * 4);
  EXPECT_LT(cost.activation_bytes, 100 * pixels * 8 * 4);
}

}  // namespace
}  // namespace perrin::test
