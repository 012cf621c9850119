#include "host/store/png.hpp"

#include "host/images/image.hpp"
#include "tests/unit/store/fixture.hpp"

namespace perrin::store {
namespace {

Image pattern(int height, int width, int channels) {
  Image image{height, width, channels, {}};
  for (int i = 0; i < height * width * channels; ++i) image.pixels.push_back(static_cast<uint8_t>(i * 37));
  return image;
}

TEST_F(StoreTest, PngComesBackPixelForPixel) {
  for (const int channels : {1, 3}) {
    const Image image = pattern(7, 13, channels);
    write_png(folder / "a.png", image);
    const images::Pixels back = images::decode_file((folder / "a.png").string(), static_cast<uint32_t>(channels));
    EXPECT_EQ(back.height, 7u);
    EXPECT_EQ(back.width, 13u);
    EXPECT_TRUE(std::equal(image.pixels.begin(), image.pixels.end(), back.values.get()));
  }
}

TEST_F(StoreTest, AnImageWhosePixelsDoNotFitIsRefused) {
  EXPECT_CONTAINS(message_of([&] { write_png(folder / "a.png", {2, 2, 1, {1, 2, 3}}); }), "do not fit");
  EXPECT_CONTAINS(message_of([&] { write_png(folder / "a.png", {2, 2, 2, {1, 2, 3}}); }), "1 or 3 channels");
  EXPECT_CONTAINS(message_of([&] { write_png(folder / "absent" / "a.png", pattern(1, 1, 1)); }), "No such file");
}

// Two 1 x 2 images side by side, doubled, one pixel of padding: every pixel written out by hand.
TEST_F(StoreTest, GridPlacesScalesAndPads) {
  const std::vector<uint8_t> images = {1, 2, 3, 4};
  const Image out = grid(images, 1, 2, 1, {.columns = 2, .padding = 1, .scale = 2, .background = 9});
  EXPECT_EQ(out.height, 4);
  EXPECT_EQ(out.width, 11);
  const std::vector<uint8_t> row = {9, 1, 1, 2, 2, 9, 3, 3, 4, 4, 9}, pad(11, 9);
  std::vector<uint8_t> wanted = pad;
  for (const auto* part : {&row, &row, &pad}) wanted.insert(wanted.end(), part->begin(), part->end());
  EXPECT_EQ(out.pixels, wanted);
}

TEST_F(StoreTest, AShortLastRowIsBackground) {
  const Image out = grid(std::vector<uint8_t>{1, 2, 3}, 1, 1, 1, {.columns = 0, .padding = 0});
  EXPECT_EQ(out.pixels, (std::vector<uint8_t>{1, 2, 3, 0}));
  EXPECT_CONTAINS(message_of([] { grid(std::vector<uint8_t>{1, 2, 3}, 1, 2, 1); }), "whole images");
}

}  // namespace
}  // namespace perrin::store
