// Pictures for datasets: the decoder of host/images as a service.
#include "host/images/image.hpp"

#include "host/base/error.hpp"
#include "host/images/resample.hpp"
#include "host/services/status.hpp"
#include "host/services/tables.hpp"

namespace perrin::services {
namespace {

std::string_view bytes_of(const void* bytes, uint64_t size) { return {static_cast<const char*>(bytes), size}; }

// A file that cannot be read is a fault of the data, whoever asked for it.
template <class Read>
perrin_status* reading(Read&& read) {
  return as_status([&] {
    try {
      read();
    } catch (const Error& error) {
      throw Fault(PERRIN_INVALID_DATA, error.what());
    }
  });
}

perrin_status* info(const void* bytes, uint64_t size, perrin_text name, perrin_image_info* info) {
  return reading([&] { *info = images::info(bytes_of(bytes, size), std::string(view(name))); });
}

perrin_status* decode(const void* bytes, uint64_t size, perrin_text name, uint32_t channels, perrin_image* image) {
  return reading([&] {
    images::Pixels pixels = images::decode(bytes_of(bytes, size), channels, std::string(view(name)));
    *image = pixels.view();
    pixels.values.release();  // to the caller, until release()
  });
}

void release(perrin_image* image) {
  delete[] image->values;
  image->values = nullptr;
}

perrin_status* resample(const perrin_image* from, perrin_text filter, const perrin_image_window* window,
                        uint8_t* values) {
  return as_status([&] {
    const perrin_image_window& w = *window;
    if (!images::is_filter(view(filter)))
      throw Fault(PERRIN_INVALID_CONFIG, "there is no filter \"" + std::string(view(filter)) + "\"");
    const auto inside = [](uint64_t at, uint64_t n, uint64_t whole) { return n > 0 && n <= whole && at <= whole - n; };
    if (!inside(w.top, w.rows, w.height) || !inside(w.left, w.columns, w.width))
      throw Fault(PERRIN_INVALID_DATA, "the window does not lie inside the scaled image");
    if (from->height == 0 || from->width == 0 || (from->channels != 1 && from->channels != 3))
      throw Fault(PERRIN_INVALID_DATA, "an image has pixels of 1 or 3 channels");
    images::resample(*from, view(filter), w, values);
  });
}

}  // namespace

const perrin_host_image image_table = {sizeof(perrin_host_image), 0, info, decode, release, resample};

}  // namespace perrin::services
