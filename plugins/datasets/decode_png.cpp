#include <png.h>

#include "perrin/cpp/plugin.hpp"
#include "pixels.hpp"

namespace perrin::datasets {

// libpng's simplified interface: it converts every colour type, depth and interlacing to RGBA.
Pixels decode_png(std::string_view bytes, const std::string& name) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  const auto fail = [&] {
    const std::string why = image.message;
    png_image_free(&image);
    throw Failure(PERRIN_INVALID_DATA, name + ": the PNG image cannot be read (" + why + ")");
  };
  if (!png_image_begin_read_from_memory(&image, bytes.data(), bytes.size())) fail();
  if (image.width > max_side || image.height > max_side) {
    png_image_free(&image);
    throw Failure(PERRIN_INVALID_DATA, name + ": an image of " + std::to_string(image.width) + "x" +
                                           std::to_string(image.height) + " pixels is too large");
  }
  image.format = PNG_FORMAT_RGBA;
  image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;  // else libpng takes 16 bits for linear light
  Pixels pixels{image.height, image.width, 4, std::vector<uint8_t>(PNG_IMAGE_SIZE(image))};
  if (!png_image_finish_read(&image, nullptr, pixels.values.data(), 0, nullptr)) fail();
  return pixels;
}

}  // namespace perrin::datasets
