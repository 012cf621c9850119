#include "host/store/png.hpp"

#include <png.h>

#include <algorithm>
#include <cmath>

#include "host/store/atomic_file.hpp"

namespace perrin::store {
namespace {

struct Control {
  png_image image{};
  Control() { image.version = PNG_IMAGE_VERSION; }
  ~Control() { png_image_free(&image); }
};

png_uint_32 format_of(int channels) { return channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB; }

size_t bytes_of(int height, int width, int channels) {
  if (height <= 0 || width <= 0 || (channels != 1 && channels != 3))
    throw Error("an image needs a positive size and 1 or 3 channels, not " + std::to_string(height) + " x " +
                std::to_string(width) + " x " + std::to_string(channels));
  return size_t(height) * size_t(width) * size_t(channels);
}

}  // namespace

void write_png(const std::filesystem::path& path, const Image& image) {
  if (bytes_of(image.height, image.width, image.channels) != image.pixels.size())
    throw Error("an image's pixels do not fit its size", path.string());
  Control png;
  png.image.width = static_cast<png_uint_32>(image.width);
  png.image.height = static_cast<png_uint_32>(image.height);
  png.image.format = format_of(image.channels);
  std::vector<std::byte> file(PNG_IMAGE_PNG_SIZE_MAX(png.image));
  png_alloc_size_t bytes = file.size();
  if (!png_image_write_to_memory(&png.image, file.data(), &bytes, 0, image.pixels.data(), 0, nullptr))
    throw Error("cannot encode " + path.string() + ": " + png.image.message, path.string());
  const std::span<const std::byte> part(file.data(), bytes);
  write_atomically(path, {&part, 1});
}

Image grid(std::span<const uint8_t> images, int height, int width, int channels, const GridStyle& style) {
  const size_t each = bytes_of(height, width, channels);
  const int n = static_cast<int>(images.size() / each);
  if (n == 0 || images.size() % each != 0) throw Error("a grid needs one or more whole images");
  if (style.scale < 1 || style.padding < 0 || style.columns < 0)
    throw Error("a grid needs scale >= 1, padding and columns >= 0");
  const int columns = style.columns > 0 ? style.columns : static_cast<int>(std::ceil(std::sqrt(n)));
  const int rows = (n + columns - 1) / columns, scale = style.scale, pad = style.padding;
  Image out{rows * (height * scale + pad) + pad, columns * (width * scale + pad) + pad, channels, {}};
  out.pixels.assign(bytes_of(out.height, out.width, channels), style.background);
  for (int i = 0; i < n; ++i) {
    const int top = i / columns * (height * scale + pad) + pad, left = i % columns * (width * scale + pad) + pad;
    for (int y = 0; y < height * scale; ++y)
      for (int x = 0; x < width * scale; ++x) {
        const uint8_t* from = &images[each * i + (size_t(y / scale) * width + x / scale) * channels];
        std::copy_n(from, channels, &out.pixels[(size_t(top + y) * out.width + left + x) * channels]);
      }
  }
  return out;
}

}  // namespace perrin::store
