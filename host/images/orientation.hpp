// Which way up a picture is meant to be seen.
#pragma once

#include <string_view>

#include "host/images/pixels.hpp"

namespace perrin::images {

// The orientation, 1 to 8 (EXIF 2.32, 4.6.4 A), of a TIFF structure, with or without "Exif\0\0" before it; where that
// has none, of an XMP packet (tiff:Orientation). 1, as it is stored, where neither has one that can be read: Pillow's
// ImageOps.exif_transpose looks in the same places, in this order.
int orientation_of(std::string_view exif, std::string_view xmp);

// The picture turned and mirrored so that the top row is the top.
Pixels upright(Pixels stored, int orientation);

}  // namespace perrin::images
