#include <gtest/gtest.h>

#include <thread>

#include "tests/unit/plugins_a/idx_files.hpp"

namespace perrin::testing {
namespace {

uint64_t count(const services::Component& dataset) {
  uint64_t n = 0;
  dataset.invoke<&perrin_dataset::count>(&n);
  return n;
}

// Image and label of one sample.
std::pair<Bytes, int64_t> sample(const services::Component& dataset, uint64_t index, size_t side = 28) {
  Bytes image(side * side, 99);
  int64_t label = -1;
  void* const buffers[] = {image.data(), &label};
  dataset.invoke<&perrin_dataset::read>(uint64_t{1}, &index, buffers);
  return {image, label};
}

TEST(FashionMnist, ReadsGzipAndPlainFilesOfBothSplits) {
  Folder folder;
  write(folder / "train-images-idx3-ubyte.gz", gzip(images(12)));
  write(folder / "train-labels-idx1-ubyte", labels(12));
  write(folder / "t10k-images-idx3-ubyte", images(3));
  write(folder / "t10k-labels-idx1-ubyte.gz", gzip(labels(3)));
  const auto train = fashion(folder), test = fashion(folder, {{"split", std::string("test")}});
  EXPECT_EQ(count(train), 12u);
  EXPECT_EQ(count(test), 3u);
  const auto [image, label] = sample(train, 11);
  EXPECT_EQ(label, 3);
  for (size_t p = 0; p < 784; ++p) ASSERT_EQ(image[p], pixel(11, p)) << "pixel " << p;
  EXPECT_EQ(sample(test, 2).second, 6);
}

TEST(FashionMnist, StatesItsFields) {
  Folder folder;
  const auto dataset = fashion(folder, {{"size", int64_t{32}}});
  uint32_t n = 0;
  const perrin_field* fields = nullptr;
  dataset.invoke<&perrin_dataset::fields>(&n, &fields);
  ASSERT_EQ(n, 2u);
  EXPECT_EQ(services::view(fields[0].spec.name), "image");
  EXPECT_EQ(fields[0].spec.dtype, PERRIN_UINT8);
  ASSERT_EQ(fields[0].spec.rank, 3u);
  EXPECT_EQ(std::vector<int64_t>(fields[0].spec.sizes, fields[0].spec.sizes + 3), (std::vector<int64_t>{1, 32, 32}));
  EXPECT_DOUBLE_EQ(0 * fields[0].scale + fields[0].offset, -1) << "black";
  EXPECT_DOUBLE_EQ(255 * fields[0].scale + fields[0].offset, 1) << "white";
  EXPECT_EQ(services::view(fields[1].spec.name), "label");
  EXPECT_EQ(fields[1].n_classes, 10u);
}

TEST(FashionMnist, Size32HasABackgroundBorder) {
  Folder folder;
  write(folder / "train-images-idx3-ubyte", images(2));
  write(folder / "train-labels-idx1-ubyte", labels(2));
  const Bytes image = sample(fashion(folder, {{"size", int64_t{32}}}), 1, 32).first;
  for (size_t y = 0; y < 32; ++y)
    for (size_t x = 0; x < 32; ++x) {
      const bool inside = y >= 2 && y < 30 && x >= 2 && x < 30;
      ASSERT_EQ(image[32 * y + x], inside ? pixel(1, 28 * (y - 2) + x - 2) : 0) << y << ", " << x;
    }
}

TEST(FashionMnist, LimitTakesTheFirstSamples) {
  Folder folder;
  write(folder / "train-images-idx3-ubyte", images(12));
  write(folder / "train-labels-idx1-ubyte", labels(12));
  EXPECT_EQ(count(fashion(folder, {{"limit", int64_t{5}}})), 5u);
  EXPECT_EQ(count(fashion(folder, {{"limit", int64_t{50}}})), 12u);
  const std::string message = message_of([&] { sample(fashion(folder, {{"limit", int64_t{5}}}), 5); });
  EXPECT_NE(message.find("sample 5 of 5"), std::string::npos) << message;
}

TEST(FashionMnist, SeveralThreadsReadTheSame) {
  Folder folder;
  write(folder / "train-images-idx3-ubyte.gz", gzip(images(200)));
  write(folder / "train-labels-idx1-ubyte.gz", gzip(labels(200)));
  const auto dataset = fashion(folder);
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int k = 0; k < 4; ++k)
    threads.emplace_back([&, k] {
      for (uint64_t i = 0; i < 200; ++i) {
        const uint64_t index = (i * 7 + static_cast<uint64_t>(k)) % 200;
        const auto [image, label] = sample(dataset, index);
        wrong += image[100] != pixel(index, 100) || label != static_cast<int64_t>(index * 3 % 10);
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(FashionMnist, IsMadeWithoutItsFilesAndMissesThemWhenCounted) {
  Folder folder;
  const auto dataset = fashion(folder);
  const std::string message = message_of([&] { count(dataset); });
  EXPECT_NE(message.find(folder.string() + " has neither train-images-idx3-ubyte.gz nor train-images-idx3-ubyte"),
            std::string::npos)
      << message;
}

TEST(FashionMnist, RefusesOtherSizes) {
  Folder folder;
  const std::string message = message_of([&] { fashion(folder, {{"size", int64_t{30}}}); });
  EXPECT_NE(message.find("28 or 32 pixels"), std::string::npos) << message;
}

}  // namespace
}  // namespace perrin::testing
