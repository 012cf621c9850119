// mnist reads the same four files as fashion-mnist (tests/unit/plugins_a/fashion_mnist_test.cpp), from a folder of its own.
#include <gtest/gtest.h>

#include "tests/unit/datasets/folder.hpp"

namespace perrin::testing {
namespace {

std::string big_endian(std::initializer_list<uint32_t> numbers) {
  std::string bytes;
  for (uint32_t n : numbers)
    for (int shift : {24, 16, 8, 0}) bytes += static_cast<char>(n >> shift);
  return bytes;
}

TEST(Mnist, ReadsItsFilesAndNamesThemWhenMissing) {
  TemporaryFolder folder;
  std::string images = big_endian({0x803, 2, 28, 28});
  for (int i = 0; i < 2 * 784; ++i) images += static_cast<char>(i / 784 * 100 + i % 28);
  write_file(folder / "t10k-images-idx3-ubyte", images);
  write_file(folder / "t10k-labels-idx1-ubyte", big_endian({0x801, 2}) + std::string("\x07\x02", 2));
  const auto test = builtin("dataset", "mnist", {{"folder", folder.string()}, {"split", std::string("test")}});
  EXPECT_EQ(count_of(test), 2u);
  const Sample sample = read_sample(test, 1);
  EXPECT_EQ(sample.label, 2);
  EXPECT_EQ(sample.image[0], 100);
  EXPECT_EQ(sample.image[27], 127);
  const std::string said = message_of([&] { count_of(builtin("dataset", "mnist", {{"folder", folder.string()}})); });
  for (const char* part : {"train-images-idx3-ubyte", "MNIST is a folder of", "dataset.folder"})
    EXPECT_NE(said.find(part), std::string::npos) << said;
}

}  // namespace
}  // namespace perrin::testing
