// PNG, JPEG and WebP files as 8-bit pixels, by the rules of sdk/include/perrin/host/image.h. Every function may be
// called from any thread; `name` stands in messages; what cannot be read is a perrin::Error.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "perrin/host/image.h"

namespace perrin::images {

struct Pixels {
  uint64_t height = 0, width = 0;
  uint32_t channels = 0;              // 1: grey, 3: RGB
  std::unique_ptr<uint8_t[]> values;  // [height, width, channels]

  uint64_t size() const { return height * width * channels; }
  perrin_image view() const { return {sizeof(perrin_image), channels, height, width, values.get()}; }
};

// What the header says. Nothing is allocated by it, and PERRIN_IMAGE_MAX_PIXELS holds.
perrin_image_info info(std::string_view bytes, const std::string& name);

// The whole file as `channels`, 1 or 3, of them.
Pixels decode(std::string_view bytes, uint32_t channels, const std::string& name);
// Of a regular file, its path as the name.
Pixels decode_file(const std::string& path, uint32_t channels);

}  // namespace perrin::images
