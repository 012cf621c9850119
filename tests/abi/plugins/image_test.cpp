// perrin.image/1 from a plugin's side.
#include "perrin/host/image.h"

#include <vector>

#include "tests/abi/plugins/common.hpp"

namespace perrin::test {
namespace {

// 2 x 1 pixels, (255, 0, 0, 255) and (0, 0, 0, 0), as Pillow 11.3.0 saves them.
constexpr unsigned char kPng[] = {
    0x89, 'P',  'N',  'G',  '\r', '\n', 0x1a, '\n', 0,    0,    0,    13,   'I',  'H',  'D',  'R',  0,    0,    0,
    2,    0,    0,    0,    1,    8,    6,    0,    0,    0,    0xf4, 0x22, 0x7f, 0x8a, 0x00, 0x00, 0x00, 0x11, 0x49,
    0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0xf8, 0xcf, 0xc0, 0xf0, 0x9f, 0x81, 0x81, 0x81, 0x01, 0x00, 0x0c, 0xfc, 0x01,
    0xff, 0xfd, 0x2d, 0x77, 0x6d, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82};

const perrin_host_image& images() { return service<perrin_host_image>(PERRIN_HOST_IMAGE); }

TEST(ImageService, says_what_the_header_says_and_decodes_by_the_rules) {
  perrin_image_info info{};
  EXPECT_EQ(outcome(images().info(kPng, sizeof kPng, "a.png"_t, &info)), "");
  EXPECT_EQ(info.struct_size, sizeof info);
  EXPECT_EQ(info.format, PERRIN_IMAGE_PNG);
  EXPECT_EQ(info.width, 2u);
  EXPECT_EQ(info.height, 1u);
  EXPECT_EQ(info.frames, 1u);
  perrin_image image{};
  EXPECT_EQ(outcome(images().decode(kPng, sizeof kPng, "a.png"_t, 3, &image)), "");
  EXPECT_EQ(image.width, 2u);
  EXPECT_EQ(std::vector<uint8_t>(image.values, image.values + 6), (std::vector<uint8_t>{255, 0, 0, 255, 255, 255}));
  images().release(&image);
  EXPECT_EQ(image.values, nullptr);
  images().release(&image);
}

TEST(ImageService, refuses_with_a_code_and_the_name_and_leaves_outputs_alone) {
  perrin_image image{7, 7, 7, 7, nullptr};
  const std::string cut = outcome(images().decode(kPng, 40, "b.png"_t, 3, &image));
  EXPECT_EQ(cut.substr(0, 42), "6: b.png: the PNG image cannot be read (it");
  EXPECT_EQ(outcome(images().decode("GIF89a", 6, "c.gif"_t, 3, &image)).substr(0, 18), "6: c.gif: neither ");
  EXPECT_EQ(outcome(images().decode(kPng, sizeof kPng, "d.png"_t, 4, &image)).substr(0, 9), "6: d.png:");
  EXPECT_EQ(image.height, 7u);
}

TEST(ImageService, resamples_a_plugins_own_pixels) {
  const uint8_t grey[] = {10, 20, 30, 40};
  const perrin_image image{sizeof image, 1, 2, 2, grey};
  uint8_t out[2] = {};
  const perrin_image_window lower{sizeof lower, 0, 4, 2, 3, 0, 1, 2};
  EXPECT_EQ(outcome(images().resample(&image, "nearest"_t, &lower, out)), "");
  EXPECT_EQ(out[0], 30);
  EXPECT_EQ(out[1], 40);
  EXPECT_EQ(outcome(images().resample(&image, "sharp"_t, &lower, out)), "5: there is no filter \"sharp\"");
  const perrin_image_window below{sizeof below, 0, 4, 2, 4, 0, 1, 2}, huge{sizeof huge, 0, 4, 2, ~0ull, 0, 2, 2};
  EXPECT_EQ(outcome(images().resample(&image, "box"_t, &below, out)),
            "6: the window does not lie inside the scaled image");
  EXPECT_EQ(outcome(images().resample(&image, "box"_t, &huge, out)),
            "6: the window does not lie inside the scaled image");
}

}  // namespace
}  // namespace perrin::test
