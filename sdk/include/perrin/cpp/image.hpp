// C++ layer of host/image.h.
//   const perrin::Image image(bytes, 3, path);                    throws perrin::Failure, which names the file
//   perrin::resample(image.get(), "lanczos", perrin_image_cover(image.get().height, image.get().width, 64, 64), out);
#pragma once

#include "../host/image.h"
#include "plugin.hpp"

namespace perrin {

// A decoded file.
class Image {
 public:
  Image(std::string_view bytes, uint32_t channels, std::string_view name)
      : api_(service<perrin_host_image>(PERRIN_HOST_IMAGE)) {
    check(api_->decode(bytes.data(), bytes.size(), text(name), channels, &image_));
  }
  ~Image() { api_->release(&image_); }
  Image(const Image&) = delete;

  const perrin_image& get() const { return image_; }

 private:
  const perrin_host_image* api_;
  perrin_image image_{};
};

inline void resample(const perrin_image& from, std::string_view filter, const perrin_image_window& window, uint8_t* out) {
  check(service<perrin_host_image>(PERRIN_HOST_IMAGE)->resample(&from, text(filter), &window, out));
}

}  // namespace perrin
