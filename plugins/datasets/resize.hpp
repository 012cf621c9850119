// Antialiased resizing by separable filters.
#pragma once

#include <initializer_list>
#include <string>

#include "pixels.hpp"

namespace perrin::datasets {

// The names that resize() takes, for schemas.
inline constexpr std::initializer_list<const char*> resize_filters = {"lanczos", "bicubic", "bilinear", "box",
                                                                      "nearest"};

// `from` at another size. A filter's support grows with the reduction, so that nothing aliases (Turkowski 1990,
// "Filters for common resampling tasks"): lanczos has three lobes, bicubic a = -1/2 (Keys 1981), bilinear is the
// triangle, box the average; nearest takes the pixel under each centre. Each of both passes rounds to 8 bits, as Pillow
// does.
Pixels resize(const Pixels& from, int64_t height, int64_t width, const std::string& filter);

}  // namespace perrin::datasets
