#include "host/images/png_chunks.hpp"

#include <zlib.h>

#include <algorithm>
#include <string>

#include "host/images/formats.hpp"
#include "host/images/orientation.hpp"

namespace perrin::images {
namespace {

constexpr size_t kMaxText = 1 << 20;

uint32_t big_endian(std::string_view bytes) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

std::string unpacked(std::string_view packed) {
  std::string text(std::min(kMaxText, 1032 * packed.size()), '\0');
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return {};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  inflate(&stream, Z_FINISH);
  text.resize(stream.total_out);
  inflateEnd(&stream);
  return text;
}

// The part before the next NUL, which `rest` then begins behind.
std::string_view field(std::string_view& rest) {
  const size_t end = rest.find('\0');
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  return part;
}

// The text of a tEXt, zTXt or iTXt chunk (PNG 3rd edition, 11.3.3) whose keyword has been taken off.
std::string text_of(std::string_view type, std::string_view rest) {
  if (type == "tEXt") return std::string(rest);
  bool packed = true;
  if (type == "iTXt") {
    packed = !rest.empty() && rest[0] == 1;
    rest.remove_prefix(std::min<size_t>(2, rest.size()));
    field(rest), field(rest);  // language, translated keyword
  } else {
    rest.remove_prefix(std::min<size_t>(1, rest.size()));
  }
  return packed ? unpacked(rest) : std::string(rest);
}

// ImageMagick's way of keeping EXIF: hexadecimal digits from the fourth line on.
std::string from_hexadecimal(std::string_view profile) {
  for (int line = 0; line < 3; ++line) profile.remove_prefix(std::min(profile.size(), profile.find('\n') + 1));
  std::string bytes;
  int digits = 0, value = 0;
  for (const char c : profile) {
    const size_t digit = std::string_view("0123456789abcdef").find(c | 0x20);
    if (digit == std::string_view::npos) continue;
    value = value << 4 | static_cast<int>(digit);
    if (++digits % 2 == 0) bytes += static_cast<char>(value);
  }
  return bytes;
}

void read_header(std::string_view data, PngChunks& chunks) {
  constexpr uint32_t samples[] = {1, 0, 3, 1, 2, 0, 4};  // by colour type
  const auto depth = static_cast<uint8_t>(data[8]), colour = static_cast<uint8_t>(data[9]);
  chunks.width = big_endian(data);
  chunks.height = big_endian(data.substr(4));
  chunks.bits = colour < 7 ? samples[colour] * depth : 0;  // 0: libpng refuses it
}

}  // namespace

PngChunks read_png_chunks(std::string_view bytes) {
  PngChunks chunks;
  std::string exif, profile, xmp;
  bool header = false;
  for (std::string_view rest = bytes.substr(8); rest.size() >= 12;) {
    const uint64_t size = big_endian(rest);
    const std::string_view type = rest.substr(4, 4), data = rest.substr(8, size);
    if (!header) {  // the first chunk, and no other: libpng refuses a second
      if (type != "IHDR" || data.size() < 13) break;
      read_header(data, chunks), header = true;
    }
    if (type == "IDAT") chunks.packed += data.size();
    if (type == "acTL" && data.size() >= 4) chunks.frames = std::max(1u, big_endian(data));
    if (type == "eXIf") exif = data;
    if (type == "tEXt" || type == "zTXt" || type == "iTXt") {
      std::string_view text = data;
      const std::string_view key = field(text);
      if (key == "Raw profile type exif") profile = from_hexadecimal(text_of(type, text));
      if (key == "XML:com.adobe.xmp") xmp = text_of(type, text);
    }
    if (type == "IEND" || size + 12 > rest.size()) break;
    rest.remove_prefix(size + 12);
  }
  if (!header) throw Refusal("its header is damaged");
  chunks.orientation = orientation_of(exif.empty() ? profile : exif, xmp);
  return chunks;
}

}  // namespace perrin::images
