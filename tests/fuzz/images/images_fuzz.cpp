// Any bytes as a picture, and a PNG with its checksums set right too: pixels of the header's size, or one clean Error.
// Everything else is a finding.
#include <zlib.h>

#include "host/base/error.hpp"
#include "host/images/image.hpp"
#include "tests/fuzz/input.hpp"

namespace {

using namespace perrin;

void read(const std::string& bytes) {
  try {
    const perrin_image_info info = images::info(bytes, "x");
    if (info.width * info.height > 1 << 22) return;  // speed
    const uint32_t channels = bytes.size() % 2 ? 1 : 3;
    const images::Pixels pixels = images::decode(bytes, channels, "x");
    fuzz::require(pixels.width == info.width && pixels.height == info.height && pixels.channels == channels);
  } catch (const Error& fault) {
    fuzz::require(!fault.message().empty());
  }
}

// Chunks of a big-endian length, a type, data and a CRC-32 of the last two.
void set_checksums(std::string& png) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(png.data());
  for (size_t at = 8; at + 12 <= png.size();) {
    const size_t size = size_t{bytes[at]} << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3];
    if (size > png.size() - at - 12) return;
    const auto sum = static_cast<uint32_t>(crc32(0, bytes + at + 4, static_cast<uInt>(size + 4)));
    at += size + 12;
    for (size_t i = 0; i < 4; ++i) png[at - 4 + i] = static_cast<char>(sum >> (24 - 8 * i));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(fuzz::text_of(data, size));
  read(bytes);
  if (!bytes.starts_with("\x89PNG")) return 0;
  set_checksums(bytes);
  read(bytes);
  return 0;
}
