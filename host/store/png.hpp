// 8-bit images: PNG files and grids of samples.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace perrin::store {

struct Image {
  int height = 0, width = 0, channels = 0;  // channels: 1 (grey) or 3 (RGB)
  std::vector<uint8_t> pixels;              // [height, width, channels]
};

// Whole or not at all, as write_atomically(). perrin::Error for sizes that do not fit the pixels.
void write_png(const std::filesystem::path& path, const Image& image);

struct GridStyle {
  int columns = 0;  // 0: the square root of the count, rounded up
  int padding = 2;  // pixels around every image, after scaling
  int scale = 1;    // every pixel becomes scale x scale
  uint8_t background = 0;
};

// images: [n, height, width, channels], filled row by row; the last row may be short.
Image grid(std::span<const uint8_t> images, int height, int width, int channels, const GridStyle& style = {});

}  // namespace perrin::store
