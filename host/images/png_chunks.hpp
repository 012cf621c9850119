// The chunks of a PNG file that say which way up it is.
#pragma once

#include <cstdint>
#include <string_view>

namespace perrin::images {

struct PngChunks {
  uint32_t width = 0, height = 0;
  uint32_t bits = 0;    // of a pixel as it is stored
  uint64_t packed = 0;  // bytes of image data
  uint64_t frames = 1;  // of the animation
  int orientation = 1;
};

// Of a file that begins as a PNG does; throws Refusal where it has no header. Texts are unpacked up to a megabyte.
PngChunks read_png_chunks(std::string_view bytes);

}  // namespace perrin::images
