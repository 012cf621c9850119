// Antialiased resizing by separable filters.
#pragma once

#include <string_view>

#include "perrin/host/image.h"

namespace perrin::images {

bool is_filter(std::string_view name);

// As perrin_host_image::resample; `filter` is one and the window lies inside. Only the rows and columns that the window
// needs are looked at, so that memory follows the window and not the scaled picture. A filter's support grows with the
// reduction (Turkowski 1990, "Filters for common resampling tasks"): lanczos has three lobes, bicubic a = -1/2 (Keys
// 1981), bilinear is the triangle, box the average; nearest takes the pixel under each centre.
void resample(const perrin_image& from, std::string_view filter, const perrin_image_window& window, uint8_t* values);

}  // namespace perrin::images
