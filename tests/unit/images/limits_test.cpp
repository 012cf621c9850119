// Bytes that are no image, and headers that lie.
#include <gtest/gtest.h>

#include "host/base/error.hpp"
#include "host/images/image.hpp"

namespace perrin::images {
namespace {

using namespace std::string_literals;

std::string reason(const std::string& bytes) {
  try {
    decode(bytes, 3, "x.png");
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

TEST(Images, that_are_none_are_refused_by_name) {
  EXPECT_EQ(reason("<html></html>"), "x.png: neither a PNG nor a JPEG nor a WebP image (by its first bytes)");
  EXPECT_EQ(reason(""), "x.png: an empty file");
  for (const char* start : {"\x89PNG\r\n\x1a\n", "\xff\xd8\xff", "RIFF\1\1\1\1WEBPVP8 "})
    for (int n = 0; n < 64; ++n) EXPECT_NE(reason(start + std::string(n, '\x7f')), "") << start << n;
}

// A chunk of PNG; nothing here reads its checksum.
std::string chunk(const std::string& type, const std::string& data) {
  return std::string(3, '\0') + static_cast<char>(data.size()) + type + data + "\0\0\0\0"s;
}

// Found by tests/fuzz/images: the second header was read beyond the file's end.
TEST(Images, have_one_header) {
  const std::string size = "\0\0\0\2\0\0\0\1"s, png = "\x89PNG\r\n\x1a\n" + chunk("IHDR", size + "\x8\0\0\0\0"s);
  const perrin_image_info info = images::info(png + chunk("IHDR", "\0\0\0\7"s), "x.png");
  EXPECT_EQ(info.width, 2u);
  EXPECT_EQ(info.height, 1u);
}

TEST(Images, come_with_one_or_three_channels) {
  EXPECT_THROW(decode("\xff\xd8\xff", 2, "x.jpg"), Error);
  EXPECT_THROW(decode("\xff\xd8\xff", 0, "x.jpg"), Error);
}

TEST(Images, are_read_from_regular_files_alone) {
  EXPECT_THROW(decode_file("/dev/zero", 3), Error);
  EXPECT_THROW(decode_file("/tmp", 3), Error);
  EXPECT_THROW(decode_file("/no/such/file", 3), Error);
}

}  // namespace
}  // namespace perrin::images
