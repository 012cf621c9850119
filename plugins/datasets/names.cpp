#include "names.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <memory>

namespace perrin::datasets {
namespace {

constexpr std::array<std::string_view, 7> read_endings = {".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp"};

// Those that Pillow knows, and those of cameras and of later formats.
constexpr std::array other_endings = std::to_array<std::string_view>(
    {".avif", ".avifs", ".blp", ".bmp", ".bw",  ".cur", ".dcx",  ".dds",  ".dib",  ".emf",  ".eps",  ".fit", ".fits",
     ".flc",  ".fli",   ".ftc", ".ftu", ".gbr", ".gif", ".icb",  ".icns", ".ico",  ".iim",  ".im",   ".j2c", ".j2k",
     ".jp2",  ".jpc",   ".jpf", ".jpx", ".mpo", ".msp", ".palm", ".pbm",  ".pcd",  ".pcx",  ".pfm",  ".pgm", ".pnm",
     ".ppm",  ".psd",   ".pxr", ".qoi", ".ras", ".rgb", ".rgba", ".sgi",  ".tga",  ".tif",  ".tiff", ".vda", ".vst",
     ".wmf",  ".xbm",   ".xpm", ".arw", ".cr2", ".cr3", ".dng",  ".exr",  ".hdr",  ".heic", ".heif", ".hif", ".jif",
     ".jfi",  ".jxl",   ".jxr", ".nef", ".orf", ".raf", ".rw2",  ".svg",  ".svgz", ".xcf"});

}  // namespace

bool is_hidden(std::string_view path) {
  while (!path.empty()) {
    const std::string_view part = path.substr(0, path.find('/'));
    if ((part.starts_with('.') && part != "." && part != "..") || part == "__MACOSX" || part == "@eaDir") return true;
    path.remove_prefix(std::min(part.size() + 1, path.size()));
  }
  return false;
}

std::string ending_of(std::string_view name) {
  name.remove_prefix(name.rfind('/') + 1);
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return {};
  std::string ending(name.substr(dot));
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
  return ending;
}

bool is_image_ending(std::string_view ending) {
  return std::find(read_endings.begin(), read_endings.end(), ending) != read_endings.end();
}

bool is_other_image_ending(std::string_view ending) {
  return std::find(other_endings.begin(), other_endings.end(), ending) != other_endings.end();
}

std::string tidy(std::string_view path) {
  std::string slashes(path);
  std::replace(slashes.begin(), slashes.end(), '\\', '/');
  return std::filesystem::path(slashes).lexically_normal().generic_string();
}

std::string composed(const std::string& name) {
  utf8proc_uint8_t* out = nullptr;
  const auto size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(name.data()), static_cast<utf8proc_ssize_t>(name.size()),
                   &out, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(out, &std::free);
  return size < 0 ? name : std::string(reinterpret_cast<const char*>(out), static_cast<size_t>(size));
}

}  // namespace perrin::datasets
