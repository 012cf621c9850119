#include "host/images/orientation.hpp"

#include <algorithm>

#include "host/images/formats.hpp"

namespace perrin::images {
namespace {

using namespace std::string_view_literals;

constexpr uint64_t kOrientation = 0x0112, kByte = 1, kShort = 3, kLong = 4;  // TIFF 6.0: a tag and types

// Whole numbers of a TIFF structure in its byte order; 0 behind its end.
struct Tiff {
  std::string_view bytes;
  bool little;

  uint64_t at(uint64_t place, uint64_t size) const {
    if (place > bytes.size() || size > bytes.size() - place) return 0;
    uint64_t value = 0;
    for (uint64_t i = 0; i < size; ++i)
      value = value << 8 | static_cast<uint8_t>(bytes[place + (little ? size - 1 - i : i)]);
    return value;
  }
};

// Of the first directory; 0: it has none.
uint64_t exif_orientation(std::string_view exif) {
  while (exif.starts_with("Exif\0\0"sv)) exif.remove_prefix(6);
  const bool little = exif.starts_with("II*\0"sv);
  if (!little && !exif.starts_with("MM\0*"sv)) return 0;
  const Tiff tiff{exif, little};
  const uint64_t directory = tiff.at(4, 4), entries = tiff.at(directory, 2);
  for (uint64_t i = 0; i < entries; ++i) {
    const uint64_t entry = directory + 2 + 12 * i, type = tiff.at(entry + 2, 2);
    if (tiff.at(entry, 2) != kOrientation) continue;
    if (type == kByte || type == kShort || type == kLong)
      return tiff.at(entry + 8, type == kLong ? 4 : type == kShort ? 2 : 1);
  }
  return 0;
}

uint64_t xmp_orientation(std::string_view xmp) {
  constexpr std::string_view key = "tiff:Orientation";
  for (size_t at = xmp.find(key); at != xmp.npos; at = xmp.find(key, at + 1)) {
    std::string_view rest = xmp.substr(at + key.size());
    if (!rest.starts_with("=\""sv) && !rest.starts_with(">"sv)) continue;
    rest.remove_prefix(rest[0] == '=' ? 2 : 1);
    if (!rest.empty() && rest[0] >= '0' && rest[0] <= '9') return static_cast<uint64_t>(rest[0] - '0');
  }
  return 0;
}

}  // namespace

int orientation_of(std::string_view exif, std::string_view xmp) {
  uint64_t found = exif_orientation(exif);
  if (found == 0) found = xmp_orientation(xmp);
  return found >= 1 && found <= 8 ? static_cast<int>(found) : 1;
}

// Orientations 5 to 8 lie on their side; of those and of the others, the second and third are mirrored along the stored
// rows' direction, the third and fourth along the columns'.
Pixels upright(Pixels stored, int orientation) {
  if (orientation == 1) return stored;
  const bool sideways = orientation > 4;
  const bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_below = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Pixels turned =
      unset(sideways ? stored.width : stored.height, sideways ? stored.height : stored.width, stored.channels);
  uint8_t* out = turned.values.get();
  for (uint64_t y = 0; y < turned.height; ++y)
    for (uint64_t x = 0; x < turned.width; ++x, out += stored.channels) {
      uint64_t row = sideways ? x : y, column = sideways ? y : x;
      if (from_below) row = stored.height - 1 - row;
      if (from_right) column = stored.width - 1 - column;
      std::copy_n(&stored.values[(row * stored.width + column) * stored.channels], stored.channels, out);
    }
  return turned;
}

}  // namespace perrin::images
