// Any bytes as a picture: pixels of the header's size, or one clean Error. Everything else is a finding.
#include <cstdint>
#include <cstdlib>

#include "host/base/error.hpp"
#include "host/images/image.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace perrin;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    const perrin_image_info info = images::info(bytes, "x");
    if (info.width * info.height > 1 << 22) return 0;  // speed
    const images::Pixels pixels = images::decode(bytes, size % 2 ? 1 : 3, "x");
    if (pixels.width != info.width || pixels.height != info.height) std::abort();
  } catch (const Error&) {
  }
  return 0;
}
