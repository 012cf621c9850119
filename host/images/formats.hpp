// What each format's file gives image.cpp. Internal to host/images.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "host/images/pixels.hpp"

namespace perrin::images {

// Why a file cannot be read; image.cpp adds its name.
struct Refusal : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The picture as it is stored, before it is turned.
struct Stored {
  uint64_t width = 0, height = 0;
  uint64_t frames = 1;
  int orientation = 1;  // EXIF's 1 to 8
};

// Throws Refusal for a picture of no pixels or of more than PERRIN_IMAGE_MAX_PIXELS.
void check_size(uint64_t width, uint64_t height);

// Values that whoever asked for them writes all of: [height, width, channels], channels 1 to 4.
Pixels unset(uint64_t height, uint64_t width, uint32_t channels);

// [height, width, 2 or 4], opacity last, onto white and to `channels`; [height, width, 1 or 3] to `channels`, which are
// no more than these. In place.
void convert(Pixels& pixels, uint32_t channels);

// Rec. 601: 0.299 R + 0.587 G + 0.114 B in 16-bit fixed point (Pillow's Convert.c, L24).
inline uint8_t luma(const uint8_t* rgb) {
  return static_cast<uint8_t>((rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16);
}

// Both throw Refusal. Of decode_*, `stored` is what the file's header said; it has passed check_size.
Stored png_header(std::string_view bytes);
Pixels decode_png(std::string_view bytes, uint32_t channels, Stored& stored);
Stored jpeg_header(std::string_view bytes);
Pixels decode_jpeg(std::string_view bytes, uint32_t channels, Stored& stored);
Stored webp_header(std::string_view bytes);
Pixels decode_webp(std::string_view bytes, uint32_t channels, Stored& stored);

}  // namespace perrin::images
