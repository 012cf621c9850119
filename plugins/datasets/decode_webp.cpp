#include <webp/decode.h>

#include "perrin/cpp/plugin.hpp"
#include "pixels.hpp"

namespace perrin::datasets {

Pixels decode_webp(std::string_view bytes, const std::string& name) {
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  int width = 0, height = 0;
  if (!WebPGetInfo(data, bytes.size(), &width, &height))
    throw Failure(PERRIN_INVALID_DATA, name + ": the WebP image has a damaged header");
  Pixels pixels{height, width, 4,
                std::vector<uint8_t>(size_t{4} * static_cast<size_t>(width) * static_cast<size_t>(height))};
  if (!WebPDecodeRGBAInto(data, bytes.size(), pixels.values.data(), pixels.values.size(), 4 * width))
    throw Failure(PERRIN_INVALID_DATA, name + ": the WebP image cannot be read (damaged, cut or animated)");
  return pixels;
}

}  // namespace perrin::datasets
