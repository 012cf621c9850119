#include <algorithm>

#include "perrin/cpp/plugin.hpp"
#include "pixels.hpp"

namespace perrin::datasets {
namespace {

uint8_t blend(uint8_t value, uint8_t opacity) {
  return static_cast<uint8_t>((value * opacity + 255 * (255 - opacity) + 127) / 255);
}

// Rec. 601: 0.299 R + 0.587 G + 0.114 B in 16-bit fixed point, as Pillow converts to grey.
uint8_t luma(const uint8_t* rgb) {
  return static_cast<uint8_t>((rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16);
}

// [height, width, 3 or 4] -> [height, width, channels].
Pixels converted(const Pixels& from, int64_t channels) {
  Pixels to{from.height, from.width, channels, {}};
  to.values.resize(static_cast<size_t>(from.height * from.width * channels));
  uint8_t* out = to.values.data();
  const uint8_t* in = from.values.data();
  for (int64_t i = 0; i < from.height * from.width; ++i, in += from.channels, out += channels) {
    uint8_t rgb[3] = {in[0], in[1], in[2]};
    if (from.channels == 4)
      for (uint8_t& value : rgb) value = blend(value, in[3]);
    if (channels == 1)
      out[0] = luma(rgb);
    else
      std::copy(rgb, rgb + 3, out);
  }
  return to;
}

}  // namespace

Pixels decode_image(std::string_view bytes, int64_t channels, const std::string& name) {
  using namespace std::string_view_literals;
  if (bytes.starts_with("\x89PNG\r\n\x1a\n"sv)) return converted(decode_png(bytes, name), channels);
  if (bytes.starts_with("\xff\xd8\xff"sv)) return converted(decode_jpeg(bytes, name), channels);
  if (bytes.size() > 12 && bytes.starts_with("RIFF"sv) && bytes.substr(8, 4) == "WEBP"sv)
    return converted(decode_webp(bytes, name), channels);
  throw Failure(PERRIN_INVALID_DATA, name + ": neither a PNG nor a JPEG nor a WebP image (by its first bytes)");
}

bool is_image_ending(std::string_view ending) {
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg" || ending == ".webp";
}

}  // namespace perrin::datasets
