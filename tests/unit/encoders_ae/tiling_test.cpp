// Large images in tiles, large batches in slices.
#include "plugins/encoders/tiling.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

#include "tests/unit/encoders_ae/held.hpp"

namespace perrin::testing {
namespace {

using first_stage::sliced;
using first_stage::tiled;

// Functions that see no further than a latent's pixel: put together from tiles they are the same at every pixel, as the
// weights of a pixel sum to one. Sizes of one tile and a bit, of whole strides, and of a far edge that overlaps more.
TEST(Tiles, of_a_local_function_give_that_function) {
  const auto halved = [](const at::Tensor& x) { return at::avg_pool2d(x, 4); };
  const auto doubled = [](const at::Tensor& z) { return at::upsample_nearest2d(z, {4 * z.size(2), 4 * z.size(3)}); };
  int64_t calls = 0;
  for (const int64_t height : {16, 20, 28, 40, 44})
    for (const int64_t width : {12, 16, 52}) {
      const at::Tensor x = at::randn({2, 3, height, width}), z = at::randn({2, 3, height / 4, width / 4});
      const auto counted = [&](const at::Tensor& tile) {
        ++calls;
        EXPECT_LE(tile.size(2), 16);
        EXPECT_LE(tile.size(3), 16);
        return halved(tile);
      };
      EXPECT_LT(apart(tiled(x, {16, 1, 4}, counted), halved(x)), 1e-6) << height << " x " << width;
      EXPECT_LT(apart(tiled(z, {4, 4, 1}, doubled), doubled(z)), 1e-6) << height << " x " << width;
    }
  // Strides of 12: 1, 2, 2, 3, 4 rows of tiles and 1, 1, 4 columns.
  EXPECT_EQ(calls, 12 * 6);
}

// Where one tile lies alone the output is that tile's: one pixel out of place would show.
TEST(Tiles, are_blended_only_where_they_overlap) {
  double number = 0;
  const auto numbered = [&](const at::Tensor& x) { return at::zeros_like(x).add(++number); };
  const auto y = tiled(at::zeros({1, 1, 8, 28}), {16, 1, 1}, numbered).view({8, 28});
  for (int64_t w = 0; w < 12; ++w) EXPECT_FLOAT_EQ(y[3][w].item<float>(), 1);
  const float blend[] = {1.125, 1.375, 1.625, 1.875};  // linear, pixel centres
  for (int64_t w = 0; w < 4; ++w) EXPECT_FLOAT_EQ(y[3][12 + w].item<float>(), blend[w]);
  for (int64_t w = 16; w < 28; ++w) EXPECT_FLOAT_EQ(y[3][w].item<float>(), 2);
}

class TiledStage : public ::testing::TestWithParam<const char*> {
 protected:
  static Bound made(const Values& more, int64_t side = 64) {
    return encoder(GetParam(), with(small_first_stage(), more), {1, side, side});
  }
  const at::NoGradGuard no_grad_;
  const When evaluation_{false};
};

TEST_P(TiledStage, is_the_untiled_one_where_a_tile_covers_the_image) {
  const Bound plain = made({}), covered = made({{"tile", int64_t{64}}});
  const at::Tensor x = waves(2, 1, 64), z = encode(plain, x, evaluation_);
  EXPECT_TRUE(encode(covered, x, evaluation_).equal(z));
  EXPECT_TRUE(decode(covered, z, evaluation_).equal(decode(plain, z, evaluation_)));
}

// Waves of 16 pixels look alike in every tile. What is left far from seams and borders is that norms and attention see
// a tile of 128 pixels, borders and all, for an image of 224: below a tenth of the largest element (diffusers'
// AutoencoderKL of this size with six seeds: latents 0.008 to 0.019, images 0.016 to 0.042, and twice that of tiles of
// 64). A tile out of place would make it one.
TEST_P(TiledStage, is_near_the_untiled_one_away_from_the_seams) {
  const Bound plain = made({}, 224), tiled = made({{"tile", int64_t{128}}}, 224);
  const at::Tensor x = waves(1, 1, 16).repeat({1, 1, 14, 14}), z = waves(1, 2, 8).mul(2).repeat({1, 1, 14, 14});
  const auto inner = [](const at::Tensor& t, int64_t scale) {  // pixels 32 to 88 of the first tile, 96 its own
    return t.slice(2, 32 / scale, 88 / scale).slice(3, 32 / scale, 88 / scale);
  };
  const at::Tensor latent = encode(tiled, x, evaluation_), whole_latent = encode(plain, x, evaluation_);
  const at::Tensor image = decode(tiled, z, evaluation_), whole_image = decode(plain, z, evaluation_);
  ASSERT_EQ(latent.sizes(), z.sizes());
  ASSERT_EQ(image.sizes(), x.sizes());
  const double far_latent = apart(inner(latent, 2), inner(whole_latent, 2)),
               far_image = apart(inner(image, 1), inner(whole_image, 1));
  std::printf("%s: latents %.1e, images %.1e of the largest element apart; everywhere %.1e, %.1e\n", GetParam(),
              far_latent, far_image, apart(latent, whole_latent), apart(image, whole_image));
  EXPECT_LT(far_latent, 0.1);
  EXPECT_LT(far_image, 0.1);
  EXPECT_FALSE(latent.equal(whole_latent)) << "there are no tiles";
}

TEST_P(TiledStage, in_slices_is_the_whole) {
  const Bound plain = made({}, 32), sliced = made({{"slice", int64_t{2}}}, 32);
  const at::Tensor x = at::randn({5, 1, 32, 32}), z = encode(plain, x, evaluation_);
  EXPECT_LT(apart(encode(sliced, x, evaluation_), z), 1e-6);
  EXPECT_LT(apart(decode(sliced, z, evaluation_), decode(plain, z, evaluation_)), 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Encoders, TiledStage, ::testing::Values("autoencoder", "autoencoder-kl"),
                         [](const auto& info) { return std::string(info.param) == "autoencoder" ? "plain" : "kl"; });

}  // namespace
}  // namespace perrin::testing
