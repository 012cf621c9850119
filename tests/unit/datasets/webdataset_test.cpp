// webdataset: shards that Python's tarfile wrote in its three formats (golden.py), and damaged ones.
#include <gtest/gtest.h>

#include "tests/unit/datasets/folder.hpp"

namespace perrin::testing {
namespace {

services::Component shards(const TemporaryFolder& folder, int64_t classes = 3) {
  return builtin("dataset", "webdataset",
                 {{"folder", folder.string()}, {"size", int64_t{4}}, {"classes", classes}, {"captions", true}});
}

TEST(WebDataset, ReadsUstarGnuAndPaxShardsInOrder) {
  TemporaryFolder folder;
  for (const char* name : {"a.tar", "b.tar", "c.tar"}) write_file(folder / name, committed(name));
  const auto dataset = shards(folder);
  ASSERT_EQ(count_of(dataset), 6u);
  for (int64_t i = 0; i < 6; ++i) {
    const Sample sample = read_sample(dataset, static_cast<uint64_t>(i));
    EXPECT_EQ(sample.label, i % 3);
    EXPECT_EQ(sample.caption, "caption " + std::to_string(i));
    EXPECT_GT(sample.image[5], 0);
  }
  EXPECT_EQ(read_sample(dataset, 0).image[1], 13) << "golden.py: value 13 x of plane 0 in the 4 x 4 image";
}

TEST(WebDataset, ClassesBeyondTheirNumberAreRefused) {
  TemporaryFolder folder;
  write_file(folder / "c.tar", committed("c.tar"));
  EXPECT_NE(message_of([&] { read_sample(shards(folder, 2), 1); }).find("is not a class from 0 to 1"),
            std::string::npos);
}

TEST(WebDataset, EveryCutAndEveryDamagedHeaderIsRefusedByName) {
  const std::string whole = committed("b.tar");
  const size_t used = whole.find_last_not_of('\0');
  for (size_t n = 512; n <= used; n += 256) {
    TemporaryFolder folder;
    write_file(folder / "b.tar", whole.substr(0, n));
    const std::string message = message_of([&] { count_of(shards(folder)); });
    ASSERT_NE(message.find("b.tar"), std::string::npos) << n << " bytes: " << message;
  }
  for (size_t at : {0, 120, 130, 150, 156}) {
    std::string bytes = whole;
    bytes[at] ^= 1;
    TemporaryFolder folder;
    write_file(folder / "b.tar", bytes);
    EXPECT_NE(message_of([&] { count_of(shards(folder)); }).find("header"), std::string::npos) << at;
  }
}

TEST(WebDataset, ACompressedShardSaysSo) {
  TemporaryFolder folder;
  write_file(folder / "a.tar", "\x1f\x8b" + std::string(600, 'x'));
  EXPECT_NE(message_of([&] { count_of(shards(folder)); }).find("gunzip"), std::string::npos);
}

}  // namespace
}  // namespace perrin::testing
