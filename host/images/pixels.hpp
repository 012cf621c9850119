// A picture in memory.
#pragma once

#include <cstdint>
#include <memory>

#include "perrin/host/image.h"

namespace perrin::images {

struct Pixels {
  uint64_t height = 0, width = 0;
  uint32_t channels = 0;              // 1: grey, 3: RGB
  std::unique_ptr<uint8_t[]> values;  // [height, width, channels]

  uint64_t size() const { return height * width * channels; }
  perrin_image view() const { return {sizeof(perrin_image), channels, height, width, values.get()}; }
};

}  // namespace perrin::images
