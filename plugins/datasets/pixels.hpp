// An image in memory, and how files become one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace perrin::datasets {

struct Pixels {
  int64_t height = 0, width = 0;
  int64_t channels = 0;         // 1 or 3
  std::vector<uint8_t> values;  // [height, width, channels]
};

// The limit that keeps a damaged header from asking for all memory.
inline constexpr int64_t max_side = 1 << 15;

// A whole PNG, JPEG or WebP file, told apart by its first bytes; transparency is laid on white, 16 bits become 8, grey
// and colour are converted into each other (Rec. 601 luma). channels: 1 or 3. `name` stands in messages. Throws
// Failure, PERRIN_INVALID_DATA, if it is none of them, damaged or cut.
Pixels decode_image(std::string_view bytes, int64_t channels, const std::string& name);

// Is this the ending of a file that decode_image reads? With the dot, in lower case.
bool is_image_ending(std::string_view ending);

// What decode_image chooses from: [height, width, 3 or 4] as the file has it.
Pixels decode_png(std::string_view bytes, const std::string& name);
Pixels decode_jpeg(std::string_view bytes, const std::string& name);
Pixels decode_webp(std::string_view bytes, const std::string& name);

}  // namespace perrin::datasets
