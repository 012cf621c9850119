// Holes for training inpainting.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace holes {

// The hole of one sample: height x width, 1 inside. A function of (seed, sample, kind, height, width) alone.
//   boxes  1 to 4 rectangles; each side between 1/8 and 1/2 of the image's, anywhere inside it
//   brush  1 to 4 strokes of 4 points anywhere in the image, joined by lines; half as wide as 1/32 to 1/8 of the
//          shorter side, at least one pixel wide
//   mixed  either, as likely as the other
std::vector<float> draw(const std::string& kind, uint64_t seed, uint64_t sample, int64_t height, int64_t width);

}  // namespace holes
