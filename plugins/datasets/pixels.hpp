// Which files are images.
#pragma once

#include <string_view>

namespace perrin::datasets {

// Is this the ending of a file that perrin.image/1 reads? With the dot, in lower case.
inline bool is_image_ending(std::string_view ending) {
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg" || ending == ".webp";
}

}  // namespace perrin::datasets
