// PNG, JPEG and WebP files as 8-bit pixels, by the rules of sdk/include/perrin/host/image.h. Every function may be
// called from any thread; `name` stands in messages; what cannot be read is a perrin::Error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "host/images/pixels.hpp"

namespace perrin::images {

// What the header says. Nothing is allocated by it, and PERRIN_IMAGE_MAX_PIXELS holds.
perrin_image_info info(std::string_view bytes, const std::string& name);

// The whole file as `channels`, 1 or 3, of them.
Pixels decode(std::string_view bytes, uint32_t channels, const std::string& name);
// Of a regular file, its path as the name.
Pixels decode_file(const std::string& path, uint32_t channels);

}  // namespace perrin::images
