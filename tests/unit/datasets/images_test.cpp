// Decoding and resizing against Pillow 11.3.0 (golden.py), and images that are cut or something else.
#include <gtest/gtest.h>

#include <cstdio>
#include <map>
#include <sstream>

#include "tests/unit/datasets/folder.hpp"

namespace perrin::testing {
namespace {

services::Component folder_of(const std::string& file, const std::string& bytes, TemporaryFolder& folder, int64_t size,
                              int64_t channels, const std::string& fit = "crop",
                              const std::string& filter = "lanczos") {
  write_file(folder / file, bytes);
  return builtin(
      "dataset", "image-folder",
      {{"folder", folder.string()}, {"size", size}, {"channels", channels}, {"fit", fit}, {"filter", filter}});
}

// A value that lies on a half rounds differently in Pillow's 22-bit fixed point: at most one level apart.
TEST(Images, DecodeAndResizeAsPillowDoes) {
  std::istringstream lines(committed("expected.txt"));
  std::map<std::string, int> values, differing;
  int reads = 0;
  for (std::string line; std::getline(lines, line); ++reads) {
    std::istringstream words(line);
    std::string file, fit, filter;
    int64_t size = 0, channels = 0;
    words >> file >> size >> fit >> filter >> channels;
    TemporaryFolder folder;
    const auto dataset = folder_of(file, committed(file), folder, size, channels, fit, filter);
    const Sample sample = read_sample(dataset, 0);
    for (uint8_t ours : sample.image) {
      int theirs = -1;
      ASSERT_TRUE(words >> theirs) << line;
      EXPECT_NEAR(ours, theirs, 1) << file << " to " << size << ", " << fit << ", " << filter;
      ++values[filter];
      differing[filter] += ours != theirs;
    }
  }
  EXPECT_EQ(reads, 58);
  for (const auto& [filter, n] : values) {
    std::printf("%-9s %4d values, %d of them one level from Pillow's\n", filter.c_str(), n, differing[filter]);
    EXPECT_LE(differing[filter], n / 20) << filter;
  }
}

TEST(Images, EveryTruncationIsRefusedByName) {
  for (const std::string file : {"rgb.png", "rgb.jpg", "lossless.webp", "lossy.webp"}) {
    const std::string whole = committed(file);
    for (size_t n = 0; n < whole.size() - 12; ++n) {  // the last bytes are end marks and checksums
      TemporaryFolder folder;
      const auto dataset = folder_of(file, whole.substr(0, n), folder, 4, 3);
      const std::string message = message_of([&] { read_sample(dataset, 0); });
      ASSERT_NE(message.find(file), std::string::npos) << file << " cut to " << n << " bytes: " << message;
    }
  }
}

TEST(Images, AnotherFormatBehindAnImagesEndingIsRefused) {
  TemporaryFolder folder;
  const auto dataset = folder_of("page.png", "<html></html>", folder, 4, 3);
  EXPECT_NE(message_of([&] { read_sample(dataset, 0); }).find("neither a PNG nor a JPEG nor a WebP"),
            std::string::npos);
}

}  // namespace
}  // namespace perrin::testing
