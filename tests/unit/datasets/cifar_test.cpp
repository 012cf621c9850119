// CIFAR's binary versions, made here byte by byte from their description (cs.toronto.edu/~kriz/cifar.html).
#include <gtest/gtest.h>

#include "tests/unit/datasets/folder.hpp"

namespace perrin::testing {
namespace {

// Plane, row and column show in each value.
char pixel(int record, int c, int y, int x) { return static_cast<char>(record * 17 + c * 50 + y * 3 + x); }

std::string record(int number, std::string labels) {
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y < 32; ++y)
      for (int x = 0; x < 32; ++x) labels += pixel(number, c, y, x);
  return labels;
}

services::Component cifar(const std::string& id, const TemporaryFolder& folder, Values more = {}) {
  more["folder"] = folder.string();
  return builtin("dataset", id, std::move(more));
}

void expect_record(const Sample& sample, int number) {
  size_t at = 0;
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y < 32; ++y)
      for (int x = 0; x < 32; ++x, ++at)
        ASSERT_EQ(static_cast<char>(sample.image[at]), pixel(number, c, y, x)) << c << " " << y << " " << x;
}

TEST(Cifar, TenReadsTheFiveBatchesInOrder) {
  TemporaryFolder folder;
  for (int b = 0; b < 5; ++b)
    write_file(folder / ("data_batch_" + std::to_string(b + 1) + ".bin"),
               record(2 * b, {static_cast<char>(b)}) + record(2 * b + 1, {static_cast<char>(9 - b)}));
  write_file(folder / "test_batch.bin", record(20, {7}));
  const auto train = cifar("cifar10", folder), test = cifar("cifar10", folder, {{"split", std::string("test")}});
  EXPECT_EQ(count_of(train), 10u);
  EXPECT_EQ(count_of(test), 1u);
  for (int i = 0; i < 10; ++i) {
    const Sample sample = read_sample(train, static_cast<uint64_t>(i));
    expect_record(sample, i);
    EXPECT_EQ(sample.label, i % 2 ? 9 - i / 2 : i / 2);
  }
  EXPECT_EQ(read_sample(test, 0).label, 7);
  EXPECT_EQ(fields_of(train)[1].n_classes, 10u);
}

TEST(Cifar, HundredHasFineAndCoarseLabels) {
  TemporaryFolder folder;
  write_file(folder / "train.bin", record(1, {4, 99}) + record(2, {19, 0}));
  const auto fine = cifar("cifar100", folder), coarse = cifar("cifar100", folder, {{"labels", std::string("coarse")}});
  expect_record(read_sample(fine, 1), 2);
  EXPECT_EQ(read_sample(fine, 0).label, 99);
  EXPECT_EQ(read_sample(coarse, 0).label, 4);
  EXPECT_EQ(fields_of(fine)[1].n_classes, 100u);
  EXPECT_EQ(fields_of(coarse)[1].n_classes, 20u);
}

TEST(Cifar, AMissingBatchIsMissedEachTime) {
  TemporaryFolder folder;
  write_file(folder / "data_batch_1.bin", record(0, {3}));
  const auto train = cifar("cifar10", folder);
  for (int i = 0; i < 2; ++i)
    EXPECT_NE(message_of([&] { count_of(train); }).find("data_batch_2.bin"), std::string::npos);
}

TEST(Cifar, WrongFilesAreNamed) {
  TemporaryFolder folder;
  write_file(folder / "test_batch.bin", record(0, {3}).substr(0, 3000));
  const auto test = [&] { return cifar("cifar10", folder, {{"split", std::string("test")}}); };
  EXPECT_NE(message_of([&] { count_of(test()); }).find("test_batch.bin: 3000 bytes are not whole records of 3073"),
            std::string::npos);
  write_file(folder / "test_batch.bin", record(0, {10}));
  EXPECT_NE(message_of([&] { count_of(test()); }).find("label 10 of record 0 is not below 10"), std::string::npos);
  const std::string missing = message_of([&] {
    count_of(builtin("dataset", "cifar10", {{"folder", std::string("no/such")}}));
  });
  for (const char* part : {"no/such", "cifar-10-binary.tar.gz", "dataset.folder"})
    EXPECT_NE(missing.find(part), std::string::npos) << missing;
}

}  // namespace
}  // namespace perrin::testing
