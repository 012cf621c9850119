// Bytes that are no image, and headers that lie.
#include <gtest/gtest.h>

#include "host/base/error.hpp"
#include "host/images/image.hpp"

namespace perrin::images {
namespace {

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
