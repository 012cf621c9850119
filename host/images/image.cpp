#include "host/images/image.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "host/base/error.hpp"
#include "host/images/formats.hpp"
#include "host/images/orientation.hpp"

namespace perrin::images {
namespace {

struct Format {
  uint32_t id;
  const char* name;
  Stored (*header)(std::string_view bytes);
  Pixels (*decode)(std::string_view bytes, uint32_t channels, Stored& stored);
};

constexpr Format kPng = {PERRIN_IMAGE_PNG, "PNG", png_header, decode_png};
constexpr Format kJpeg = {PERRIN_IMAGE_JPEG, "JPEG", jpeg_header, decode_jpeg};
constexpr Format kWebp = {PERRIN_IMAGE_WEBP, "WebP", webp_header, decode_webp};

const Format& format_of(std::string_view bytes, const std::string& name) {
  using namespace std::string_view_literals;
  if (bytes.starts_with("\x89PNG\r\n\x1a\n"sv)) return kPng;
  if (bytes.starts_with("\xff\xd8\xff"sv)) return kJpeg;
  if (bytes.size() > 12 && bytes.starts_with("RIFF"sv) && bytes.substr(8, 4) == "WEBP"sv) return kWebp;
  throw Error(name +
              (bytes.empty() ? ": an empty file" : ": neither a PNG nor a JPEG nor a WebP image (by its first bytes)"));
}

// Names the file that `read` refuses.
template <class Read>
auto named(const Format& format, const std::string& name, Read&& read) {
  try {
    return read();
  } catch (const Refusal& why) {
    throw Error(name + ": the " + format.name + " image cannot be read (" + why.what() + ")");
  }
}

// (value * opacity + 255 * (255 - opacity)) / 255, rounded: Pillow's alpha_composite onto opaque white, to the bit.
uint8_t on_white(uint8_t value, uint8_t opacity) {
  return static_cast<uint8_t>((value * opacity + 255 * (255 - opacity) + 127) / 255);
}

}  // namespace

void check_size(uint64_t width, uint64_t height) {
  if (width == 0 || height == 0) throw Refusal("its header says that it has no pixels");
  if (width > PERRIN_IMAGE_MAX_PIXELS / height)
    throw Refusal("its header says " + std::to_string(width) + " x " + std::to_string(height) + " pixels; at most " +
                  std::to_string(PERRIN_IMAGE_MAX_PIXELS) + " are read, make it smaller");
}

Pixels unset(uint64_t height, uint64_t width, uint32_t channels) {
  return {height, width, channels, std::make_unique_for_overwrite<uint8_t[]>(height * width * channels)};
}

void convert(Pixels& pixels, uint32_t channels) {
  const uint32_t from = pixels.channels;
  if (from == channels) return;
  const uint8_t* in = pixels.values.get();
  uint8_t* out = pixels.values.get();
  const bool transparent = from % 2 == 0;
  const uint32_t colours = transparent ? from - 1 : from;
  for (uint64_t i = 0; i < pixels.height * pixels.width; ++i, in += from, out += channels) {
    uint8_t value[3];
    for (uint32_t c = 0; c < colours; ++c) value[c] = transparent ? on_white(in[c], in[colours]) : in[c];
    if (channels < colours)
      out[0] = luma(value);
    else
      std::copy_n(value, channels, out);
  }
  pixels.channels = channels;
}

perrin_image_info info(std::string_view bytes, const std::string& name) {
  const Format& format = format_of(bytes, name);
  const Stored stored = named(format, name, [&] { return format.header(bytes); });
  const bool sideways = stored.orientation > 4;
  return {sizeof(perrin_image_info), format.id, sideways ? stored.height : stored.width,
          sideways ? stored.width : stored.height, stored.frames};
}

Pixels decode(std::string_view bytes, uint32_t channels, const std::string& name) {
  if (channels != 1 && channels != 3)
    throw Error(name + ": images are read as 1 or 3 channels, not as " + std::to_string(channels));
  const Format& format = format_of(bytes, name);
  return named(format, name, [&] {
    Stored stored;
    Pixels pixels = format.decode(bytes, channels, stored);
    return upright(std::move(pixels), stored.orientation);
  });
}

Pixels decode_file(const std::string& path, uint32_t channels) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error))
    throw Error(path + ": " + (error ? error.message() : "is no regular file"));
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (!file || file.bad()) throw Error(path + ": cannot be read");
  return decode(bytes, channels, path);
}

}  // namespace perrin::images
