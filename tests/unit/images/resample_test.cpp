// Windows of a scaled picture. That whole ones are Pillow's, tests/unit/datasets/images_test.cpp shows.
#include "host/images/resample.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace perrin::images {
namespace {

using Values = std::vector<uint8_t>;

Values pattern(uint64_t n) {
  Values values(n);
  for (uint64_t i = 0; i < n; ++i) values[i] = static_cast<uint8_t>(i * 97 + i * i % 31);
  return values;
}

Values resampled(const Values& values, uint64_t height, uint64_t width, uint32_t channels, std::string_view filter,
                 const perrin_image_window& w) {
  Values out(w.rows * w.columns * channels);
  resample({sizeof(perrin_image), channels, height, width, values.data()}, filter, w, out.data());
  return out;
}

TEST(Resample, a_window_is_that_part_of_the_whole) {
  for (const char* filter : {"lanczos", "bicubic", "bilinear", "box", "nearest"})
    for (const uint32_t channels : {1u, 3u})
      for (const auto& [height, width] : {std::pair(40u, 9u), std::pair(13u, 17u), std::pair(5u, 60u)}) {
        const Values source = pattern(17 * 13 * channels);
        const Values whole = resampled(source, 13, 17, channels, filter,
                                       {sizeof(perrin_image_window), 0, height, width, 0, 0, height, width});
        const uint64_t top = height / 3, left = width / 4, rows = height / 2, columns = width / 2;
        const Values part = resampled(source, 13, 17, channels, filter,
                                      {sizeof(perrin_image_window), 0, height, width, top, left, rows, columns});
        for (uint64_t y = 0; y < rows; ++y)
          for (uint64_t i = 0; i < columns * channels; ++i)
            ASSERT_EQ(part[y * columns * channels + i], whole[((top + y) * width + left) * channels + i])
                << filter << y << " " << i;
      }
}

// 1 x 20000 pixels that cover 512 x 512 would be 512 x 10,240,000.
TEST(Resample, memory_follows_the_window) {
  const Values source = pattern(3 * 2000000);
  const perrin_image_window window = perrin_image_cover(2000000, 1, 512, 512);
  EXPECT_EQ(window.height, 1024000000u);
  EXPECT_EQ(window.top, (1024000000u - 512) / 2);
  const Values out = resampled(source, 2000000, 1, 3, "lanczos", window);
  for (uint64_t c = 0; c < 3; ++c) EXPECT_NEAR(out[c], source[3 * 999999 + c], 60);
}

TEST(Resample, a_cover_is_the_smallest_that_reaches_both_sides) {
  const perrin_image_window wide = perrin_image_cover(9, 13, 5, 5);
  EXPECT_EQ(wide.height, 5u);
  EXPECT_EQ(wide.width, 7u);
  EXPECT_EQ(wide.left, 1u);
  const perrin_image_window other = perrin_image_cover(100, 100, 30, 60);
  EXPECT_EQ(other.height, 60u);
  EXPECT_EQ(other.width, 60u);
  EXPECT_EQ(other.top, 15u);
  EXPECT_EQ(other.rows, 30u);
}

}  // namespace
}  // namespace perrin::images
